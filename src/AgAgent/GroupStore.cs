using System.Globalization;
using System.Text.Json.Nodes;
using Agents.Election;
using Agents.Groups;
using Agents.Kubernetes;
using Agents.Observation;
using Microsoft.Extensions.Logging;

namespace Agents.AgAgent;

/// <summary>The availability group's objects in Kubernetes: its Lease, ConfigMap and pods. Reads come from watches, writes are compare-and-swap.</summary>
internal sealed class GroupStore
{
    private const string SuccessorAnnotation = "mssql.microsoft.com/successor";
    private const string ServerContainerName = "mssql-server";
    private const int ReleaseAttempts = 5;

    private readonly IKubernetesApi api;
    private readonly GroupSettings settings;
    private readonly string @namespace;
    private readonly TimeProvider time;
    private readonly ResourceCache<Lease> leases;
    private readonly ResourceCache<ConfigMap> configMaps;
    private readonly ResourceCache<Pod> pods;
    private readonly LeaseTracker tracker = new();
    private readonly Lock gate = new();
    private readonly string roleLabel;

    public GroupStore(
        IKubernetesApi api, GroupSettings settings, string @namespace, Action changed, TimeProvider time, Random random, ILogger logger)
    {
        this.api = api;
        this.settings = settings;
        this.@namespace = @namespace;
        this.time = time;
        roleLabel = $"role.ag.mssql.microsoft.com/{settings.Group}";
        var named = new ListOptions(FieldSelector: $"metadata.name={settings.Group}");
        leases = new ResourceCache<Lease>(api, KubernetesTypes.Leases, @namespace, named, time, new Random(random.Next()), logger);
        configMaps = new ResourceCache<ConfigMap>(api, KubernetesTypes.ConfigMaps, @namespace, named, time, new Random(random.Next()), logger);
        pods = new ResourceCache<Pod>(
            api, KubernetesTypes.Pods, @namespace, new ListOptions($"ag-service.mssql.microsoft.com/{settings.Group}"), time, new Random(random.Next()), logger);
        leases.Changed += () =>
        {
            var lease = leases.Find(@namespace, settings.Group);
            Note(lease);
            changed();
        };
        configMaps.Changed += changed;
        pods.Changed += changed;
    }

