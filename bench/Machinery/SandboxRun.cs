using System.Diagnostics;
using System.Text.Json;

namespace Bench.Machinery;

/// <summary>The sandbox, run as a user would.</summary>
internal static class SandboxRun
{
    /// <summary>Runs scenarios on one cluster.</summary>
    /// <returns>The report that <c>--json</c> writes.</returns>
    public static async Task<JsonElement> ScenariosAsync(IEnumerable<string> names, CancellationToken cancellationToken)
    {
        var file = Path.GetTempFileName();
        try
        {
            var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "sandbox")) { RedirectStandardOutput = true };
            foreach (var argument in (string[])["scenario", .. names, "--json", file])
                start.ArgumentList.Add(argument);
            using var process = Process.Start(start)!;
            await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            using var report = JsonDocument.Parse(await File.ReadAllTextAsync(file, cancellationToken));
            return report.RootElement.Clone();
        }
        finally
        {
            File.Delete(file);
        }
    }
}
