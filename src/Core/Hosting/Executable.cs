using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text;
using Agents.Kubernetes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Agents.Hosting;

/// <summary>What every executable gets.</summary>
/// <param name="Environment">Its variables.</param>
/// <param name="Logging">Its logs, to the console.</param>
/// <param name="Time">The clock.</param>
public sealed record ExecutableContext(EnvironmentReader Environment, ILoggerFactory Logging, TimeProvider Time);

/// <summary>What all executables have in common: command line, configuration mistakes, logging, signals, exit codes.</summary>
public static partial class Executable
{
    /// <summary>
    /// Runs an executable: <c>--help</c> and <c>--version</c>, or <paramref name="run"/> until it ends. SIGTERM and SIGINT cancel its token once;
    /// a second one ends the process at once.
    /// </summary>
    /// <param name="args">The command line.</param>
    /// <param name="description">One sentence for the help text.</param>
    /// <param name="variables">What it reads, for the help text.</param>
    /// <param name="run">The work; returns an exit code.</param>
    /// <returns>The exit code.</returns>
    public static Task<int> RunAsync(
        string[] args, string description, IReadOnlyList<EnvironmentVariable> variables,
        Func<ExecutableContext, CancellationToken, Task<int>> run) =>
        RunAsync(args, description, variables, run, null);

    /// <summary>
    /// As <see cref="RunAsync(string[], string, IReadOnlyList{EnvironmentVariable}, Func{ExecutableContext, CancellationToken, Task{int}})"/>, for work
    /// that has an end: stopped before that, it has failed, because exit code 0 would complete the Job.
    /// </summary>
    /// <param name="args">The command line.</param>
    /// <param name="description">One sentence for the help text.</param>
    /// <param name="variables">What it reads, for the help text.</param>
    /// <param name="stopped">The last line when it was stopped: what is not done, and how it goes on.</param>
    /// <param name="run">The work; returns an exit code.</param>
    /// <returns>The exit code.</returns>
    public static Task<int> RunJobAsync(
        string[] args, string description, IReadOnlyList<EnvironmentVariable> variables, string stopped,
        Func<ExecutableContext, CancellationToken, Task<int>> run) =>
        RunAsync(args, description, variables, run, stopped);

    internal static string Describe(string description, IReadOnlyList<EnvironmentVariable> variables)
    {
        var text = new StringBuilder(description).Append("\n\nEnvironment variables:");
        foreach (var variable in variables.Append(EnvironmentVariables.LogLevel))
        {
            text.Append("\n  ").Append(variable.Names).Append(": ").Append(variable.Meaning);
            text.Append(variable.Default switch
            {
                null => " (required)",
                "" => string.Empty,
                var value => $" (default {value})",
            });
        }

        return text.ToString();
    }

    private static async Task<int> RunAsync(
        string[] args, string description, IReadOnlyList<EnvironmentVariable> variables,
        Func<ExecutableContext, CancellationToken, Task<int>> run, string? stopped)
    {
        var root = new RootCommand(Describe(description, variables));
        root.SetAction((_, _) => GuardAsync(run, stopped));
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                await Console.Error.WriteLineAsync(error.Message).ConfigureAwait(false);
            return ExitCodes.BadConfiguration;
        }

        return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null })
            .ConfigureAwait(false);
    }

    private static async Task<int> GuardAsync(Func<ExecutableContext, CancellationToken, Task<int>> run, string? stopped)
    {
        using var stop = new CancellationTokenSource();
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        var reader = new EnvironmentReader(Environment.GetEnvironmentVariable);
        if (!Enum.TryParse<LogLevel>(reader.Text(EnvironmentVariables.LogLevel), ignoreCase: true, out var level))
            reader.Report($"{EnvironmentVariables.LogLevel.Name}: expected {EnvironmentVariables.LogLevel.Meaning}.");
        string failure;
        int code;
        using (var logging = LoggerFactory.Create(builder => builder
            .SetMinimumLevel(level)
            .AddFilter("Microsoft.AspNetCore", level < LogLevel.Warning ? LogLevel.Warning : level)
            .AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
                console.ColorBehavior = LoggerColorBehavior.Disabled;
            })))
        {
            try
            {
                return await run(new ExecutableContext(reader, logging, TimeProvider.System), stop.Token).ConfigureAwait(false);
            }
            catch (ConfigurationException error)
            {
                (code, failure) = (ExitCodes.BadConfiguration, error.Message);
            }
            catch (KubernetesConfigurationException error)
            {
                (code, failure) = (ExitCodes.BadConfiguration, error.Message);
            }
            catch (KubernetesException error)
            {
                (code, failure) = (ExitCodes.Failed, error.Message);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                if (stopped is null)
                    return ExitCodes.Done;
                (code, failure) = (ExitCodes.Failed, stopped);
            }
#pragma warning disable CA1031 // The last line of defence: whatever it was, the last line says why and the exit code says that.
            catch (Exception error)
#pragma warning restore CA1031
            {
                LogCrash(logging.CreateLogger("Program"), error);
                (code, failure) = (ExitCodes.Failed, error.Message);
            }
        }

        // After the log is flushed, so that this is the last line.
        await Console.Error.WriteLineAsync(failure).ConfigureAwait(false);
        return code;

        void Stop(PosixSignalContext context)
        {
            if (stop.IsCancellationRequested)
                return;
            context.Cancel = true;
            stop.Cancel();
        }
    }

    [LoggerMessage(LogLevel.Critical, "Ended by an error that was not expected")]
    private static partial void LogCrash(ILogger logger, Exception error);
}
