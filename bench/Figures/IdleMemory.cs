using System.Runtime.CompilerServices;
using Bench.Machinery;

namespace Bench.Figures;

internal sealed class IdleMemory : Figure
{
    public override string Name => "idle-memory";

    public override string Description => "resident memory of an instance three seconds after its first login";

    public override string Unit => "MiB";

    public override Goal Goal => Goal.Most(60);

    public override async IAsyncEnumerable<double> MeasureAsync(int runs, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var run = 0; run < runs; run++)
        {
            await using var instance = Instance.Start("bench", "127.0.9.1");
            await instance.ReadyAsync(cancellationToken);
            await Task.Delay(TimeSpan.FromSeconds(3), cancellationToken);
            yield return instance.ResidentBytes / (1024.0 * 1024.0);
        }
    }
}
