using System.Runtime.CompilerServices;
using Bench.Machinery;

namespace Bench.Figures;

internal sealed class GroupCommits : Figure
{
    private const int Clients = 64;

    public override string Name => "group-commits";

    public override string Description => $"commits of a group with two synchronous secondaries, {Clients} clients, one INSERT each";

    public override string Unit => "commits/s";

    public override Goal Goal => Goal.Least(3000);

    public override async IAsyncEnumerable<double> MeasureAsync(int runs, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var group = await GroupOfThree.FormAsync(cancellationToken);
        using var workload = new Workload(group.Primary);
        await foreach (var sample in workload.CommitsPerSecondAsync(Clients, runs, cancellationToken))
            yield return sample;
    }
}
