using Agents.Sql;

namespace Agents.InitSql;

/// <summary>How an instance shall be.</summary>
/// <param name="ServerName">Name of the server, of the pod and of the replica.</param>
/// <param name="AgentLogin">The agents' login.</param>
/// <param name="Certificate">DER of the certificate of the mirroring endpoint.</param>
/// <param name="PrivateKey">Its private key, as PVK.</param>
/// <param name="PrivateKeyPassword">Password of the private key.</param>
/// <param name="MasterKeyPassword">Password of the master key of master.</param>
internal sealed record DesiredInstance(
    string ServerName, SqlLogin AgentLogin, byte[] Certificate, SqlSecretBytes PrivateKey, SqlSecret PrivateKeyPassword, SqlSecret MasterKeyPassword)
{
    public const string CertificateName = "dbm_certificate";
    public const string EndpointName = "dbm_endpoint";
    public const int EndpointPort = 5022;

    /// <summary>
    /// What an AG agent does: read the state of groups and databases, create, join and alter groups, take seeded databases in, and look
    /// after the endpoint. Nothing that reads users' data.
    /// </summary>
    public static IReadOnlyList<ServerPermission> Permissions { get; } =
    [
        new("VIEW SERVER STATE", SqlText.Of($"VIEW SERVER STATE")),
        new("VIEW ANY DEFINITION", SqlText.Of($"VIEW ANY DEFINITION")),
        new("CREATE AVAILABILITY GROUP", SqlText.Of($"CREATE AVAILABILITY GROUP")),
        new("ALTER ANY AVAILABILITY GROUP", SqlText.Of($"ALTER ANY AVAILABILITY GROUP")),
        new("CREATE ANY DATABASE", SqlText.Of($"CREATE ANY DATABASE")),
        new("ALTER ANY DATABASE", SqlText.Of($"ALTER ANY DATABASE")),
        new("ALTER ANY ENDPOINT", SqlText.Of($"ALTER ANY ENDPOINT")),
    ];

    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static DesiredInstance Read(InitSqlOptions options, SqlLogin agentLogin)
    {
        byte[] Bytes(string key) => File.ReadAllBytes(Path.Combine(options.CertificateDirectory, key));
        SqlSecret Text(string key) => new(File.ReadAllText(Path.Combine(options.CertificateDirectory, key)));
        return new DesiredInstance(
            options.ServerName, agentLogin, Bytes("certificate"), new SqlSecretBytes(Bytes("private-key")), Text("private-key-password"),
            Text("master-key-password"));
    }
}

/// <summary>A server permission.</summary>
/// <param name="Name">As <c>sys.server_permissions</c> names it.</param>
/// <param name="Text">As GRANT spells it.</param>
internal sealed record ServerPermission(string Name, SqlText Text);
