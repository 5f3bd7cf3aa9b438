using System.Text;
using System.Text.Json.Nodes;
using Agents.Hosting;
using Agents.Kubernetes;
using Agents.Sql;
using Microsoft.Extensions.Logging;

namespace Agents.RotateCreds;

/// <summary>How rotate-creds ended.</summary>
internal sealed record Outcome(int ExitCode, string Message);

/// <summary>
/// Rotates the credentials of one instance: first in the instance, then in the Secret. A run that was cut off in between is completed by
/// the next one. It needs only the rights that the preview's users gave this Job: Secrets get and update, pods list, StatefulSets get.
/// </summary>
internal sealed partial class Rotation
{
    private const string PasswordVariable = "MSSQL_SA_PASSWORD";
    private const string PreviousSuffix = ".previous";
    private const int SecretAttempts = 5;

    private static readonly ResourceType<JsonObject> StatefulSets = KubernetesTypes.Untyped("apps", "v1", "statefulsets", "StatefulSet", true);
    private static readonly ResourceType<JsonObject> Secrets = KubernetesTypes.Untyped("", "v1", "secrets", "Secret", true);
    private static readonly ResourceType<JsonObject> Pods = KubernetesTypes.Untyped("", "v1", "pods", "Pod", true);

    private readonly RotateCredsOptions options;
    private readonly IKubernetesApi api;
    private readonly Func<string, SqlLogin, ISqlInstance> connect;
    private readonly ILogger logger;

    public Rotation(RotateCredsOptions options, IKubernetesApi api, Func<string, SqlLogin, ISqlInstance> connect, ILogger logger)
    {
        this.options = options;
        this.api = api;
        this.connect = connect;
        this.logger = logger;
    }

    public async Task<Outcome> RunAsync(CancellationToken cancellationToken)
    {
        if (options.RotateCertificate)
            return Refuse("MSSQL_ROTATE_CERT: rotating the certificate of the endpoints is not supported. Run the Job without it for the passwords.");
        if (options.NewSaPassword is null && options.NewMasterKeyPassword is null)
            return Refuse("there is nothing to rotate: set MSSQL_K8S_NEW_SA_PASSWORD or MSSQL_K8S_MASTER_KEY_PASSWORD.");
        var set = await api.GetAsync(StatefulSets, options.Namespace, options.SqlServer, cancellationToken).ConfigureAwait(false);
        if (set is null)
            return Refuse($"there is no instance {options.SqlServer} in namespace {options.Namespace}.");
        if (SecretOf(set["spec"]?["template"]?["spec"]) is not { } reference)
            return Refuse($"StatefulSet {options.SqlServer} does not take {PasswordVariable} from a Secret.");
        var secret = await api.GetAsync(Secrets, options.Namespace, reference.Name, cancellationToken).ConfigureAwait(false);
        if (secret is null)
            return Refuse($"Secret {reference.Name} does not exist.");
        if (secret["immutable"] is JsonValue immutable && immutable.GetValueKind() == System.Text.Json.JsonValueKind.True)
            return Refuse($"Secret {reference.Name} is immutable.");
        var pods = await api.ListAsync(Pods, options.Namespace, ListOptions.All, cancellationToken).ConfigureAwait(false);
        var pod = pods.Items.FirstOrDefault(item => (string?)item["metadata"]?["name"] == $"{options.SqlServer}-0");
        if ((string?)pod?["status"]?["podIP"] is not { Length: > 0 } host)
            return Refuse($"pod {options.SqlServer}-0 does not run.");
        var old = new List<SqlSecret> { options.CurrentSaPassword };
        if (Decode(secret, reference.Key + PreviousSuffix) is { } previous)
            old.Add(new SqlSecret(previous));
        return await RotateAsync(host, reference, old, Sharers(pods.Items, reference), cancellationToken).ConfigureAwait(false);
    }

    private static Outcome Refuse(string why) => new(ExitCodes.Refused, $"Refused, nothing was changed: {why}");

    private static (string Name, string Key)? SecretOf(JsonNode? pod)
    {
        var container = (pod?["containers"] as JsonArray ?? []).FirstOrDefault(item => (string?)item?["name"] == "mssql-server");
        var variable = (container?["env"] as JsonArray ?? []).FirstOrDefault(item => (string?)item?["name"] == PasswordVariable);
        var source = variable?["valueFrom"]?["secretKeyRef"];
        return (string?)source?["name"] is { } name && (string?)source?["key"] is { } key ? (name, key) : null;
    }

    private string[] Sharers(IEnumerable<JsonObject> pods, (string Name, string Key) reference) =>
    [
        .. from pod in pods
           let name = (string?)pod["metadata"]?["name"]
           where name != $"{options.SqlServer}-0" && SecretOf(pod["spec"]) == reference
           select name,
    ];

    private static string? Decode(JsonObject secret, string key) =>
        (string?)secret["data"]?[key] is { Length: > 0 } text ? Encoding.UTF8.GetString(Convert.FromBase64String(text)) : null;

