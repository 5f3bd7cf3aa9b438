using System.Text.Json.Nodes;
using Agents.Kubernetes;
using Sandbox.Output;
using Sandbox.Playground;
using Sandbox.Steps;

namespace Scenarios.Rights;

/// <summary>
/// The rights that the manifests give are those that the executables use: a whole life of a group, with the API server noting each request.
/// </summary>
[TestFixture]
[NonParallelizable]
[Platform("Linux")]
internal sealed class RightsTests
{
    private const string OperatorNamespace = "mssql-operator";
    private static readonly string Operator = User(OperatorNamespace, "mssql-operator");
    private static readonly ResourceType<JsonObject> Roles = KubernetesTypes.Untyped("rbac.authorization.k8s.io", "v1", "roles", "Role", true);
    private static readonly ResourceType<JsonObject> ClusterRoles = KubernetesTypes.Untyped("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", false);

    /// <summary>Rights that no run needs, and why they are held all the same.</summary>
    private static readonly Dictionary<(string Holder, Right Right), string> Reserved = new()
    {
        [("agents", new("get", "coordination.k8s.io", "leases"))] = "the Lease is read anew when handing it over met a conflict",
    };

    [Test]
    public async Task No_executable_holds_a_right_that_it_does_not_use()
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        var audit = new AuditTrail();
        await using var cluster = await Cluster.StartAsync(Sandbox.Playground.Backend.Emulator, new PlainScreen(TestContext.Out), bound.Token, audit: audit.Note);
        await LiveAsync(cluster, bound.Token);
        var held = new Dictionary<string, IReadOnlyCollection<Right>>
        {
            [Operator] = await HeldAsync(cluster, ClusterRoles, "mssql-operator", null, bound.Token),
            [User(Group.Namespace, "manual-failover")] = await HeldAsync(cluster, Roles, "manual-failover", null, bound.Token),
            [User(Group.Namespace, "rotate-creds")] = await HeldAsync(cluster, Roles, "rotate-creds", null, bound.Token),
        };
        var agents = new HashSet<Right>();
        foreach (var instance in Cluster.Instances)
            agents.UnionWith(await HeldAsync(cluster, Roles, Names(instance), instance, bound.Token));
        await EndAsync(cluster, bound.Token);

