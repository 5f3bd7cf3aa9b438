namespace Sandbox.Steps;

/// <summary>A failover Job names a synchronized secondary; that one becomes the primary and the Job completes.</summary>
internal sealed class PlannedFailover(Scene scene, Func<string, Action<string>, CancellationToken, Task> runJob) : IStep
{
    public string Name => "planned-failover";

    public string Title => "a failover Job names the next primary";

    public TimeSpan Bound => TimeSpan.FromSeconds(45);

    public async Task<Findings> RunAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        var replicas = await scene.Group.CalmAsync(progress, cancellationToken);
        var target = replicas.First(x => x.Role == "SECONDARY").Name;
        var from = scene.Now;
        await runJob(target, progress, cancellationToken);
        var after = await scene.WritesFlowAsync(
            x => x == target, from, $"waiting until {target} takes writes", progress, cancellationToken);
        var findings = await scene.FindAsync(after, from, progress, cancellationToken);
        await scene.Group.CalmAsync(progress, cancellationToken);
        return findings;
    }
}