    /// <param name="host">Where the instance is.</param>
    /// <param name="reference">The key that holds the password of sa.</param>
    /// <param name="old">
    /// Passwords to try. Instances may share the Secret: once the first is rotated, the Secret holds the new password, and the others still take
    /// the one before, which is kept beside it for that.
    /// </param>
    /// <param name="sharers">Pods of other instances with the same Secret.</param>
    /// <param name="cancellationToken">Gives up.</param>
    private async Task<Outcome> RotateAsync(
        string host, (string Name, string Key) reference, IReadOnlyList<SqlSecret> old, string[] sharers, CancellationToken cancellationToken)
    {
        var changed = false;
        try
        {
            var inForce = connect(host, new SqlLogin("sa", options.CurrentSaPassword));
            if (options.NewSaPassword is { } password)
            {
                var renewed = connect(host, new SqlLogin("sa", password));
                if (await AcceptsAsync(renewed, cancellationToken).ConfigureAwait(false))
                {
                    LogInForce(options.SqlServer);
                }
                else if (await FirstAsync(host, old, cancellationToken).ConfigureAwait(false) is not { } current)
                {
                    return Refuse($"{options.SqlServer} declines the current password of sa, and the new one too.");
                }
                else
                {
                    await current.QueryAsync(SqlText.Of($"ALTER LOGIN [sa] WITH PASSWORD = {password};"), options.QueryTimeout, cancellationToken)
                        .ConfigureAwait(false);
                    changed = true;
                    LogAltered(options.SqlServer);
                    if (!await AcceptsAsync(renewed, cancellationToken).ConfigureAwait(false))
                        return new Outcome(ExitCodes.Failed, $"{options.SqlServer} took the new password of sa but declines it; the Secret was not changed.");
                }

                changed = true;
                await UpdateSecretAsync(reference, password, keepPrevious: sharers.Length > 0, cancellationToken).ConfigureAwait(false);
                if (sharers.Length > 0)
                    LogShared(reference.Name, reference.Key, string.Join(", ", sharers));
                inForce = renewed;
            }

            if (options.NewMasterKeyPassword is { } masterKey)
            {
                await inForce.QueryAsync(
                    SqlText.Of($"ALTER MASTER KEY REGENERATE WITH ENCRYPTION BY PASSWORD = {masterKey};"), options.QueryTimeout, cancellationToken)
                    .ConfigureAwait(false);
                LogMasterKey(options.SqlServer);
            }

            return new Outcome(ExitCodes.Done, $"The credentials of {options.SqlServer} are rotated.");
        }
        catch (SqlInstanceException error) when (!changed && error.Failure is SqlFailure.Statement or SqlFailure.LoginFailed)
        {
            return Refuse(error.Message);
        }
        catch (SqlInstanceException error)
        {
            return new Outcome(ExitCodes.Failed, $"{error.Message} Run the Job again to complete the rotation.");
        }
        catch (KubernetesException error)
        {
            var state = changed ? "The new password is in force, but the Secret does not hold it yet. " : string.Empty;
            return new Outcome(ExitCodes.Failed, $"{error.Message} {state}Run the Job again to complete the rotation.");
        }
    }

    private async Task<ISqlInstance?> FirstAsync(string host, IReadOnlyList<SqlSecret> passwords, CancellationToken cancellationToken)
    {
        foreach (var password in passwords)
        {
            var instance = connect(host, new SqlLogin("sa", password));
            if (await AcceptsAsync(instance, cancellationToken).ConfigureAwait(false))
                return instance;
        }

        return null;
    }

    private async Task<bool> AcceptsAsync(ISqlInstance instance, CancellationToken cancellationToken)
    {
        try
        {
            await instance.QueryAsync(SqlText.Of($"SELECT 1 AS one;"), options.QueryTimeout, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (SqlInstanceException error) when (error.Failure == SqlFailure.LoginFailed && error.Has(18456))
        {
            return false;
        }
    }

    private async Task UpdateSecretAsync(
        (string Name, string Key) reference, SqlSecret password, bool keepPrevious, CancellationToken cancellationToken)
    {
        var value = Convert.ToBase64String(Encoding.UTF8.GetBytes(password.Reveal()));
        for (var attempt = 1; ; attempt++)
        {
            var secret = await api.GetAsync(Secrets, options.Namespace, reference.Name, cancellationToken).ConfigureAwait(false)
                ?? throw new KubernetesException(KubernetesFailure.NotFound, $"Secret {reference.Name} does not exist any more.");
            if ((string?)secret["data"]?[reference.Key] == value)
            {
                LogSecretHolds(reference.Name, reference.Key);
                return;
            }

            if (secret["data"] is not JsonObject data)
                secret["data"] = data = [];
            if (keepPrevious && (string?)data[reference.Key] is { Length: > 0 } previous)
                data[reference.Key + PreviousSuffix] = previous;
            else
                data.Remove(reference.Key + PreviousSuffix);
            data[reference.Key] = value;
            try
            {
                // A compare-and-swap: the document carries the version that was read.
                await api.ReplaceAsync(Secrets, options.Namespace, reference.Name, secret, cancellationToken).ConfigureAwait(false);
                LogSecretUpdated(reference.Name, reference.Key);
                return;
            }
            catch (KubernetesException error) when (error.Failure == KubernetesFailure.Conflict && attempt < SecretAttempts)
            {
                // Somebody else changed another key; read again.
            }
        }
    }

    [LoggerMessage(LogLevel.Information, "{Instance}: the new password of sa is in force already")]
    private partial void LogInForce(string instance);

    [LoggerMessage(LogLevel.Information, "{Instance}: the password of sa is changed")]
    private partial void LogAltered(string instance);

    [LoggerMessage(LogLevel.Information, "{Instance}: the master key of master is regenerated and protected by its new password")]
    private partial void LogMasterKey(string instance);

    [LoggerMessage(LogLevel.Information, "Secret {Secret}, key {Key}: updated")]
    private partial void LogSecretUpdated(string secret, string key);

    [LoggerMessage(LogLevel.Information, "Secret {Secret}, key {Key}: holds the new password already")]
    private partial void LogSecretHolds(string secret, string key);

    [LoggerMessage(LogLevel.Warning, "Secret {Secret}, key {Key} is also the one of {Pods}: rotate these to the same password too; until then it keeps the one before as well")]
    private partial void LogShared(string secret, string key, string pods);
}
