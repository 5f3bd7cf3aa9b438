namespace Sandbox.Steps;

/// <summary>Applies the resources and waits until there are three replicas, one primary, all SYNCHRONIZED.</summary>
internal sealed class FormAg(Scene scene, Func<Action<string>, CancellationToken, Task> apply) : IStep
{
    /// <summary>Starts the writer and checks its rows.</summary>
    public bool Writes { get; init; } = true;

    public string Name => "form-ag";

    public string Title => "three SqlServer resources become one availability group";

    public TimeSpan Bound => TimeSpan.FromSeconds(75);

    public async Task<Findings> RunAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        await apply(progress, cancellationToken);
        const string forming = "waiting for three connected replicas and one primary";
        await Wait.ForAsync(
            async token =>
            {
                if (await scene.Group.LabelledPrimaryAsync(token) is null)
                {
                    progress(forming);
                    return null;
                }

                var replicas = await scene.Group.ReplicasAsync(token);
                progress($"{forming}: {string.Join(", ", replicas)}");
                return replicas.Count == scene.Group.Size && replicas.All(x => x.Connection == "CONNECTED") ? replicas : null;
            },
            why => progress($"{forming}: {why}"),
            cancellationToken,
            TimeSpan.FromMilliseconds(100));

        await scene.Group.AddDatabaseAsync(progress, cancellationToken);
        var replicas = await scene.Group.CalmAsync(progress, cancellationToken);
        if (!Writes)
            return new Findings(replicas.Single(x => x.Role == "PRIMARY").Name, null, 0);
        var from = scene.Now;
        scene.StartWriter();
        var primary = await scene.WritesFlowAsync(_ => true, from, "waiting for the writer's first rows", progress, cancellationToken);
        return await scene.FindAsync(primary, from, progress, cancellationToken);
    }
}
