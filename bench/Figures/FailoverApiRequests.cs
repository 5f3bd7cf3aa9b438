namespace Bench.Figures;

internal sealed class FailoverApiRequests : ApiFigure
{
    public override string Name => "failover-api-requests";

    public override string Description => "API requests from a SIGKILL to the primary's SQL Server until all replicas are SYNCHRONIZED again";

    public override string Unit => "1";

    protected override string Scenario => "kill";

    protected override double Of(double seconds, double requests, double watchedBytes) => requests;
}
