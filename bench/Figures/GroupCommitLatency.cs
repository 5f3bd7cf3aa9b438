using System.Runtime.CompilerServices;
using Bench.Machinery;

namespace Bench.Figures;

internal sealed class GroupCommitLatency : Figure
{
    private const int PerRun = 400;

    public override string Name => "group-commit-latency";

    public override string Description => "one client's INSERT in a group with two synchronous secondaries, from request to answer";

    public override string Unit => "ms";

    public override async IAsyncEnumerable<double> MeasureAsync(int runs, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var group = await GroupOfThree.FormAsync(cancellationToken);
        using var workload = new Workload(group.Primary);
        await foreach (var sample in workload.LatenciesAsync(PerRun * runs, cancellationToken))
            yield return sample;
    }
}
