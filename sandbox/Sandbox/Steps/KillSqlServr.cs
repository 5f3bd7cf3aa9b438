namespace Sandbox.Steps;

/// <summary>SIGKILL to the primary's SQL Server process; another replica takes over.</summary>
internal sealed class KillSqlServr(Scene scene, Func<string, CancellationToken, Task> kill) : IStep
{
    public string Name => "kill-sqlservr";

    public string Title => "SIGKILL to the primary's SQL Server process";

    public TimeSpan Bound => TimeSpan.FromSeconds(45);

    public async Task<Findings> RunAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        var before = (await scene.Group.CalmAsync(progress, cancellationToken)).Single(x => x.Role == "PRIMARY").Name;
        var from = scene.Now;
        await kill(before, cancellationToken);
        var after = await scene.WritesFlowAsync(
            x => x != before, from, $"killed sqlservr of {before}, waiting for another primary to take writes", progress, cancellationToken);
        var findings = await scene.FindAsync(after, from, progress, cancellationToken);
        await scene.Group.CalmAsync(progress, cancellationToken);
        return findings;
    }
}
