namespace Bench;

/// <summary>One thing that is measured. A new figure is a class of its own and a line in <see cref="Figures.Catalog"/>.</summary>
internal abstract class Figure
{
    /// <summary>How it is called on the command line.</summary>
    public abstract string Name { get; }

    /// <summary>What exactly is measured, for people.</summary>
    public abstract string Description { get; }

    public abstract string Unit { get; }

    /// <summary>What its median should reach; null when it is only to be known.</summary>
    public virtual Goal? Goal => null;

    /// <summary>Sets the scene, measures as often as asked, and cleans up. A run may yield more than one sample.</summary>
    public abstract IAsyncEnumerable<double> MeasureAsync(int runs, CancellationToken cancellationToken);
}

/// <summary>A bound for the median.</summary>
/// <param name="Value">The bound itself.</param>
/// <param name="AtLeast">Whether more is better.</param>
internal sealed record Goal(double Value, bool AtLeast)
{
    public static Goal Least(double value) => new(value, true);

    public static Goal Most(double value) => new(value, false);

    public bool IsMet(double median) => AtLeast ? median >= Value : median <= Value;

    public override string ToString() => string.Create(null, $"{(AtLeast ? "≥" : "≤")} {Value:#,0.##}");
}
