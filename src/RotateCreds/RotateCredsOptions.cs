using Agents.Hosting;
using Agents.Kubernetes;
using Agents.Sql;

namespace Agents.RotateCreds;

/// <summary>Configuration of rotate-creds.</summary>
internal sealed record RotateCredsOptions
{
    private static readonly EnvironmentVariable Instance =
        new("MSSQL_K8S_SQL_SERVER_NAME", "name of the SqlServer", Alias: "MSSQL_K8S_STATEFULSET_NAME");

    private static readonly EnvironmentVariable Current =
        new("MSSQL_K8S_CURRENT_SA_PASSWORD", "current password of sa", Alias: "MSSQL_K8S_SA_PASSWORD");

    private static readonly EnvironmentVariable NewSaPasswordVariable = new("MSSQL_K8S_NEW_SA_PASSWORD", "new password of sa", "");

    private static readonly EnvironmentVariable NewMasterKeyPasswordVariable =
        new("MSSQL_K8S_MASTER_KEY_PASSWORD", "new password of the master key of master", "");

    private static readonly EnvironmentVariable RotateCertificateVariable =
        new("MSSQL_ROTATE_CERT", "true asks for a new endpoint certificate, which is not supported", "false");

    public static IReadOnlyList<EnvironmentVariable> Variables =>
    [
        EnvironmentVariables.Namespace, Instance, Current, NewSaPasswordVariable, NewMasterKeyPasswordVariable, RotateCertificateVariable,
        EnvironmentVariables.SqlPort, EnvironmentVariables.QueryCommandTimeout, EnvironmentVariables.Kubeconfig,
    ];

    public required string Namespace { get; init; }

    public required string SqlServer { get; init; }

    public required SqlSecret CurrentSaPassword { get; init; }

    public SqlSecret? NewSaPassword { get; init; }

    public SqlSecret? NewMasterKeyPassword { get; init; }

    public bool RotateCertificate { get; init; }

    public int Port { get; init; } = 1433;

    public required TimeSpan QueryTimeout { get; init; }

    public required KubernetesConfiguration Kubernetes { get; init; }

    public static RotateCredsOptions Read(EnvironmentReader environment)
    {
        SqlSecret? Optional(EnvironmentVariable variable) => environment.Secret(variable) is { Length: > 0 } value ? new SqlSecret(value) : null;
        var options = new RotateCredsOptions
        {
            Namespace = environment.Text(EnvironmentVariables.Namespace),
            SqlServer = environment.Text(Instance),
            CurrentSaPassword = new SqlSecret(environment.Secret(Current)),
            NewSaPassword = Optional(NewSaPasswordVariable),
            NewMasterKeyPassword = Optional(NewMasterKeyPasswordVariable),
            RotateCertificate = environment.Flag(RotateCertificateVariable),
            Port = environment.Number(EnvironmentVariables.SqlPort, 1, 65535),
            QueryTimeout = environment.Seconds(EnvironmentVariables.QueryCommandTimeout),
            Kubernetes = environment.Kubernetes(),
        };
        environment.Verify();
        return options;
    }
}
