using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Conformance;

/// <summary>A kubectl of this machine: that of the PATH, or the one that came with the control plane where the first is missing or too old.</summary>
/// <param name="kubeConfig">Which server it talks to, and as whom.</param>
/// <param name="namespace">Namespace of what it is told to do, or null to leave it to the documents.</param>
internal sealed partial class Kubectl(string kubeConfig, string? @namespace)
{
    /// <summary>The first with <c>wait --for=jsonpath</c> and <c>create token</c>.</summary>
    private const int OldestMinor = 24;

    private static readonly Lazy<(string? Path, string? Missing)> Found = new(Find);
    private static readonly string Home = Path.Combine(Path.GetTempPath(), "kubectl-of-conformance-tests");

    /// <summary>Ends the test as ignored where there is no kubectl.</summary>
    public static void Require()
    {
        if (Found.Value.Missing is { } missing)
            Assert.Ignore(missing);
    }

    /// <summary>Runs it and expects success, or to end with another code.</summary>
    public async Task<string> Run(string arguments, string? input = null, int exitCode = 0)
    {
        var (code, output, errors) = await Try(arguments, input);
        Assert.That(code, Is.EqualTo(exitCode), $"kubectl {arguments}: {errors}");
        return output;
    }

    /// <summary>Runs what prints without end, until it is cancelled or a bound is reached.</summary>
    public async IAsyncEnumerable<string> Lines(string arguments, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var process = Start(arguments);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(TimeSpan.FromSeconds(60));
        try
        {
            while (await process.StandardOutput.ReadLineAsync(bound.Token) is { } line)
                yield return line;
        }
        finally
        {
            process.Kill();
        }
    }

    public async Task<(int Code, string Output, string Errors)> Try(string arguments, string? input = null)
    {
        using var process = Start(arguments);
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        try
        {
            // A leading brace would make kubectl read JSON.
            await process.StandardInput.WriteAsync(input is null ? "" : "# manifest\n" + input);
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(bound.Token);
            var errors = process.StandardError.ReadToEndAsync(bound.Token);
            await process.WaitForExitAsync(bound.Token);
            return (process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }

    private Process Start(string arguments)
    {
        var start = new ProcessStartInfo(Found.Value.Path!)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        if (@namespace is not null)
            start.ArgumentList.Add($"--namespace={@namespace}");
        // Single quotes hold together what has spaces or double quotes in it.
        foreach (Match word in Word().Matches(arguments))
            start.ArgumentList.Add(word.Value.Replace("'", "", StringComparison.Ordinal));
        start.Environment["KUBECONFIG"] = kubeConfig;
        start.Environment["HOME"] = Home;
        return Process.Start(start)!;
    }

    private static (string? Path, string? Missing) Find()
    {
        var seen = new List<string>();
        foreach (var path in new[] { "kubectl", Output(ApiServers.Script, "kubectl").Trim() })
        {
            if (path.Length == 0 || Version().Match(Output(path, "version --client")) is not { Success: true } version)
                continue;
            if (int.Parse(version.Groups[1].Value, CultureInfo.InvariantCulture) >= OldestMinor)
                return (path, null);
            seen.Add($"{path} is of 1.{version.Groups[1].Value}");
        }

        return (null, $"no kubectl of 1.{OldestMinor} or later: {(seen.Count == 0 ? "neither on the PATH nor with the control plane" : string.Join(", ", seen))}");
    }

    private static string Output(string program, string arguments)
    {
        try
        {
            using var run = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var output = run.StandardOutput.ReadToEnd();
            run.WaitForExit();
            return output;
        }
        catch (Win32Exception)
        {
            return "";
        }
    }

    [GeneratedRegex("""([^\s']|'[^']*')+""")]
    private static partial Regex Word();

    [GeneratedRegex(@"v1\.(\d+)\.")]
    private static partial Regex Version();
}
