using System.Text;
using System.Text.Json.Nodes;
using Agents.Kubernetes;
using Agents.Security;
using Sandbox.Playground;
using Sandbox.Steps;

namespace Sandbox.Scenarios;

/// <summary>What people do to a group on purpose.</summary>
internal static class Chores
{
    /// <summary>The group forms; the writer and the witnesses begin.</summary>
    public static async Task<Func<string, bool>?> FormAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken)
    {
        Task ApplyAsync(Action<string> told, CancellationToken token) =>
            Trial.PersistAsync("applying three SqlServer resources and their Services", x => trial.Cluster.ApplyGroupAsync(static _ => { }, x), told, token);
        await new FormAg(trial.Scene, ApplyAsync).RunAsync(progress, cancellationToken);
        trial.StartWitnesses();
        return null;
    }

    /// <summary>As <see cref="FormAsync"/>; the operator has replaced the old definition, so that its new fields are known.</summary>
    public static async Task<Func<string, bool>?> FormOverOldDefinitionAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken)
    {
        await FormAsync(trial, progress, cancellationToken);
        var definition = await trial.Cluster.Api.GetAsync(Kinds.Definitions, null, "sqlservers.mssql.microsoft.com", cancellationToken);
        return definition?["spec"]?["versions"]?[0]?["subresources"]?["status"] is not null
            ? null
            : throw new StepFailedException("the operator left the old CustomResourceDefinition as it was");
    }

    public static async Task<Func<string, bool>?> FailOverAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken)
    {
        var target = (await trial.Group.CalmAsync(progress, cancellationToken)).First(x => x.Role == "SECONDARY").Name;
        await RunJobAsync(
            trial, "manual-failover", (job, told, token) => trial.Cluster.RunFailoverJobAsync(job, target, told, token), progress, cancellationToken);
        return x => x == target;
    }

    /// <summary>sa and the master key of each instance get a new password, one instance after the other.</summary>
    public static async Task<Func<string, bool>?> RotateAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken)
    {
        var (password, masterKey) = (new PasswordGenerator().Create(20), new PasswordGenerator().Create(20));
        trial.Group.ExpectPassword(password);
        foreach (var instance in trial.Instances)
        {
            var documents = Manifest.ReadShipped(
                Group.Namespace, "samples/jobs/rotate-creds/new-sql-secrets.yaml", "samples/jobs/rotate-creds/rotate-creds.yaml");
            documents[0]["stringData"] = new JsonObject { ["sapassword"] = password };
            documents.SetVariable("MSSQL_K8S_SQL_SERVER_NAME", instance);
            documents.SetVariable("MSSQL_K8S_MASTER_KEY_PASSWORD", masterKey);
            await RunJobAsync(
                trial,
                "rotate-creds",
                async (job, told, token) =>
                {
                    documents.NameJob(job);
                    await trial.Cluster.Api.ApplyAsync(documents, token);
                    await trial.Cluster.WaitForJobAsync(job, $"changes the passwords of {instance}", told, token);
                },
                progress,
                cancellationToken);
            await trial.Group.LogInAsync(instance, password, cancellationToken);
        }

        var secret = await trial.Cluster.Api.GetAsync(Kinds.Secrets, Group.Namespace, "sql-secrets", cancellationToken);
        var stored = Encoding.UTF8.GetString(Convert.FromBase64String(secret?["data"]?["sapassword"]?.GetValue<string>() ?? ""));
        return stored == password ? null : throw new StepFailedException("the Secret does not have the new password");
    }

    /// <summary>One more SqlServer joins the group.</summary>
    public static async Task<Func<string, bool>?> ScaleUpAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken)
    {
        await trial.Group.CalmAsync(progress, cancellationToken);
        var name = trial.NewInstance();
        var server = Manifest.ReadShipped(Group.Namespace, "samples/ag/sqlserver.yaml")[0];
        server["metadata"]!["name"] = name;
        server["metadata"]!["labels"]!["name"] = name;
        var service = Manifest.Read("services")[0];
        service["metadata"]!["name"] = name;
        service["spec"]!["selector"]!["name"] = name;
        trial.Group.Size++;
        await Trial.PersistAsync($"applying SqlServer {name}", token => trial.Cluster.Api.ApplyAsync([server, service], token), progress, cancellationToken);
        trial.Instances.Add(name);
        trial.Scene.StartWitness(name);
        return null;
    }

    /// <summary>The list of groups of a secondary's SqlServer goes through all that it may say.</summary>
    public static async Task<Func<string, bool>?> ChangeMembershipAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken)
    {
        var name = (await trial.Group.CalmAsync(progress, cancellationToken)).Last(x => x.Role == "SECONDARY").Name;
        foreach (var (mode, expected) in new[] { ("asynchronousCommit", "ASYNCHRONOUS_COMMIT"), ("configurationOnly", "CONFIGURATION_ONLY"), (null, null) })
        {
            await ListAsync(mode is null ? [] : [new JsonObject { ["name"] = Group.Name, ["availabilityMode"] = mode }], $"lists the group {mode ?? "no more"}");
            await Wait.ForAsync(
                async token => await trial.Group.ModeAsync(name, token) is var found && found == expected ? "done" : null,
                why => progress($"waiting until {name} is {expected ?? "out of the group"}: {why}"),
                cancellationToken);
        }

        var labels = await Wait.ForAsync(
            async token => (await trial.Cluster.Api.GetAsync(Kinds.Pods, Group.Namespace, name, token))?["metadata"]?["labels"] is JsonObject found
                && !found.Any(x => x.Key.EndsWith($"ag.mssql.microsoft.com/{Group.Name}", StringComparison.Ordinal)) ? found : null,
            why => progress($"waiting until {name} has no role: {why}"),
            cancellationToken);
        progress($"{name} has the labels {string.Join(", ", labels.Select(x => x.Key))}");
        await ListAsync([Group.Name], "lists the group again");
        return null;

        Task ListAsync(JsonArray groups, string what) => Trial.PersistAsync(
            $"SqlServer {name[..^"-0".Length]} {what}",
            token => trial.Cluster.Api.MergePatchAsync(
                Kinds.SqlServers, Group.Namespace, name[..^"-0".Length],
                new JsonObject { ["spec"] = new JsonObject { ["availabilityGroups"] = groups.DeepClone() } }, token),
            progress,
            cancellationToken);
    }

    /// <summary>
    /// Every pod is to be made anew, as for a new image: the operator restarts one at a time, each when all others are SYNCHRONIZED, and moves the primary
    /// before it restarts its pod.
    /// </summary>
    public static async Task<Func<string, bool>?> UpgradeAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken)
    {
        var api = trial.Cluster.Api;
        await trial.Group.CalmAsync(progress, cancellationToken);
        var pods = trial.Instances.Select(instance => $"{instance}-0").ToList();
        var before = new Dictionary<string, string?>();
        foreach (var pod in pods)
            before[pod] = await UidAsync(pod, cancellationToken);
        var timeout = 11 + trial.Upgrades++;
        foreach (var instance in trial.Instances)
        {
            var patch = new JsonObject { ["spec"] = new JsonObject { ["queryCommandTimeoutSec"] = timeout } };
            await Trial.PersistAsync(
                $"changing SqlServer {instance}", token => api.MergePatchAsync(Kinds.SqlServers, Group.Namespace, instance, patch, token), progress, cancellationToken);
        }

        await Wait.ForAsync(
            async token =>
            {
                var away = new List<string>();
                var old = new List<string>();
                foreach (var name in pods)
                {
                    var pod = await api.GetAsync(Kinds.Pods, Group.Namespace, name, token);
                    var ready = pod?["status"]?["conditions"]?.AsArray().Any(x =>
                        x?["type"]?.GetValue<string>() == "Ready" && x["status"]?.GetValue<string>() == "True") == true;
                    if (!ready || pod?["metadata"]?["deletionTimestamp"] is not null)
                        away.Add(name);
                    if (pod?["metadata"]?["uid"]?.GetValue<string>() == before[name])
                        old.Add(name);
                }

                progress($"waiting for pods of the new template; old: {string.Join(", ", old)}; not ready: {string.Join(", ", away)}");
                if (away.Count > 1 && !trial.LeavesOpen)
                    throw new StepFailedException($"more than one pod is restarted at once: {string.Join(", ", away)}");
                return old.Count == 0 && away.Count == 0 ? "done" : null;
            },
            why => progress($"waiting for pods of the new template: {why}"),
            cancellationToken);
        return null;

        async Task<string?> UidAsync(string pod, CancellationToken token) =>
            (await api.GetAsync(Kinds.Pods, Group.Namespace, pod, token))?["metadata"]?["uid"]?.GetValue<string>();
    }

    /// <summary>The SqlServer of a secondary is deleted: the others go on, and its claim stays.</summary>
    public static async Task<Func<string, bool>?> ScaleDownAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken)
    {
        var before = await trial.Group.CalmAsync(progress, cancellationToken);
        await DeleteAsync(trial, before.Last(x => x.Role == "SECONDARY").Name, progress, cancellationToken);
        return null;
    }

    /// <summary>The SqlServer of the primary is deleted: another takes over.</summary>
    public static async Task<Func<string, bool>?> DeletePrimaryAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken)
    {
        var primary = await trial.PrimaryAsync(progress, cancellationToken);
        await DeleteAsync(trial, primary, progress, cancellationToken);
        return x => x != primary;
    }

    /// <summary>All SqlServers are deleted, then the namespace.</summary>
    public static async Task<Func<string, bool>?> DeleteEverythingAsync(Trial trial, Action<string> progress, CancellationToken cancellationToken)
    {
        var api = trial.Cluster.Api;
        var primary = await trial.PrimaryAsync(progress, cancellationToken);
        await trial.Scene.StopWritingAsync();
        await trial.Scene.FindAsync(primary, trial.Scene.Now, progress, cancellationToken);
        var claims = await CountAsync(api, Kinds.Claims, cancellationToken);
        foreach (var instance in trial.Instances)
        {
            await Trial.PersistAsync(
                $"deleting SqlServer {instance}", token => api.DeleteAsync(Kinds.SqlServers, Group.Namespace, instance, token), progress, cancellationToken);
        }

        var owned = new[] { Kinds.StatefulSets, Kinds.Pods, Kinds.Jobs, Kinds.Services };
        await Wait.ForAsync(
            async token =>
            {
                var left = new List<string>();
                foreach (var kind in owned)
                {
                    var items = (await api.ListAsync(kind, Group.Namespace, ListOptions.All, token)).Items;
                    left.AddRange(items.Where(IsOfInstances).Select(x => $"{kind.Kind} {x["metadata"]!["name"]}"));
                }

                // The group's ConfigMap may stay, but it must not name members that are gone: only, as leaving, those that were slow to leave and let go unfinished.
                var map = await api.GetAsync(Kinds.ConfigMaps, Group.Namespace, Group.Name, token);
                var members = JsonNode.Parse(map?["data"]?["members"]?.GetValue<string>() ?? "[]")!.AsArray();
                left.AddRange(members.Where(x => !trial.Disturbed || x?["leaving"]?.GetValue<bool>() != true).Select(x => $"member {x?["instance"]}"));
                progress($"waiting until these are gone: {string.Join(", ", left)}");
                return left.Count == 0 ? "gone" : null;
            },
            why => progress($"waiting until all objects of the instances are gone: {why}"),
            cancellationToken);
        var left = await CountAsync(api, Kinds.Claims, cancellationToken);
        if (left != claims)
            throw new StepFailedException($"{left} PersistentVolumeClaims are left of {claims}: they must outlive their SqlServers");
        if (await api.GetAsync(Kinds.Secrets, Group.Namespace, "sql-secrets", cancellationToken) is null)
            throw new StepFailedException("the user's Secret is gone with the SqlServers");

        await Trial.PersistAsync(
            "deleting the namespace", token => api.DeleteAsync(Kinds.Namespaces, null, Group.Namespace, token), progress, cancellationToken);
        await Wait.ForAsync(
            async token => await api.GetAsync(Kinds.Namespaces, null, Group.Namespace, token) is null ? "gone" : null,
            why => progress($"waiting until the namespace is gone: {why}"),
            cancellationToken);
        return null;

        // Jobs and Services of people are not the operator's.
        static bool IsOfInstances(JsonObject item) => item["metadata"]?["ownerReferences"]?.AsArray().Any(x =>
            x?["kind"]?.GetValue<string>() is "SqlServer" or "StatefulSet") == true;
    }

    /// <summary>Sets the number of operators and waits until they run.</summary>
    public static async Task ScaleOperatorAsync(Trial trial, int replicas, Action<string> progress, CancellationToken cancellationToken)
    {
        var api = trial.Cluster.Api;
        var patch = new JsonObject { ["spec"] = new JsonObject { ["replicas"] = replicas } };
        await api.MergePatchAsync(Kinds.Deployments, Cluster.OperatorNamespace, "mssql-operator", patch, cancellationToken);
        await Wait.ForAsync(
            async token =>
            {
                progress($"waiting for {replicas} operators");
                var found = await api.GetAsync(Kinds.Deployments, Cluster.OperatorNamespace, "mssql-operator", token);
                return found?["status"]?["availableReplicas"]?.GetValue<int>() == replicas ? found : null;
            },
            why => progress($"waiting for {replicas} operators: {why}"),
            cancellationToken);
    }

    private static async Task DeleteAsync(Trial trial, string pod, Action<string> progress, CancellationToken cancellationToken)
    {
        var (api, instance) = (trial.Cluster.Api, pod[..^"-0".Length]);
        trial.Group.Size--;
        trial.Instances.Remove(instance);
        await Trial.PersistAsync(
            $"deleting SqlServer {instance}", token => api.DeleteAsync(Kinds.SqlServers, Group.Namespace, instance, token), progress, cancellationToken);
        await Wait.ForAsync(
            async token => await api.GetAsync(Kinds.Pods, Group.Namespace, pod, token) is null
                && await api.GetAsync(Kinds.StatefulSets, Group.Namespace, instance, token) is null ? "gone" : null,
            why => progress($"waiting until {pod} is gone: {why}"),
            cancellationToken);
        if (await api.GetAsync(Kinds.Claims, Group.Namespace, $"mssql-root-{pod}", cancellationToken) is null)
            throw new StepFailedException($"the PersistentVolumeClaim of {pod} is gone with its SqlServer");
    }

    /// <summary>
    /// Runs a Job to completion. One that failed while the API server was away is asked for once more, by which time it must succeed. Each has a name of
    /// its own: a Job that is deleted and made again while the job controller's view lags can get the status of the one before
    /// (kube-controller-manager 1.20 writes it by name).
    /// </summary>
    private static async Task RunJobAsync(
        Trial trial, string name, Func<string, Action<string>, CancellationToken, Task> run, Action<string> progress, CancellationToken cancellationToken)
    {
        for (var again = false; ; again = true)
        {
            var job = trial.NewJob(name);
            try
            {
                await Trial.PersistAsync($"running Job {job}", token => run(job, progress, token), progress, cancellationToken);
                return;
            }
            catch (StepFailedException e) when (trial.LeavesOpen && !again)
            {
                progress($"{e.Message}; once more");
                await trial.Undisturbed.WaitAsync(cancellationToken);
                await trial.Group.CalmAsync(progress, cancellationToken);
            }
        }
    }

    private static async Task<int> CountAsync(IKubernetesApi api, ResourceType<JsonObject> kind, CancellationToken cancellationToken) =>
        (await api.ListAsync(kind, Group.Namespace, ListOptions.All, cancellationToken)).Items.Count;
}
