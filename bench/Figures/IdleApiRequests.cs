namespace Bench.Figures;

internal sealed class IdleApiRequests : ApiFigure
{
    public override string Name => "idle-api-requests";

    public override string Description => "API requests of a healthy group of three with nothing to do, operator and lease renewals included";

    public override string Unit => "1/min";

    public override Goal Goal => Goal.Most(70);

    protected override string Scenario => "idle";

    protected override double Of(double seconds, double requests, double watchedBytes) => requests / seconds * 60;
}
