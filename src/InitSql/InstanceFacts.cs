using Agents.Sql;

namespace Agents.InitSql;

/// <summary>How an instance is.</summary>
internal sealed record InstanceFacts
{
    public required string ServerName { get; init; }

    public required bool HadrEnabled { get; init; }

    public required LoginState AgentLogin { get; init; }

    /// <summary>Server permissions granted to the agents' login.</summary>
    public IReadOnlyCollection<string> Permissions { get; init; } = [];

    public required bool HasMasterKey { get; init; }

    public CertificateFacts? Certificate { get; init; }

    public EndpointFacts? Endpoint { get; init; }
}

/// <summary>The agents' login.</summary>
internal enum LoginState
{
    Absent,

    /// <summary>It exists, and a connection with the password from the Secret was declined.</summary>
    WrongPassword,

    Disabled,

    Works,
}

/// <summary>Certificate <c>dbm_certificate</c> in master.</summary>
/// <param name="Encoded">Its DER, or null when it may not be seen.</param>
/// <param name="HasUsableKey">Its private key is there and protected by the master key.</param>
internal sealed record CertificateFacts(byte[]? Encoded, bool HasUsableKey);

/// <summary>The one database mirroring endpoint that an instance can have.</summary>
internal sealed record EndpointFacts(string Name, int Port, bool Started, string? Certificate);

/// <summary>Reads the facts as sa.</summary>
internal static class InstanceObserver
{
    public static async Task<InstanceFacts> ObserveAsync(
        ISqlInstance sa, ISqlInstance agent, string agentLogin, TimeSpan timeout, CancellationToken cancellationToken)
    {
        async Task<IReadOnlyList<SqlRow>> Rows(SqlText query) =>
            (await sa.QueryAsync(query, timeout, cancellationToken).ConfigureAwait(false))[0].Rows;

        var server = (await Rows(SqlText.Of(
            $"SELECT @@SERVERNAME AS server_name, CAST(SERVERPROPERTY('IsHadrEnabled') AS int) AS is_hadr_enabled;")).ConfigureAwait(false))[0];
        var login = await Rows(SqlText.Of(
            $"SELECT name, is_disabled FROM sys.server_principals WHERE name = {agentLogin} AND type = 'S';")).ConfigureAwait(false);
        var permissions = await Rows(SqlText.Of($"""
            SELECT p.permission_name FROM sys.server_permissions AS p
            JOIN sys.server_principals AS l ON l.principal_id = p.grantee_principal_id
            WHERE l.name = {agentLogin} AND p.class = 100 AND p.state IN ('G', 'W');
            """)).ConfigureAwait(false);
        var keys = await Rows(SqlText.Of($"SELECT name FROM sys.symmetric_keys WHERE name = '##MS_DatabaseMasterKey##';")).ConfigureAwait(false);
        var certificates = await Rows(SqlText.Of($"""
            SELECT CERTENCODED(CERT_ID({DesiredInstance.CertificateName})) AS encoded, pvt_key_encryption_type
            FROM sys.certificates WHERE name = {DesiredInstance.CertificateName};
            """)).ConfigureAwait(false);
        var endpoints = await Rows(SqlText.Of($"""
            SELECT e.name, e.state, t.port, c.name AS certificate_name
            FROM sys.database_mirroring_endpoints AS e
            JOIN sys.tcp_endpoints AS t ON t.endpoint_id = e.endpoint_id
            LEFT JOIN sys.certificates AS c ON c.certificate_id = e.certificate_id;
            """)).ConfigureAwait(false);
        return new InstanceFacts
        {
            ServerName = server.TextOrNull("server_name") ?? string.Empty,
            HadrEnabled = server.NumberOrNull("is_hadr_enabled") == 1,
            AgentLogin = login.Count == 0 ? LoginState.Absent
                : login[0].Flag("is_disabled") ? LoginState.Disabled
                : await CanLogInAsync(agent, timeout, cancellationToken).ConfigureAwait(false) ? LoginState.Works : LoginState.WrongPassword,
            Permissions = [.. permissions.Select(row => row.Text("permission_name"))],
            HasMasterKey = keys.Count > 0,
            Certificate = certificates.Count == 0 ? null
                : new CertificateFacts(certificates[0]["encoded"] as byte[], certificates[0].TextOrNull("pvt_key_encryption_type")?.Trim() == "MK"),
            Endpoint = endpoints.Count == 0 ? null
                : new EndpointFacts(
                    endpoints[0].Text("name"), (int)endpoints[0].Number("port"), endpoints[0].Number("state") == 0,
                    endpoints[0].TextOrNull("certificate_name")),
        };
    }

    private static async Task<bool> CanLogInAsync(ISqlInstance agent, TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            await agent.QueryAsync(SqlText.Of($"SELECT 1 AS one;"), timeout, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (SqlInstanceException error) when (error.Failure == SqlFailure.LoginFailed)
        {
            return false;
        }
    }
}
