using System.ComponentModel;
using System.Diagnostics;

namespace Conformance;

/// <summary>The kubectl of this machine.</summary>
/// <param name="kubeConfig">Which server it talks to, and as whom.</param>
/// <param name="namespace">Namespace of what it is told to do, or null to leave it to the documents.</param>
internal sealed class Kubectl(string kubeConfig, string? @namespace)
{
    private static readonly Lazy<string?> Missing = new(Probe);
    private static readonly string Home = Path.Combine(Path.GetTempPath(), "kubectl-of-conformance-tests");

    /// <summary>Ends the test as ignored where there is no kubectl.</summary>
    public static void Require()
    {
        if (Missing.Value is { } missing)
            Assert.Ignore(missing);
    }

    /// <summary>Runs it and expects success, or to end with another code.</summary>
    public async Task<string> Run(string arguments, string? input = null, int exitCode = 0)
    {
        var (code, output, errors) = await Try(arguments, input);
        Assert.That(code, Is.EqualTo(exitCode), $"kubectl {arguments}: {errors}");
        return output;
    }

    public async Task<(int Code, string Output, string Errors)> Try(string arguments, string? input = null)
    {
        var start = new ProcessStartInfo("kubectl", @namespace is null ? arguments : $"-n {@namespace} {arguments}")
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["KUBECONFIG"] = kubeConfig;
        start.Environment["HOME"] = Home;
        using var process = Process.Start(start)!;
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

    private static string? Probe()
    {
        try
        {
            using var probe = Process.Start(new ProcessStartInfo("kubectl", "version --client") { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var output = probe.StandardOutput.ReadToEnd();
            probe.WaitForExit();
            return output.Contains("v1.20.", StringComparison.Ordinal) ? "kubectl 1.20 fails at some of these commands" : null;
        }
        catch (Win32Exception)
        {
            return "kubectl is not on the PATH";
        }
    }
}
