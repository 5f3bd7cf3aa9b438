namespace Sandbox.Steps;

/// <summary>The lost node comes back; its replica rejoins and all three are SYNCHRONIZED again.</summary>
internal sealed class Rejoin(Scene scene, Func<CancellationToken, Task<string>> bringBack) : IStep
{
    public string Name => "rejoin";

    public string Title => "the node comes back and its replica rejoins";

    public TimeSpan Bound => TimeSpan.FromSeconds(60);

    public async Task<Findings> RunAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        var from = scene.Now;
        var node = await bringBack(cancellationToken);
        progress($"{node} is back");
        await scene.Group.CalmAsync(progress, cancellationToken);
        var primary = await scene.WritesFlowAsync(_ => true, from, "waiting for writes", progress, cancellationToken);
        return await scene.FindAsync(primary, from, progress, cancellationToken);
    }
}
