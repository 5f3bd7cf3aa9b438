using System.Diagnostics;
using System.Text;

namespace KubernetesEmulator.ControlPlane;

/// <summary>
/// etcd, kube-apiserver, kube-controller-manager and kube-scheduler, as <c>eng/control-plane run</c> starts them. They end with the script, and the
/// script ends with this process, because its input ends then.
/// </summary>
internal sealed class ControlPlaneProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartBound = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan CommandBound = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly StringBuilder _errors = new();
    private readonly SemaphoreSlim _one = new(1);

    private ControlPlaneProcess(Process process)
    {
        _process = process;
        process.ErrorDataReceived += (_, e) =>
        {
            lock (_errors)
                _errors.AppendLine(e.Data);
        };
        process.BeginErrorReadLine();
    }

    /// <summary>An administrator's kubeconfig.</summary>
    public string KubeConfig { get; private set; } = "";

    /// <summary>Starts everything; when it returns, the API server is ready and ServiceAccounts get their tokens.</summary>
    /// <exception cref="ControlPlaneException">It did not start.</exception>
    public static async Task<ControlPlaneProcess> StartAsync(
        string script, string directory, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(script)
        {
            ArgumentList = { "run", directory },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var control = new ControlPlaneProcess(Process.Start(start)!);
        try
        {
            var line = await control.ReadAsync(StartBound, cancellationToken).ConfigureAwait(false);
            const string ready = "ready ";
            control.KubeConfig = line.StartsWith(ready, StringComparison.Ordinal)
                ? line[ready.Length..]
                : throw new ControlPlaneException($"the control plane said '{line}', expected '{ready}KUBECONFIG'");
            return control;
        }
        catch
        {
            await control.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Starts, stops, pauses or resumes one component.</summary>
    /// <exception cref="ControlPlaneException">The script refused.</exception>
    public async Task CommandAsync(string verb, string component, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await _process.StandardInput.WriteLineAsync($"{verb} {component}".AsMemory(), cancellationToken).ConfigureAwait(false);
            await _process.StandardInput.FlushAsync(cancellationToken).ConfigureAwait(false);
            var answer = await ReadAsync(CommandBound, cancellationToken).ConfigureAwait(false);
            if (answer != $"ok {verb} {component}")
                throw new ControlPlaneException(answer);
        }
        finally
        {
            _one.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            try
            {
                await _process.WaitForExitAsync(bound.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        _process.Dispose();
        _one.Dispose();
    }

    private async Task<string> ReadAsync(TimeSpan within, CancellationToken cancellationToken)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(within);
        try
        {
            return await _process.StandardOutput.ReadLineAsync(bound.Token).ConfigureAwait(false)
                ?? throw new ControlPlaneException($"the control plane ended: {Errors()}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ControlPlaneException($"the control plane did not answer within {within.TotalSeconds} s: {Errors()}");
        }
    }

    private string Errors()
    {
        lock (_errors)
            return _errors.ToString().Trim();
    }
}
