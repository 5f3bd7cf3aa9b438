using System.Text.Json.Nodes;
using Agents.Kubernetes;
using Agents.Operator.Manifests;
using Agents.Operator.Specs;
using Microsoft.Extensions.Logging;
using static Agents.Operator.Reconciliation.SqlServerPlanner;

namespace Agents.Operator.Reconciliation;

/// <summary>One turn: observe, plan, run the steps, write status. Holds nothing that a restart of the operator would miss.</summary>
internal sealed partial class Reconciler
{
    private readonly IKubernetesApi api;
    private readonly StepRunner runner;
    private readonly SecretObserver secrets;
    private readonly StatusWriter status;
    private readonly IReadOnlyList<KeyValuePair<string, string>> timings;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    public Reconciler(
        IKubernetesApi api, StepRunner runner, SecretObserver secrets, StatusWriter status, IReadOnlyList<KeyValuePair<string, string>> timings,
        TimeProvider time, ILogger logger)
    {
        this.api = api;
        this.runner = runner;
        this.secrets = secrets;
        this.status = status;
        this.timings = timings;
        this.time = time;
        this.logger = logger;
    }

    /// <returns>False when something is to be tried again soon.</returns>
    public async Task<bool> TurnAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        var done = true;
        var namespaces = snapshot.SqlServers.Concat(snapshot.GroupMaps).Select(NamespaceOf).Distinct(StringComparer.Ordinal);
        foreach (var @namespace in namespaces.Order(StringComparer.Ordinal))
        {
            try
            {
                done &= await NamespaceAsync(@namespace, snapshot, cancellationToken).ConfigureAwait(false);
            }
            catch (KubernetesException error)
            {
                // The other namespaces must not wait for this one.
                LogFailure(@namespace, error.Failure, error.Message);
                done = false;
            }
        }

