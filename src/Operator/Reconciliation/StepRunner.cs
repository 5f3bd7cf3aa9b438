using System.Text.Json.Nodes;
using Agents.Groups;
using Agents.Kubernetes;
using Agents.Operator.Manifests;
using Agents.Operator.Specs;
using Agents.Security;
using Microsoft.Extensions.Logging;

namespace Agents.Operator.Reconciliation;

/// <summary>Carries out steps. Running a step twice does no harm.</summary>
internal sealed partial class StepRunner
{
    /// <summary>
    /// How long an applied document is trusted to be still as applied when nothing is seen to have changed it. All of them are watched: this is for what
    /// a <see cref="Mark"/> does not tell.
    /// </summary>
    private static readonly TimeSpan Trust = TimeSpan.FromMinutes(15);

    private readonly IKubernetesApi api;
    private readonly TimeProvider time;
    private readonly PasswordGenerator passwords;
    private readonly ILogger logger;
    private readonly Dictionary<(string Kind, string Namespace, string Name), (string Hash, string Mark, long At)> applied = [];

    public StepRunner(IKubernetesApi api, TimeProvider time, PasswordGenerator passwords, ILogger logger)
    {
        this.api = api;
        this.time = time;
        this.passwords = passwords;
        this.logger = logger;
    }

    /// <param name="step">What to do.</param>
    /// <param name="snapshot">What was there when it was planned.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task RunAsync(Step step, Snapshot snapshot, CancellationToken cancellationToken)
    {
        switch (step)
        {
            case Step.CreateAgentLogin create:
                var login = SecretManifests.AgentLogin(create.Spec, passwords.Create());
                await CreateAsync(Resources.Secrets, create.Spec.Namespace, login, cancellationToken).ConfigureAwait(false);
                break;
            case Step.CreateMirroringCertificate create:
                var certificate = MirroringCertificate.Create(time.GetUtcNow(), passwords);
                var secret = SecretManifests.MirroringCertificate(create.Namespace, certificate, passwords.Create());
                await CreateAsync(Resources.Secrets, create.Namespace, secret, cancellationToken).ConfigureAwait(false);
                break;
            case Step.CreateJob create:
                await CreateAsync(Resources.Jobs, (string)create.Manifest["metadata"]!["namespace"]!, create.Manifest, cancellationToken)
                    .ConfigureAwait(false);
                break;
            case Step.DeleteJob delete:
                LogDelete(delete.Namespace, delete.Name, delete.Because);
                await DeleteAsync(Resources.Jobs, delete.Namespace, delete.Name, delete.Uid, cancellationToken).ConfigureAwait(false);
                break;
            case Step.RestartPod restart:
                LogRestart(restart.Namespace, restart.Name, restart.Because);
                await DeleteAsync(Resources.Pods, restart.Namespace, restart.Name, restart.Uid, cancellationToken).ConfigureAwait(false);
                break;
            case Step.SetFinalizers set:
                await SetFinalizersAsync(set, cancellationToken).ConfigureAwait(false);
                break;
            case Step.DeleteService delete:
                LogDeleteService(delete.Namespace, delete.Name);
                await DeleteAsync(Resources.Services, delete.Namespace, delete.Name, delete.Uid, cancellationToken).ConfigureAwait(false);
                break;
            case Step.GrowVolume grow:
                await GrowAsync(grow, cancellationToken).ConfigureAwait(false);
                break;
            case Step.ReplaceStatefulSet replace:
                LogReplace(replace.Namespace, replace.Name);
                await DeleteAsync(Resources.StatefulSets, replace.Namespace, replace.Name, replace.Uid, cancellationToken, orphan: true).ConfigureAwait(false);
                break;
            case Step.RequestFailover request:
                await RequestFailoverAsync(request, snapshot, cancellationToken).ConfigureAwait(false);
                break;
            case Step.Apply apply:
                await ApplyAsync(apply.Manifest, snapshot.Find(apply.Manifest), cancellationToken).ConfigureAwait(false);
                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    /// <summary>What changes when somebody else changes what we applied.</summary>
    private static string Mark(JsonObject? current) => (string?)current?["kind"] switch
    {
        null => string.Empty,
        "ConfigMap" when current["metadata"]?["labels"]?[Names.GroupLabel] is not null => ContentHash.Of(new JsonObject
        {
            ["data"] = current["data"]?[GroupConfigMapManifest.MembersKey]?.DeepClone(),
            ["owners"] = current["metadata"]?["ownerReferences"]?.DeepClone(),
        }),
        "StatefulSet" or "PodDisruptionBudget" => $"{current["metadata"]?["uid"]} {current["metadata"]?["generation"]}",
        _ => $"{current["metadata"]?["uid"]} {current["metadata"]?["resourceVersion"]}",
    };

    private async Task CreateAsync(ResourceType<JsonObject> type, string @namespace, JsonObject manifest, CancellationToken cancellationToken)
    {
        try
        {
            await api.CreateAsync(type, @namespace, (JsonObject)manifest.DeepClone(), cancellationToken).ConfigureAwait(false);
            LogCreated(type.Kind, @namespace, (string?)manifest["metadata"]?["name"]);
        }
        catch (KubernetesException error) when (error.Failure == KubernetesFailure.AlreadyExists)
        {
            // Made in an earlier turn that this one has not seen yet.
        }
    }

    private async Task RequestFailoverAsync(Step.RequestFailover request, Snapshot snapshot, CancellationToken cancellationToken)
    {
        // By the version that was planned on: whoever asks in between goes first.
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["resourceVersion"] = snapshot.Find("ConfigMap", request.Namespace, request.Group)?["metadata"]?["resourceVersion"]?.DeepClone(),
            },
            ["data"] = new JsonObject
            {
                [GroupDocuments.RequestKey] = GroupDocuments.WriteRequest(
                    new FailoverRequest(request.Id, request.Target, AllowDataLoss: false), time.GetUtcNow()),
            },
        };
        try
        {
            await api.MergePatchAsync(Resources.ConfigMaps, request.Namespace, request.Group, patch, cancellationToken).ConfigureAwait(false);
            LogFailover(request.Namespace, request.Group, request.Because);
        }
        catch (KubernetesException error) when (error.Failure == KubernetesFailure.Conflict)
        {
            // The next turn sees what is new.
        }
    }

