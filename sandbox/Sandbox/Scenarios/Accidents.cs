using Agents.Kubernetes;
using KubernetesEmulator.Nodes;
using Sandbox.Playground;
using Sandbox.Steps;

namespace Sandbox.Scenarios;

/// <summary>What befalls the primary.</summary>
internal static class Accidents
{
    private const string Server = "mssql-server";

    public static async Task<Func<string, bool>?> KillAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken)
    {
        var before = await trial.PrimaryAsync(progress, cancellationToken);
        await trial.Cluster.KillSqlServerAsync(before, cancellationToken);
        return x => x != before;
    }

    /// <summary>The primary's pod is deleted, as <c>kubectl delete pod</c> does it: it hands over before it ends.</summary>
    public static async Task<Func<string, bool>?> DeletePodAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken)
    {
        var before = await trial.PrimaryAsync(progress, cancellationToken);
        await Trial.PersistAsync(
            $"deleting pod {before}", token => trial.Cluster.Api.DeleteAsync(Kinds.Pods, Group.Namespace, before, token), progress, cancellationToken);
        return x => x != before;
    }

    /// <summary>SIGSTOP to SQL Server alone; it goes on after another was promoted.</summary>
    public static Task<Func<string, bool>?> FreezeServerAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken) =>
        FreezeAsync(trial, static _ => [Server], progress, cancellationToken);

    /// <summary>SIGSTOP to every process of the pod, agents too; they go on after another was promoted.</summary>
    public static Task<Func<string, bool>?> FreezePodAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken) =>
        FreezeAsync(trial, static containers => containers, progress, cancellationToken);

    /// <summary>The node goes with all its processes and comes back after another was promoted.</summary>
    public static async Task<Func<string, bool>?> LoseNodeAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken)
    {
        var before = await trial.PrimaryAsync(progress, cancellationToken);
        var from = trial.Scene.Now;
        await trial.Cluster.LoseNodeOfAsync(before, cancellationToken);
        await trial.TakenOverAsync(before, from, progress, cancellationToken);
        await Trial.PersistAsync("starting the node again", trial.Cluster.BringNodeBackAsync, progress, cancellationToken);
        return null;
    }

    private static async Task<Func<string, bool>?> FreezeAsync(
        Trial trial, Func<IReadOnlyList<string>, IReadOnlyList<string>> which, Action<string> progress, CancellationToken cancellationToken)
    {
        var before = await trial.PrimaryAsync(progress, cancellationToken);
        var node = await trial.Cluster.NodeOfAsync(before, cancellationToken);
        var pod = await trial.Cluster.Api.GetAsync(Kinds.Pods, Group.Namespace, before, cancellationToken);
        var containers = which([.. pod!["spec"]!["containers"]!.AsArray().Select(x => x!["name"]!.GetValue<string>())]);
        var from = trial.Scene.Now;
        foreach (var container in containers)
            node.Freeze(Group.Namespace, before, container);
        try
        {
            await trial.TakenOverAsync(before, from, progress, cancellationToken);
        }
        finally
        {
            foreach (var container in containers)
                node.Thaw(Group.Namespace, before, container);
        }

        return null;
    }

    /// <summary>SIGKILL to every operator.</summary>
    public static async Task KillOperatorAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken)
    {
        foreach (var (pod, node) in await OperatorsAsync(trial, cancellationToken))
        {
            progress($"SIGKILL to {pod}");
            await node.KillContainerAsync(Cluster.OperatorNamespace, pod, "mssql-operator", Posix.SigKill, cancellationToken);
        }
    }

    /// <summary>Every operator's pod is deleted, as by <c>kubectl rollout restart</c>.</summary>
    public static async Task DeleteOperatorAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken)
    {
        foreach (var (pod, _) in await OperatorsAsync(trial, cancellationToken))
        {
            progress($"deleting pod {pod}");
            await trial.Cluster.Api.DeleteAsync(Kinds.Pods, Cluster.OperatorNamespace, pod, cancellationToken);
        }
    }

    /// <summary>The operator that leads is gone without a word, as with its node; another takes over when its Lease has expired.</summary>
    public static async Task LoseLeadingOperatorAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken)
    {
        var api = trial.Cluster.Api;
        await Chores.ScaleOperatorAsync(trial, 2, progress, cancellationToken);
        var before = await LeaderAsync(null);
        var (pod, node) = (await OperatorsAsync(trial, cancellationToken)).Single(x => before.StartsWith($"{x.Pod}_", StringComparison.Ordinal));
        await node.KillContainerAsync(Cluster.OperatorNamespace, pod, "mssql-operator", Posix.SigKill, cancellationToken);
        await api.DeleteAsync(Kinds.Pods, Cluster.OperatorNamespace, pod, cancellationToken, new DeleteOptions(GracePeriodSeconds: 0));
        progress($"{await LeaderAsync(before)} leads instead of {before}");

        Task<string> LeaderAsync(string? other) => Wait.ForAsync(
            async token =>
            {
                progress(other is null ? "waiting for an operator that leads" : $"waiting for another operator than {other}");
                var lease = await api.GetAsync(Kinds.Leases, Cluster.OperatorNamespace, "mssql-server-k8s-operator", token);
                return lease?["spec"]?["holderIdentity"]?.GetValue<string>() is { } holder && holder != other ? holder : null;
            },
            why => progress($"waiting for an operator that leads: {why}"),
            cancellationToken);
    }

    /// <summary>The API server ends and comes back after <paramref name="away"/>.</summary>
    public static async Task ApiServerAwayAsync(Trial trial, TimeSpan away, Action<string> progress, CancellationToken cancellationToken)
    {
        progress("the API server stops");
        await trial.Cluster.Machinery.StopApiServerAsync(cancellationToken);
        await Task.Delay(away, cancellationToken);
        await trial.Cluster.Machinery.StartApiServerAsync(cancellationToken);
        progress("the API server is back");
    }

    /// <summary>All tokens expire at once; a while later the kubelets bring new ones.</summary>
    public static async Task ExpireTokensAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken)
    {
        trial.Cluster.Machinery.Proxy!.ExpireTokens();
        progress("all tokens have expired");
        await Task.Delay(TimeSpan.FromSeconds(2), cancellationToken);
        foreach (var node in trial.Cluster.Machinery.Nodes)
            await node.RenewTokensAsync(cancellationToken);
        progress("the pods have new tokens");
    }

    private static async Task<IReadOnlyList<(string Pod, ProcessNode Node)>> OperatorsAsync(Trial trial, CancellationToken cancellationToken)
    {
        var pods = await trial.Cluster.Api.ListAsync(Kinds.Pods, Cluster.OperatorNamespace, ListOptions.All, cancellationToken);
        return
        [
            .. from pod in pods.Items
               let node = trial.Cluster.Machinery.Nodes.FirstOrDefault(x => x.Name == pod["spec"]?["nodeName"]?.GetValue<string>())
               where node is not null
               select (pod["metadata"]!["name"]!.GetValue<string>(), node),
        ];
    }
}
