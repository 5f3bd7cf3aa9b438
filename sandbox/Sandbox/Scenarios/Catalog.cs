using KubernetesEmulator.Faults;
using KubernetesEmulator.Nodes;

namespace Sandbox.Scenarios;

/// <summary>
/// All scenarios and disturbances. Each disturbance can happen in the middle of each scenario. The order is one in which one cluster serves many.
/// </summary>
internal static class Catalog
{
    public static IReadOnlyList<Scenario> Scenarios { get; } =
    [
        new("form-old-crd", "a group forms over the CustomResourceDefinition of an older version", Chores.FormOverOldDefinitionAsync) { Forms = true, OldDefinition = true },
        new("delete-primary", "the SqlServer of the primary is deleted", Chores.DeletePrimaryAsync) { Spoils = true },
        new("form", "three SqlServer resources become one availability group", Chores.FormAsync) { Forms = true },
        new("kill", "SIGKILL to the primary's SQL Server process", Accidents.KillAsync),
        new("delete-pod", "the primary's pod is deleted gracefully", Accidents.DeletePodAsync),
        new("freeze", "the primary's SQL Server process stops and goes on after another was promoted", Accidents.FreezeServerAsync),
        new("freeze-pod", "the primary's pod stops, agents too, and goes on after another was promoted", Accidents.FreezePodAsync),
        new("lose-node", "the primary's node goes with all its processes and comes back", Accidents.LoseNodeAsync),
        new("planned-failover", "a failover Job names the next primary", Chores.FailOverAsync),
        new("upgrade", "all three pods get a new template and are restarted one by one", Chores.UpgradeAsync) { Bound = TimeSpan.FromSeconds(240) },
        new("rotate-creds", "sa and the master key of each instance get new passwords", Chores.RotateAsync),
        new("change-membership", "a replica becomes asynchronous, then configuration-only, leaves, and comes back", Chores.ChangeMembershipAsync),
        new("scale-up", "one more SqlServer joins the group", Chores.ScaleUpAsync),
        new("scale-down", "the SqlServer of a secondary is deleted", Chores.ScaleDownAsync) { Spoils = true },
        new("delete-everything", "all SqlServers are deleted, then the namespace", Chores.DeleteEverythingAsync) { Spoils = true, Ends = true },
    ];

    /// <summary>Nothing happens, so that one can see what that costs. It is run only when asked for by its name.</summary>
    public static Scenario Idle { get; } = new("idle", "nothing happens for 60 s", static async (_, _, token) =>
    {
        await Task.Delay(TimeSpan.FromSeconds(60), token);
        return null;
    });

    /// <summary>It is run only when asked for by its name: what comes after it runs under such an operator too.</summary>
    public static Scenario Namespaced { get; } =
        new("form-namespaced", "a group forms under an operator that has rights in its namespace only", Chores.FormAsync) { Forms = true, Namespaced = true };

    /// <summary>Scenarios for nodes with networks of their own.</summary>
    public static IReadOnlyList<Scenario> Cuts { get; } =
    [
        new("cut-node", "the primary's node is cut off from everybody, lives on, and heals", (trial, told, token) => NodeCuts.CutNodeAsync(trial, NodeCut.Everybody, told, token)),
        new("cut-api", "the primary's node is cut off from the API server alone, and heals", (trial, told, token) => NodeCuts.CutNodeAsync(trial, NodeCut.ApiServer, told, token)),
        new("cut-peers", "the primary's node is cut off from the pods of other nodes alone, and heals", NodeCuts.CutPeersAsync),
    ];

    public static IReadOnlyList<Disturbance> Disturbances { get; } =
    [
        new("operator-deleted", "the operator's pod is deleted", Accidents.DeleteOperatorAsync),
        new("operator-killed", "SIGKILL to the operator", Accidents.KillOperatorAsync),
        new("two-operators", "a third operator comes and goes", (trial, told, token) => Chores.ScaleOperatorAsync(trial, 3, told, token))
        {
            Lasts = true, End = (trial, told, token) => Chores.ScaleOperatorAsync(trial, 2, told, token),
        },
        new("operator-lost", "the operator that leads is gone without a word", Accidents.LoseLeadingOperatorAsync) { Longer = TimeSpan.FromSeconds(60) },
        new("api-restart", "the API server restarts", (trial, told, token) => Accidents.ApiServerAwayAsync(trial, TimeSpan.Zero, told, token)) { LeavesOpen = true },
        new("api-outage", "the API server is away for 60 s", (trial, told, token) => Accidents.ApiServerAwayAsync(trial, TimeSpan.FromSeconds(60), told, token))
        {
            LeavesOpen = true, Longer = TimeSpan.FromSeconds(120),
        },
        Faults("api-silent", "the API server answers nobody for 20 s", new ApiFaults { Silent = true }, TimeSpan.FromSeconds(20)) with { LeavesOpen = true },
        Faults("slow-api", "each API call takes 2 s longer", new ApiFaults { Delay = TimeSpan.FromSeconds(2) }) with { Longer = TimeSpan.FromSeconds(120) },
        Faults("conflicts", "a third of all updates and patches are refused with 409", new ApiFaults { Conflicts = 1.0 / 3 }),
        Faults("watches-gone", "each watch ends with 410 after 1 s", new ApiFaults { WatchLife = TimeSpan.FromSeconds(1) }),
        Faults("api-errors", "each tenth request is answered with 429, with 500, or not at all", new ApiFaults { TooMany = 0.03, Errors = 0.03, Resets = 0.03 }),
        new("expired-tokens", "all pods' tokens expire at once", Accidents.ExpireTokensAsync) { LeavesOpen = true },
    ];

    private static Disturbance Faults(string name, string title, ApiFaults faults, TimeSpan? lasting = null) =>
        new(name, title, async (trial, told, token) =>
        {
            trial.Cluster.Machinery.Proxy!.Faults = faults;
            told(title);
            if (lasting is not { } time)
                return;
            try
            {
                await Task.Delay(time, token);
            }
            finally
            {
                trial.Cluster.Machinery.Proxy!.Faults = ApiFaults.None;
            }
        })
        {
            Lasts = lasting is null,
            End = (trial, _, _) =>
            {
                trial.Cluster.Machinery.Proxy!.Faults = ApiFaults.None;
                return Task.CompletedTask;
            },
        };
}
