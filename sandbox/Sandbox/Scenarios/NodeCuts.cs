using System.Net.Sockets;
using System.Text.Json.Nodes;
using KubernetesEmulator.Nodes;
using Sandbox.Playground;
using Sandbox.Steps;

namespace Sandbox.Scenarios;

/// <summary>The primary's node is cut off, in silence, and lives on.</summary>
internal static class NodeCuts
{
    private const string Server = "mssql-server";

    /// <summary>Another takes over, the node is not ready, and after the cut the old primary, which never ended, rejoins.</summary>
    public static async Task<Func<string, bool>?> CutNodeAsync(Trial trial, NodeCut cut, Action<string> progress, CancellationToken cancellationToken)
    {
        var before = await trial.PrimaryAsync(progress, cancellationToken);
        var node = await trial.Cluster.NodeOfAsync(before, cancellationToken);
        var pod = await trial.Cluster.Api.GetAsync(Kinds.Pods, Group.Namespace, before, cancellationToken);
        var address = pod?["status"]?["podIP"]?.GetValue<string>() ?? throw new StepFailedException($"pod {before} has no address");
        var process = node.ProcessId(Group.Namespace, before, Server);
        var from = trial.Scene.Now;
        await trial.Cluster.Machinery.CutNodeAsync(node.Name, cut, cancellationToken);
        try
        {
            if (cut == NodeCut.Everybody && await AnswerAsync(address, cancellationToken) is { } answer)
                throw new StepFailedException($"{node.Name} is cut off, but {before} {answer}");
            await UntilReadyAsync(trial, node.Name, false, progress, cancellationToken);
            await trial.TakenOverAsync(before, from, progress, cancellationToken);
            if (process is null || node.ProcessId(Group.Namespace, before, Server) != process)
                throw new StepFailedException($"SQL Server of {before} has not outlived the cut");
        }
        finally
        {
            await trial.Cluster.Machinery.HealNodeAsync(node.Name, CancellationToken.None);
        }

        await UntilReadyAsync(trial, node.Name, true, progress, cancellationToken);
        return null;
    }

    /// <summary>The primary loses its secondaries; it keeps the Lease, but what it would acknowledge needs one of them.</summary>
    public static async Task<Func<string, bool>?> CutPeersAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken)
    {
        var before = await trial.PrimaryAsync(progress, cancellationToken);
        var node = await trial.Cluster.NodeOfAsync(before, cancellationToken);
        await trial.Cluster.Machinery.CutNodeAsync(node.Name, NodeCut.Peers, cancellationToken);
        try
        {
            await Wait.ForAsync(
                async token =>
                {
                    progress("waiting until the primary has lost its secondaries");
                    var replicas = await trial.Group.ReplicasAsync(token);
                    return replicas.Any(x => x.Role == "PRIMARY" && replicas.All(y => y == x || y.Connection != "CONNECTED")) ? replicas : null;
                },
                why => progress($"waiting until the primary has lost its secondaries: {why}"),
                cancellationToken);
        }
        finally
        {
            await trial.Cluster.Machinery.HealNodeAsync(node.Name, CancellationToken.None);
        }

        return null;
    }

    private static Task<JsonObject> UntilReadyAsync(Trial trial, string node, bool ready, Action<string> progress, CancellationToken cancellationToken) =>
        Wait.ForAsync(
            async token =>
            {
                progress($"waiting until {node} is {(ready ? "" : "not ")}ready");
                var found = await trial.Cluster.Api.GetAsync(Kinds.Nodes, null, node, token);
                var conditions = found?["status"]?["conditions"] as JsonArray ?? [];
                return conditions.Any(x => x?["type"]?.GetValue<string>() == "Ready" && x["status"]?.GetValue<string>() == "True") == ready ? found : null;
            },
            why => progress($"{node}: {why}"),
            cancellationToken);

    /// <summary>What somebody hears who connects to SQL Server at an address; null for nothing at all.</summary>
    private static async Task<string?> AnswerAsync(string address, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(TimeSpan.FromSeconds(2));
        try
        {
            await socket.ConnectAsync(address, 1433, bound.Token);
            return "accepts connections";
        }
        catch (SocketException e)
        {
            return $"answers: {e.SocketErrorCode}";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }
}
