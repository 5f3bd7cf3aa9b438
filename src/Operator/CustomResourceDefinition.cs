using System.Globalization;
using System.Text.Json.Nodes;
using Agents.Kubernetes;
using Agents.Operator.Reconciliation;
using Microsoft.Extensions.Logging;

namespace Agents.Operator;

/// <summary>Registers <c>sqlservers.mssql.microsoft.com</c> and waits until the API server serves it.</summary>
internal sealed partial class CustomResourceDefinition
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);
    private readonly IKubernetesApi api;
    private readonly IReadOnlyList<string?> namespaces;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    /// <param name="api">The API server.</param>
    /// <param name="namespaces">Where SqlServers are watched.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told what is waited for.</param>
    public CustomResourceDefinition(IKubernetesApi api, IReadOnlyList<string?> namespaces, TimeProvider time, ILogger logger)
    {
        this.api = api;
        this.namespaces = namespaces;
        this.time = time;
        this.logger = logger;
    }

    /// <summary>The definition of <c>deploy/crds</c>, which every server takes.</summary>
    public static JsonObject Document() => (JsonObject)Read("sqlservers.json");

    /// <summary>The definition of <c>deploy/crds-cel</c>: with rules in CEL, which Kubernetes has from 1.25 on.</summary>
    public static JsonObject DocumentWithRules()
    {
        var document = Document();
        foreach (var operation in Read("rules.json").AsArray())
        {
            var path = ((string)operation!["path"]!).Split('/')[1..];
            JsonNode target = document;
            foreach (var step in path[..^1])
                target = target is JsonArray list ? list[int.Parse(step, CultureInfo.InvariantCulture)]! : target[step]!;
            target[path[^1]] = operation["value"]!.DeepClone();
        }

        return document;
    }

    /// <summary>Fields that <paramref name="wanted"/> has and <paramref name="found"/> has not: the API server would drop them without a word.</summary>
    public static IReadOnlyList<string> Missing(JsonObject wanted, JsonObject found) => [.. Missing(SchemaOf(wanted), SchemaOf(found), string.Empty)];

    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        var document = DocumentWithRules();
        var name = (string)document["metadata"]!["name"]!;
        string? said = null;
        for (var applied = false; ;)
        {
            try
            {
                if (!applied)
                    applied = await WriteAsync(document, name, cancellationToken).ConfigureAwait(false);
                var current = await api.GetAsync(Resources.Definitions, null, name, cancellationToken).ConfigureAwait(false);
                if (current is not null && SqlServerPlanner.Condition(current, "Established") is not null)
                {
                    var missing = Missing(document, current);
                    if (missing.Count == 0)
                    {
                        LogEstablished(name);
                        return;
                    }

                    var why = string.Join(", ", missing);
                    if (said != why)
                        LogOutdated(name, why);
                    said = why;
                }

                applied &= current is not null;
            }
            catch (KubernetesException error)
            {
                if (error.Failure == KubernetesFailure.Forbidden && await IsServedAsync(cancellationToken).ConfigureAwait(false))
                {
                    LogUnread(name, error.Message);
                    return;
                }

                if (said != error.Message)
                    LogFailure(name, error.Failure, error.Message);
                said = error.Message;
            }

            await Task.Delay(Retry, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static JsonObject? SchemaOf(JsonObject definition) => (JsonObject?)(definition["spec"]?["versions"] as JsonArray ?? [])
        .FirstOrDefault(version => $"{(string?)definition["spec"]?["group"]}/{(string?)version?["name"]}" == Names.ApiVersion)?["schema"]?["openAPIV3Schema"];

    private static IEnumerable<string> Missing(JsonObject? wanted, JsonObject? found, string path)
    {
        foreach (var (name, schema) in wanted?["properties"] as JsonObject ?? [])
        {
            var inner = path.Length == 0 ? name : $"{path}.{name}";
            if (found?["properties"]?[name] is not JsonObject present)
                yield return inner;
            else
                foreach (var missing in Missing(schema as JsonObject, present, inner))
                    yield return missing;
        }
    }

    /// <summary>Whether SqlServers are served where this service account has rights, when it has them in some namespaces only.</summary>
    private async Task<bool> IsServedAsync(CancellationToken cancellationToken)
    {
        if (namespaces[0] is not { } first)
            return false;
        try
        {
            await api.ListAsync(Resources.SqlServers, first, ListOptions.All, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (KubernetesException)
        {
            return false;
        }
    }

    private static JsonNode Read(string resource)
    {
        using var stream = typeof(CustomResourceDefinition).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"{resource} is missing from the executable.");
        return JsonNode.Parse(stream)!;
    }

    private async Task<bool> WriteAsync(JsonObject document, string name, CancellationToken cancellationToken)
    {
        try
        {
            await PutAsync(document, name, cancellationToken).ConfigureAwait(false);
        }
        catch (KubernetesException error) when (error.Failure == KubernetesFailure.Forbidden)
        {
            // Whoever installs the CRD separately need not give the operator this right.
            LogForbidden(name, error.Message);
        }
        catch (KubernetesException error) when (error.Failure == KubernetesFailure.Invalid)
        {
            LogRules(name, error.Message);
            await PutAsync(Document(), name, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>
    /// A server that does not know rules leaves them out of what it creates and merges. Server-side apply, which is not used here for that reason,
    /// is refused whole.
    /// </summary>
    private async Task PutAsync(JsonObject document, string name, CancellationToken cancellationToken)
    {
        if (await api.GetAsync(Resources.Definitions, null, name, cancellationToken).ConfigureAwait(false) is null)
            await api.CreateAsync(Resources.Definitions, null, (JsonObject)document.DeepClone(), cancellationToken).ConfigureAwait(false);
        else
            await api.MergePatchAsync(
                Resources.Definitions, null, name, new JsonObject { ["spec"] = document["spec"]!.DeepClone() }, cancellationToken).ConfigureAwait(false);
    }

    [LoggerMessage(LogLevel.Information, "CRD {Name} is established")]
    private partial void LogEstablished(string name);

    [LoggerMessage(LogLevel.Warning, "CRD {Name}: {Failure}: {Message}; trying again")]
    private partial void LogFailure(string name, KubernetesFailure failure, string message);

    [LoggerMessage(LogLevel.Warning, "CRD {Name} may not be applied by this service account and must be there already: {Message}")]
    private partial void LogForbidden(string name, string message);

    [LoggerMessage(LogLevel.Warning, "CRD {Name} may not be read by this service account; SqlServers are served, and it is taken for new enough: {Message}")]
    private partial void LogUnread(string name, string message);

    [LoggerMessage(LogLevel.Error, "CRD {Name} is too old, and may not be applied by this service account. Apply deploy/crds; it lacks: {Missing}")]
    private partial void LogOutdated(string name, string missing);

    [LoggerMessage(LogLevel.Warning, "CRD {Name} is registered without its rules, which the API server refuses: {Message}")]
    private partial void LogRules(string name, string message);
}
