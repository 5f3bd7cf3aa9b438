namespace Sandbox.Steps;

/// <summary>The primary's node and all its processes go at once; another replica takes over.</summary>
internal sealed class LoseNode(Scene scene, Func<string, CancellationToken, Task<string>> lose) : IStep
{
    public string Name => "lose-node";

    public string Title => "the primary's node and all its processes go at once";

    public TimeSpan Bound => TimeSpan.FromSeconds(45);

    public async Task<Findings> RunAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        var before = (await scene.Group.CalmAsync(progress, cancellationToken)).Single(x => x.Role == "PRIMARY").Name;
        var from = scene.Now;
        var node = await lose(before, cancellationToken);
        var after = await scene.WritesFlowAsync(
            x => x != before, from, $"{node} is gone with {before}, waiting for another primary to take writes", progress, cancellationToken);
        return await scene.FindAsync(after, from, progress, cancellationToken);
    }
}
