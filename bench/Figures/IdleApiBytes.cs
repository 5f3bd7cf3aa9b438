namespace Bench.Figures;

internal sealed class IdleApiBytes : ApiFigure
{
    public override string Name => "idle-api-bytes";

    public override string Description => "bytes watched by a healthy group of three with nothing to do";

    public override string Unit => "KiB/min";

    protected override string Scenario => "idle";

    protected override double Of(double seconds, double requests, double watchedBytes) => watchedBytes / seconds * 60 / 1024;
}