        // Nobody may grant what he does not hold.
        bool Grants(string user, Right right) => user == Operator && agents.Any(x => x with { Name = null } == right);
        var unused = held.SelectMany(x => x.Value.Where(right => !audit.Uses(x.Key, right) && !Grants(x.Key, right)).Select(right => (x.Key, right)))
            .Concat(agents.Where(right => !UsedByAnyAgent(audit, right)).Select(right => ("agents", right)));
        Assert.Multiple(() =>
        {
            Assert.That(string.Join('\n', unused.Where(x => !Reserved.ContainsKey(x))), Is.Empty, "rights that nobody uses");
            Assert.That(string.Join('\n', audit.Refusals()), Is.Empty, "rights that somebody lacks");
        });
    }

    /// <summary>The counter-check with a whole cluster; <c>tests/Conformance/Rights</c> does it for each right.</summary>
    [Test]
    public async Task Without_the_right_to_create_StatefulSets_the_operator_says_so()
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await using var cluster = await Cluster.StartAsync(Sandbox.Playground.Backend.Emulator, new PlainScreen(TestContext.Out), bound.Token);
        var role = await cluster.Api.GetAsync(ClusterRoles, null, "mssql-operator", bound.Token);
        foreach (var rule in role!["rules"]!.AsArray().Where(x => Right.Of(x!).Any(right => right is { Group: "apps", Resource: "statefulsets" })))
            rule!["verbs"] = new JsonArray([.. rule["verbs"]!.AsArray().Where(x => (string)x! != "create").Select(x => x!.DeepClone())]);
        await cluster.Api.ReplaceAsync(ClusterRoles, null, "mssql-operator", role, bound.Token);
        await RestartOperatorAsync(cluster, bound.Token);
        await cluster.ApplyGroupAsync(static _ => { }, bound.Token);
        await UntilAsync("the operator complains", () => Task.FromResult(
            Diagnosis.Tail(cluster.Directory, "mssql-operator", 100).Contains("statefulsets.apps \"mssql1\" is forbidden", StringComparison.Ordinal)), bound.Token);
    }

    private static async Task RestartOperatorAsync(Cluster cluster, CancellationToken cancellationToken)
    {
        foreach (var pod in (await cluster.Api.ListAsync(Kinds.Pods, OperatorNamespace, ListOptions.All, cancellationToken)).Items)
            await cluster.Api.DeleteAsync(Kinds.Pods, OperatorNamespace, (string)pod["metadata"]!["name"]!, cancellationToken);
    }

    private static bool UsedByAnyAgent(AuditTrail audit, Right right) => Cluster.Instances.Any(
        instance => ByName(right, instance).Any(name => audit.Uses(User(Group.Namespace, Names(instance)), right with { Name = name })));

    private static string Names(string instance) => $"{instance}-agents";

    private static string User(string @namespace, string account) => $"system:serviceaccount:{@namespace}:{account}";

    /// <summary>What a role gives, with an instance's name replaced by <c>own</c> and the others' by <c>peer</c>.</summary>
    private static async Task<IReadOnlyCollection<Right>> HeldAsync(
        Cluster cluster, ResourceType<JsonObject> type, string name, string? own, CancellationToken cancellationToken)
    {
        var role = await cluster.Api.GetAsync(type, type.Namespaced ? Group.Namespace : null, name, cancellationToken);
        return [.. Right.Of(role!).Select(x => own is null || x.Name is null ? x : x with { Name = Relative(x.Name, own) })];
    }

    private static string Relative(string name, string own) =>
        Cluster.Instances.Aggregate(name, (text, x) => text.Replace(x, x == own ? "own" : "peer", StringComparison.Ordinal));

    /// <summary>The names that a right stands for in the hands of an instance's agents.</summary>
    private static IEnumerable<string?> ByName(Right right, string own)
    {
        if (right.Name is not { } name)
            return [null];
        return Cluster.Instances.Select(x => name.Replace(x == own ? "own" : "peer", x, StringComparison.Ordinal)).Where(x => Relative(x, own) == name);
    }

    /// <summary>Form, kill, fail over, change, rotate.</summary>
    private static async Task LiveAsync(Cluster cluster, CancellationToken cancellationToken)
    {
        await using (var scene = new Scene(cluster.Group, TimeProvider.System))
        {
            var results = await new StepRunner(new PlainScreen(TestContext.Out), TimeProvider.System).RunAsync(
                [new FormAg(scene, cluster.ApplyGroupAsync), new KillSqlServr(scene, cluster.KillSqlServerAsync), new PlannedFailover(scene, cluster.RunFailoverJobAsync)],
                static _ => { }, cancellationToken);
            Assert.That(results.Select(x => x.Reason), Is.All.Null);
        }

        foreach (var instance in Cluster.Instances)
        {
            await cluster.Api.MergePatchAsync(Kinds.SqlServers, Group.Namespace, instance, (JsonObject)JsonNode.Parse("""
                {"spec":{"sqlServerContainer":{"resources":{"requests":{"cpu":"10m"}}},"service":{},"instanceRootVolumeClaimTemplate":{"resources":{"requests":{"storage":"6Gi"}}}}}
                """)!, cancellationToken);
        }

        await UntilAsync("each pod is of the changed template", async () =>
        {
            var pods = await cluster.Api.ListAsync(Kinds.Pods, Group.Namespace, new ListOptions("type=sqlservr"), cancellationToken);
            return pods.Items.Count == Cluster.Instances.Count() && pods.Items.All(x => x["spec"]!["containers"]!.AsArray().Any(c => (string?)c!["resources"]?["requests"]?["cpu"] == "10m"));
        }, cancellationToken);
        await cluster.Group.CalmAsync(static _ => { }, cancellationToken);
        var client = Names(Cluster.Instances.First()).Replace("agents", "client", StringComparison.Ordinal);
        await UntilAsync("there is a Service for clients", async () => await cluster.Api.GetAsync(Kinds.Services, Group.Namespace, client, cancellationToken) is not null, cancellationToken);
        foreach (var instance in Cluster.Instances)
            await cluster.Api.MergePatchAsync(Kinds.SqlServers, Group.Namespace, instance, (JsonObject)JsonNode.Parse("""{"spec":{"service":null}}""")!, cancellationToken);
        await UntilAsync("the Service for clients is gone", async () => await cluster.Api.GetAsync(Kinds.Services, Group.Namespace, client, cancellationToken) is null, cancellationToken);

        await cluster.Api.ApplyAsync(
            Manifest.ReadShipped(Group.Namespace, "samples/jobs/rotate-creds/new-sql-secrets.yaml", "samples/jobs/rotate-creds/rotate-creds.yaml"), cancellationToken);
        await UntilAsync("the passwords are rotated", async () =>
            (await cluster.Api.GetAsync(Kinds.Jobs, Group.Namespace, "rotate-creds", cancellationToken))?["status"]?["succeeded"]?.GetValue<int>() == 1, cancellationToken);
    }

    /// <summary>Deletes everything, so that the operator begins anew in an empty cluster.</summary>
    private static async Task EndAsync(Cluster cluster, CancellationToken cancellationToken)
    {
        foreach (var instance in Cluster.Instances)
            await cluster.Api.DeleteAsync(Kinds.SqlServers, Group.Namespace, instance, cancellationToken);
        await UntilAsync("no instance's pod is left", async () =>
            (await cluster.Api.ListAsync(Kinds.Pods, Group.Namespace, new ListOptions("type=sqlservr"), cancellationToken)).Items.Count == 0, cancellationToken);
        const string definition = "sqlservers.mssql.microsoft.com";
        await cluster.Api.DeleteAsync(Kinds.Definitions, null, definition, cancellationToken);
        await UntilAsync("the definition is gone", async () =>
            await cluster.Api.GetAsync(Kinds.Definitions, null, definition, cancellationToken) is null, cancellationToken);
        await RestartOperatorAsync(cluster, cancellationToken);
        await UntilAsync("the operator has made the definition", async () =>
            await cluster.Api.GetAsync(Kinds.Definitions, null, definition, cancellationToken) is not null, cancellationToken);
    }

    private static async Task UntilAsync(string what, Func<Task<bool>> holds, CancellationToken cancellationToken)
    {
        try
        {
            while (!await holds())
                await Task.Delay(200, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"not within the bound: {what}");
        }
    }
}
