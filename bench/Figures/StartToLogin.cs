using System.Diagnostics;
using System.Runtime.CompilerServices;
using Bench.Machinery;

namespace Bench.Figures;

internal sealed class StartToLogin : Figure
{
    public override string Name => "start-to-login";

    public override string Description => "start of a new instance's process until its first client is logged in";

    public override string Unit => "ms";

    public override Goal Goal => Goal.Most(300);

    public override async IAsyncEnumerable<double> MeasureAsync(int runs, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // The first one warms up the client.
        for (var run = -1; run < runs; run++)
        {
            var start = Stopwatch.GetTimestamp();
            await using var instance = Instance.Start("bench", "127.0.9.1");
            await instance.ReadyAsync(cancellationToken);
            if (run >= 0)
                yield return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
    }
}