    /// <summary>Keeps the copies up to date until cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(
        leases.RunAsync(cancellationToken), configMaps.RunAsync(cancellationToken), pods.RunAsync(cancellationToken));

    public Sighting<LeaseView?> Lease()
    {
        if (!leases.IsSynced)
            return new Unreachable<LeaseView?>(leases.Failure ?? "not listed yet");
        lock (gate)
            return new Seen<LeaseView?>(tracker.View(time.Monotonic()));
    }

    public Sighting<GroupDirectory> Directory()
    {
        if (!configMaps.IsSynced || !pods.IsSynced)
            return new Unreachable<GroupDirectory>(configMaps.Failure ?? pods.Failure ?? "not listed yet");
        var data = configMaps.Find(@namespace, settings.Group)?.Data;
        if (data is null || !data.TryGetValue(GroupDocuments.MembersKey, out var members))
            return new Refused<GroupDirectory>($"ConfigMap {settings.Group} has no key '{GroupDocuments.MembersKey}' yet");
        try
        {
            return new Seen<GroupDirectory>(new GroupDirectory(
                GroupDocuments.ReadMembers(members),
                data.TryGetValue(GroupDocuments.GroupKey, out var creator) ? GroupDocuments.ReadCreator(creator) : null,
                pods.Items.Where(pod => pod.Metadata.Name is not null).ToDictionary(
                    pod => pod.Metadata.Name!, pod => new GroupPod(pod.Metadata.Name!, pod.Status?.PodIP, pod.Metadata.Label(roleLabel))),
                data.TryGetValue(GroupDocuments.RequestKey, out var request) ? GroupDocuments.ReadRequest(request) : null,
                data.TryGetValue(GroupDocuments.ResultKey, out var result) ? GroupDocuments.ReadResult(result) : null)
            {
                Replicas = data.TryGetValue(GroupDocuments.ReplicasKey, out var replicas) ? GroupDocuments.ReadReplicas(replicas) : null,
                Report = data.GetValueOrDefault(GroupDocuments.ReportKey),
            });
        }
        catch (InvalidDataException error)
        {
            return new Refused<GroupDirectory>($"ConfigMap {settings.Group}: {error.Message}");
        }
    }

    /// <summary>Status of the SQL Server container in the agent's own pod; null when it is not known.</summary>
    public ContainerStatus? ServerContainer()
    {
        var own = pods.Find(@namespace, settings.Identity.Pod);
        return own?.Metadata.Uid == settings.Identity.Uid
            ? own.Status?.ContainerStatuses?.FirstOrDefault(container => container.Name == ServerContainerName)
            : null;
    }

    public async Task AcquireAsync(string? resourceVersion, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (resourceVersion is null)
        {
            Note(await api.CreateAsync(KubernetesTypes.Leases, @namespace, new Lease
            {
                Metadata = new ObjectMeta { Name = settings.Group, Namespace = @namespace },
                Spec = new LeaseSpec
                {
                    HolderIdentity = settings.Identity.Holder,
                    LeaseDurationSeconds = Duration,
                    AcquireTime = now,
                    RenewTime = now,
                    LeaseTransitions = 0,
                },
            }, cancellationToken).ConfigureAwait(false));
            return;
        }

        var transitions = leases.Find(@namespace, settings.Group)?.Spec?.LeaseTransitions ?? 0;
        await SwapAsync(resourceVersion, null, new JsonObject
        {
            ["holderIdentity"] = settings.Identity.Holder,
            ["leaseDurationSeconds"] = Duration,
            ["acquireTime"] = MicroTime(now),
            ["renewTime"] = MicroTime(now),
            ["leaseTransitions"] = transitions + 1,
        }, cancellationToken).ConfigureAwait(false);
    }

    public Task RenewAsync(string resourceVersion, CancellationToken cancellationToken) => SwapAsync(
        resourceVersion, null, new JsonObject { ["renewTime"] = MicroTime(time.GetUtcNow()) }, cancellationToken, annotate: false);

    /// <summary>Gives the Lease up as it was when that was decided.</summary>
    /// <exception cref="KubernetesException">Conflict: it was changed in between.</exception>
    public Task ReleaseAsync(string resourceVersion, string successor, CancellationToken cancellationToken) => SwapAsync(
        resourceVersion,
        successor.Length == 0 ? null : successor,

        // Taken out, not emptied: newer API servers refuse an empty holder.
        new JsonObject { ["holderIdentity"] = null, ["renewTime"] = MicroTime(time.GetUtcNow()) },
        cancellationToken);

    /// <summary>Gives the Lease up in whatever version it is, if this agent holds it: renewals go on beside long work, and make new versions.</summary>
    /// <exception cref="KubernetesException">Conflict: somebody else holds it.</exception>
    public async Task ReleaseHeldAsync(string successor, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            LeaseView? view;
            lock (gate)
                view = tracker.View(time.Monotonic());
            if (view?.Holder != settings.Identity.Holder)
                throw new KubernetesException(KubernetesFailure.Conflict, $"The Lease {settings.Group} is not held by {settings.Identity.Pod} any more.");
            try
            {
                await ReleaseAsync(view.ResourceVersion, successor, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (KubernetesException error) when (error.Failure == KubernetesFailure.Conflict && attempt < ReleaseAttempts)
            {
                Note(await api.GetAsync(KubernetesTypes.Leases, @namespace, settings.Group, cancellationToken).ConfigureAwait(false));
            }
        }
    }

    /// <summary>Notes who creates the group, unless somebody was noted before.</summary>
    public async Task NoteCreatorAsync(string name, CancellationToken cancellationToken)
    {
        var map = await api.GetAsync(KubernetesTypes.ConfigMaps, @namespace, settings.Group, cancellationToken).ConfigureAwait(false)
            ?? throw new KubernetesException(KubernetesFailure.NotFound, $"ConfigMap {settings.Group} does not exist.");
        if (map.Data is not null && map.Data.TryGetValue(GroupDocuments.GroupKey, out var noted))
        {
            if (!string.Equals(GroupDocuments.ReadCreator(noted), name, StringComparison.OrdinalIgnoreCase))
                throw new KubernetesException(KubernetesFailure.Conflict, $"The group is created by {GroupDocuments.ReadCreator(noted)}, not by {name}.");
            return;
        }

        await SetAsync(GroupDocuments.GroupKey, GroupDocuments.WriteCreator(name, time.GetUtcNow()), map.Metadata.ResourceVersion, cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Publishes the replicas in the catalog. Without any the group is no more, and whoever comes may create it anew.</summary>
    public Task PublishReplicasAsync(IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        var data = new JsonObject { [GroupDocuments.ReplicasKey] = GroupDocuments.WriteReplicas(names) };
        if (names.Count == 0)
            data[GroupDocuments.GroupKey] = null;
        return api.MergePatchAsync(
            KubernetesTypes.ConfigMaps, @namespace, settings.Group, new JsonObject { ["data"] = data }, cancellationToken);
    }

    /// <summary>Answers a failover request.</summary>
    public Task AnswerAsync(FailoverResult result, CancellationToken cancellationToken) =>
        SetAsync(GroupDocuments.ResultKey, GroupDocuments.WriteResult(result, time.GetUtcNow()), null, cancellationToken);

    /// <summary>Writes the primary's report.</summary>
    public Task ReportAsync(string report, CancellationToken cancellationToken) =>
        SetAsync(GroupDocuments.ReportKey, report, null, cancellationToken);

    /// <summary>Sets or, with null, removes the role label of a pod.</summary>
    public async Task SetRoleLabelAsync(string pod, string? role, CancellationToken cancellationToken)
    {
        try
        {
            await api.MergePatchAsync(KubernetesTypes.Pods, @namespace, pod, new JsonObject
            {
                ["metadata"] = new JsonObject { ["labels"] = new JsonObject { [roleLabel] = role } },
            }, cancellationToken).ConfigureAwait(false);
        }
        catch (KubernetesException error) when (error.Failure == KubernetesFailure.NotFound)
        {
            // The pod is gone, and its label with it.
        }
    }

    private int Duration => (int)Math.Ceiling(settings.Timings.LeaseDuration.TotalSeconds);

    private static string MicroTime(DateTimeOffset value) =>
        value.UtcDateTime.ToString(MicroTimeConverter.Format, CultureInfo.InvariantCulture);

    private async Task SetAsync(string key, string value, string? resourceVersion, CancellationToken cancellationToken)
    {
        var patch = new JsonObject { ["data"] = new JsonObject { [key] = value } };
        if (resourceVersion is not null)
            patch["metadata"] = new JsonObject { ["resourceVersion"] = resourceVersion };
        await api.MergePatchAsync(KubernetesTypes.ConfigMaps, @namespace, settings.Group, patch, cancellationToken).ConfigureAwait(false);
    }

    private async Task SwapAsync(
        string resourceVersion, string? successor, JsonObject spec, CancellationToken cancellationToken, bool annotate = true)
    {
        var metadata = new JsonObject { ["resourceVersion"] = resourceVersion };
        if (annotate)
            metadata["annotations"] = new JsonObject { [SuccessorAnnotation] = successor };
        Note(await api.MergePatchAsync(
            KubernetesTypes.Leases, @namespace, settings.Group, new JsonObject { ["metadata"] = metadata, ["spec"] = spec }, cancellationToken)
            .ConfigureAwait(false));
    }

    private void Note(Lease? lease)
    {
        lock (gate)
            tracker.Saw(
                lease?.Metadata.ResourceVersion, lease?.Spec?.HolderIdentity, lease?.Metadata.Annotation(SuccessorAnnotation), time.Monotonic());
    }
}
