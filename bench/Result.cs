using System.Text.Json.Serialization;

namespace Bench;

/// <summary>A figure's samples, summed up.</summary>
/// <param name="Name">Name of the figure.</param>
/// <param name="Unit">Unit of all the values.</param>
/// <param name="Median">The value that is held against the goal.</param>
/// <param name="Min">Smallest sample.</param>
/// <param name="Max">Largest sample.</param>
/// <param name="P95">95 of 100 samples are no larger.</param>
/// <param name="Runs">Number of samples.</param>
/// <param name="Goal">The bound, for instance "≥ 3,000"; null without one.</param>
/// <param name="Met">Whether the median reaches the goal; null without one.</param>
internal sealed record Result(string Name, string Unit, double Median, double Min, double Max, double P95, int Runs, string? Goal, bool? Met)
{
    public static Result Of(Figure figure, IReadOnlyList<double> samples)
    {
        var sorted = samples.Order().ToArray();
        double At(double part) => Math.Round(sorted[Math.Clamp((int)Math.Ceiling(part * sorted.Length) - 1, 0, sorted.Length - 1)], 3);
        var median = At(0.5);
        return new Result(
            figure.Name, figure.Unit, median, At(0), At(1), At(0.95), sorted.Length, figure.Goal?.ToString(), figure.Goal?.IsMet(median));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(IReadOnlyList<Result>))]
internal sealed partial class ResultJson : JsonSerializerContext;
