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
    private readonly TimeProvider time;
    private readonly ILogger logger;

    public CustomResourceDefinition(IKubernetesApi api, TimeProvider time, ILogger logger)
    {
        this.api = api;
        this.time = time;
        this.logger = logger;
    }

    /// <summary>The definition that is also in <c>deploy/crds</c>.</summary>
    public static JsonObject Document()
    {
        using var stream = typeof(CustomResourceDefinition).Assembly.GetManifestResourceStream("sqlservers.json")
            ?? throw new InvalidOperationException("The CRD is missing from the executable.");
        return (JsonObject)JsonNode.Parse(stream)!;
    }

    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        var document = Document();
        var name = (string)document["metadata"]!["name"]!;
        string? said = null;
        for (var applied = false; ;)
        {
            try
            {
                if (!applied)
                    applied = await ApplyAsync(document, name, cancellationToken).ConfigureAwait(false);
                var current = await api.GetAsync(Resources.Definitions, null, name, cancellationToken).ConfigureAwait(false);
                if (current is not null && SqlServerPlanner.Condition(current, "Established") is not null)
                {
                    LogEstablished(name);
                    return;
                }

                applied &= current is not null;
            }
            catch (KubernetesException error)
            {
                if (said != error.Message)
                    LogFailure(name, error.Failure, error.Message);
                said = error.Message;
            }

            await Task.Delay(Retry, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<bool> ApplyAsync(JsonObject document, string name, CancellationToken cancellationToken)
    {
        try
        {
            await api.ApplyAsync(Resources.Definitions, null, name, document, Names.FieldManager, cancellationToken).ConfigureAwait(false);
        }
        catch (KubernetesException error) when (error.Failure == KubernetesFailure.Forbidden)
        {
            // Whoever installs the CRD separately need not give the operator this right.
            LogForbidden(name, error.Message);
        }

        return true;
    }

    [LoggerMessage(LogLevel.Information, "CRD {Name} is established")]
    private partial void LogEstablished(string name);

    [LoggerMessage(LogLevel.Warning, "CRD {Name}: {Failure}: {Message}; trying again")]
    private partial void LogFailure(string name, KubernetesFailure failure, string message);

    [LoggerMessage(LogLevel.Warning, "CRD {Name} may not be applied by this service account and must be there already: {Message}")]
    private partial void LogForbidden(string name, string message);
}
