using System.Runtime.CompilerServices;
using Bench.Machinery;

namespace Bench.Figures;

internal sealed class SingleCommits : Figure
{
    private const int Clients = 32;

    public override string Name => "single-commits";

    public override string Description => $"commits of one instance without a group, {Clients} clients, one INSERT each";

    public override string Unit => "commits/s";

    public override async IAsyncEnumerable<double> MeasureAsync(int runs, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var instance = Instance.Start("bench", "127.0.9.1");
        await instance.ReadyAsync(cancellationToken);
        await instance.RunAsync("CREATE DATABASE db1;", cancellationToken);
        await instance.RunAsync(Workload.CreateTable, cancellationToken);
        using var workload = new Workload(instance);
        await foreach (var sample in workload.CommitsPerSecondAsync(Clients, runs, cancellationToken))
            yield return sample;
    }
}
