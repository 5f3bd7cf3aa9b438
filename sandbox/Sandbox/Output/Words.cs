using System.Globalization;
using Sandbox.Steps;

namespace Sandbox.Output;

/// <summary>How results read.</summary>
internal static class Words
{
    public static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.0 s", CultureInfo.InvariantCulture);

    public static string Gap(Findings? findings) =>
        findings?.WriteGap is { } gap ? gap.TotalMilliseconds.ToString("0 ms", CultureInfo.InvariantCulture) : "-";

    public static string Lost(Findings? findings) => findings?.Lost.ToString(CultureInfo.InvariantCulture) ?? "-";

    /// <summary>The one line in which a step ends, without its name.</summary>
    public static string Result(StepResult result)
    {
        var found = $"primary {result.Findings?.Primary ?? "-"}, write gap {Gap(result.Findings)}, acknowledged writes lost {Lost(result.Findings)}";
        return result.End switch
        {
            StepEnd.Held => found,
            StepEnd.Failed when result.Findings is null => result.Reason ?? "",
            StepEnd.Failed => $"{found}: {result.Reason}",
            _ => result.Reason ?? "",
        };
    }
}