        return done;
    }

    private static string NamespaceOf(JsonObject document) => (string?)document["metadata"]?["namespace"] ?? string.Empty;

    private static bool IsTransient(KubernetesException error) => error.Failure is KubernetesFailure.Unreachable or KubernetesFailure.Busy;

    private async Task<bool> NamespaceAsync(string @namespace, Snapshot snapshot, CancellationToken cancellationToken)
    {
        var view = await ObserveAsync(@namespace, snapshot, cancellationToken).ConfigureAwait(false);
        var done = true;
        foreach (var step in GroupPlanner.Plan(view))
            await runner.RunAsync(step, snapshot, cancellationToken).ConfigureAwait(false);

        var outdated = new HashSet<string>(StringComparer.Ordinal);
        foreach (var instance in view.Instances.Where(instance => instance.Reading.Spec is not null && !instance.Deleting))
            if (IsOutdated(instance))
                outdated.Add(instance.Name);
        var holds = outdated.Count > 0
            ? await RestartAsync(@namespace, view, outdated, snapshot, cancellationToken).ConfigureAwait(false)
            : new Dictionary<string, RestartHold>();
        foreach (var instance in view.Instances.Where(instance => instance.Deleting))
        {
            if (DeparturePlanner.Plan(instance, view, time.GetUtcNow()) is { } release)
                await runner.RunAsync(release, snapshot, cancellationToken).ConfigureAwait(false);
            else
                done &= !DeparturePlanner.IsHeld(instance);
        }

        foreach (var instance in view.Instances.Where(instance => !instance.Deleting))
        {
            var failure = await InstanceAsync(instance, view, snapshot, cancellationToken).ConfigureAwait(false);
            done &= failure is null;
            var conditions = StatusBuilder.Conditions(instance, view, failure, holds.GetValueOrDefault(Names.Pod(instance.Name)));
            await status.WriteAsync(instance, conditions, cancellationToken).ConfigureAwait(false);
        }

        return done;
    }

    private async Task<string?> InstanceAsync(InstanceView instance, NamespaceView view, Snapshot snapshot, CancellationToken cancellationToken)
    {
        foreach (var step in SqlServerPlanner.Plan(instance, view, timings, time.GetUtcNow()))
        {
            var manifest = (step as Step.Apply)?.Manifest;
            try
            {
                await runner.RunAsync(step, snapshot, cancellationToken).ConfigureAwait(false);
            }
            catch (KubernetesException error) when (!IsTransient(error))
            {
                var what = manifest is null ? step.GetType().Name : $"{(string?)manifest["kind"]} {NameOf(manifest)}";
                LogRejected(what, view.Namespace, error.Message);
                return $"{what}: {error.Message}";
            }
        }

        return null;
    }

    private async Task<NamespaceView> ObserveAsync(string @namespace, Snapshot snapshot, CancellationToken cancellationToken)
    {
        var instances = new List<InstanceView>();
        foreach (var document in snapshot.SqlServers.Where(item => NamespaceOf(item) == @namespace).OrderBy(NameOf, StringComparer.Ordinal))
        {
            var name = NameOf(document);
            var set = snapshot.Find("StatefulSet", @namespace, name);
            var reading = SpecChange.Check(SpecReader.Read(document), set);
            instances.Add(new InstanceView
            {
                Document = document,
                Reading = reading,
                AgentLogin = reading.Spec is null
                    ? SecretSighting.Absent
                    : await secrets.LookAsync(@namespace, Names.AgentLogin(name), SecretManifests.AgentLoginKeys, cancellationToken).ConfigureAwait(false),
                StatefulSet = set,
                ClientService = snapshot.Find("Service", @namespace, Names.ClientService(name)),
                Job = snapshot.Jobs
                    .Where(job => NamespaceOf(job) == @namespace && (string?)job["metadata"]?["labels"]?[Names.InstanceLabel] == name)
                    .MinBy(job => (string?)job["metadata"]?["creationTimestamp"], StringComparer.Ordinal),
                Pod = snapshot.Find("Pod", @namespace, Names.Pod(name)),
            });
        }

        return new NamespaceView
        {
            Namespace = @namespace,
            Instances = instances,
            Budgets = snapshot.Budgets,
            MirroringCertificate = instances.Exists(instance => instance.Reading.Spec is not null)
                ? await secrets.LookAsync(@namespace, Names.MirroringCertificate, SecretManifests.MirroringCertificateKeys, cancellationToken)
                    .ConfigureAwait(false)
                : SecretSighting.Absent,
            GroupMaps = snapshot.GroupMaps.Where(map => NamespaceOf(map) == @namespace && map["metadata"]?["labels"]?[Names.GroupLabel] is not null)
                .ToDictionary(NameOf),
        };
    }

    /// <summary>Restarts are decided on what the API server says now, not on the watched copy, which may lag behind our own last restart.</summary>
    private async Task<IReadOnlyDictionary<string, RestartHold>> RestartAsync(
        string @namespace, NamespaceView view, HashSet<string> outdated, Snapshot snapshot, CancellationToken cancellationToken)
    {
        var pods = await api.ListAsync(Resources.Pods, @namespace, new ListOptions(LabelSelector: Names.InstanceLabel), cancellationToken).ConfigureAwait(false);
        var candidates = view.Instances.Where(instance => !instance.Deleting).Select(instance =>
        {
            var current = instance with { Pod = pods.Items.FirstOrDefault(pod => NameOf(pod) == Names.Pod(instance.Name)) };
            return new RestartCandidate(
                Names.Pod(instance.Name), (string?)current.Pod?["metadata"]?["uid"] ?? string.Empty,
                outdated.Contains(instance.Name) && IsOutdated(current) && current.Pod?["metadata"]?["deletionTimestamp"] is null,
                StatusBuilder.IsReady(current.Pod), StatusBuilder.Roles(current))
            {
                Trouble = StatusBuilder.Trouble(current.Pod),
            };
        });
        var plan = RestartPlanner.Plan(@namespace, [.. candidates], [.. view.GroupMaps.Select(map => RestartGroup.Read(map.Key, map.Value))], time.GetUtcNow());
        foreach (var step in plan.Steps)
            await runner.RunAsync(step, snapshot, cancellationToken).ConfigureAwait(false);
        return plan.Holds;
    }

    /// <summary>Compares with the StatefulSet as it is, so that a pod is only restarted once its new template is in place.</summary>
    private static bool IsOutdated(InstanceView instance) =>
        instance.Pod is { } pod && instance.StatefulSet is { } set
        && (string?)set["spec"]?["template"]?["metadata"]?["annotations"]?[Names.RestartHash] is { } wanted
        && (string?)pod["metadata"]?["annotations"]?[Names.RestartHash] != wanted;

    [LoggerMessage(LogLevel.Warning, "Namespace {Namespace}: {Failure}: {Message}")]
    private partial void LogFailure(string @namespace, KubernetesFailure failure, string message);

    [LoggerMessage(LogLevel.Warning, "{What} in {Namespace} was rejected: {Message}")]
    private partial void LogRejected(string what, string @namespace, string message);
}