    private async Task DeleteAsync(
        ResourceType<JsonObject> type, string @namespace, string name, string uid, CancellationToken cancellationToken, bool orphan = false)
    {
        try
        {
            await api.DeleteAsync(type, @namespace, name, cancellationToken, new DeleteOptions(Uid: uid, Orphan: orphan)).ConfigureAwait(false);
        }
        catch (KubernetesException error) when (error.Failure is KubernetesFailure.Conflict or KubernetesFailure.NotFound)
        {
            // The one that was meant is gone already.
        }
    }

    private async Task SetFinalizersAsync(Step.SetFinalizers set, CancellationToken cancellationToken)
    {
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["resourceVersion"] = set.ResourceVersion, ["finalizers"] = Json.Strings(set.Finalizers) },
        };
        try
        {
            await api.MergePatchAsync(Resources.SqlServers, set.Namespace, set.Name, patch, cancellationToken).ConfigureAwait(false);
            if (set.Because.Length > 0)
                LogLetGo(set.Namespace, set.Name, set.Because);
        }
        catch (KubernetesException error) when (error.Failure is KubernetesFailure.Conflict or KubernetesFailure.NotFound)
        {
            // It has changed since it was seen; the next turn sees it as it is.
        }
    }

    private async Task GrowAsync(Step.GrowVolume grow, CancellationToken cancellationToken)
    {
        var requests = new JsonObject { ["storage"] = grow.Storage };
        var patch = new JsonObject { ["spec"] = new JsonObject { ["resources"] = new JsonObject { ["requests"] = requests } } };
        try
        {
            await api.MergePatchAsync(Resources.Claims, grow.Namespace, grow.Claim, patch, cancellationToken).ConfigureAwait(false);
            LogGrow(grow.Namespace, grow.Claim, grow.Storage);
        }
        catch (KubernetesException error) when (error.Failure == KubernetesFailure.NotFound)
        {
            // It will be made as large as it should be.
        }
    }

    private async Task ApplyAsync(JsonObject manifest, JsonObject? current, CancellationToken cancellationToken)
    {
        var type = Resources.Of(manifest);
        var @namespace = (string)manifest["metadata"]!["namespace"]!;
        var name = (string)manifest["metadata"]!["name"]!;
        var hash = ContentHash.Of(manifest);
        if (applied.TryGetValue((type.Kind, @namespace, name), out var last) && last.Hash == hash && last.Mark == Mark(current)
            && time.GetElapsedTime(last.At) < Trust)
            return;
        var result = await api.ApplyAsync(type, @namespace, name, manifest, Names.FieldManager, cancellationToken).ConfigureAwait(false);
        applied[(type.Kind, @namespace, name)] = (hash, Mark(result), time.GetTimestamp());
        if (last.Hash != hash)
            LogApplied(type.Kind, @namespace, name);
    }

    [LoggerMessage(LogLevel.Information, "Created {Kind} {Namespace}/{Name}")]
    private partial void LogCreated(string kind, string @namespace, string? name);

    [LoggerMessage(LogLevel.Information, "Applied {Kind} {Namespace}/{Name}")]
    private partial void LogApplied(string kind, string @namespace, string name);

    [LoggerMessage(LogLevel.Information, "Deleting Job {Namespace}/{Name}: {Because}")]
    private partial void LogDelete(string @namespace, string name, string because);

    [LoggerMessage(LogLevel.Information, "SqlServer {Namespace}/{Name} may go: {Because}")]
    private partial void LogLetGo(string @namespace, string name, string because);

    [LoggerMessage(LogLevel.Information, "Asking for a failover of {Namespace}/{Group}: {Because}")]
    private partial void LogFailover(string @namespace, string group, string because);

    [LoggerMessage(LogLevel.Information, "Restarting pod {Namespace}/{Name}: {Because}")]
    private partial void LogRestart(string @namespace, string name, string because);

    [LoggerMessage(LogLevel.Information, "Deleting Service {Namespace}/{Name}: the SqlServer no longer asks for it")]
    private partial void LogDeleteService(string @namespace, string name);

    [LoggerMessage(LogLevel.Information, "Claim {Namespace}/{Name} may grow to {Storage}")]
    private partial void LogGrow(string @namespace, string name, string storage);

    [LoggerMessage(LogLevel.Information, "Replacing StatefulSet {Namespace}/{Name}, whose pod goes on: its claim template has changed")]
    private partial void LogReplace(string @namespace, string name);
}
