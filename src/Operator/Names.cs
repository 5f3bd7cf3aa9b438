namespace Agents.Operator;

/// <summary>Names of objects, labels and annotations; <c>docs/reference.md</c> is the list for people.</summary>
internal static class Names
{
    public const string FieldManager = "mssql-server-k8s-operator";
    public const string Domain = "mssql.microsoft.com";
    public const string ApiVersion = "mssql.microsoft.com/v1";
    public const string Kind = "SqlServer";
    public const string MirroringCertificate = "mssql-mirroring-certificate";
    public const string RootVolume = "mssql-root";
    public const string RootDirectory = "/var/opt/mssql";
    public const string ConfigurationVolume = "mssql-conf";
    public const string ConfigurationFile = "mssql.conf";
    public const string AgentLoginVolume = "mssql-agent-login";
    public const string AgentLoginDirectory = "/var/run/secrets/mssql-agent-login";
    public const string MirroringCertificateDirectory = "/var/run/secrets/mssql-mirroring-certificate";
    public const string AgentLoginUser = "mssql-k8s-agent";

    public const string SpecHash = "mssql.microsoft.com/spec-hash";
    public const string RestartHash = "mssql.microsoft.com/restart-hash";
    public const string GroupLabel = "mssql.microsoft.com/ag";
    public const string LeaveFinalizer = "mssql.microsoft.com/leave-availability-groups";
    public const string InstanceLabel = "mssql.microsoft.com/sqlserver";
    public const string ManagedBy = "app.kubernetes.io/managed-by";

    public const string ServerContainer = "mssql-server";
    public const string HealthContainer = "mssql-server-k8s-health-agent";
    public const string SupervisorContainer = "mssql-ha-supervisor";

    public const int TdsPort = 1433;
    public const int MirroringPort = 5022;
    public const int HealthPort = 8080;

    public static string Pod(string instance) => $"{instance}-0";

    public static string RootClaim(string instance) => $"{RootVolume}-{Pod(instance)}";

    public static string InternalService(string instance) => $"{instance}-internal";

    public static string ClientService(string instance) => $"{instance}-client";

    public static string Configuration(string instance) => $"{instance}-mssql-conf";

    public static string AgentLogin(string instance) => $"{instance}-agent-login";

    public static string Agents(string instance) => $"{instance}-agents";

    public static string Account(Specs.InstanceSpec spec) => spec.ServiceAccount ?? Agents(spec.Name);

    /// <summary>
    /// Name of the init Job of one specification. Each has a name of its own: a Job that is deleted and made again under its old name can get the status of
    /// the one before from a job controller whose view lags (kube-controller-manager up to 1.20 writes it by name), and would count as complete
    /// without having run.
    /// </summary>
    public static string InitJob(string instance, string hash) => $"mssql-initialize-{instance}-{hash[..8]}";

    public static string MembershipLabel(string group) => $"ag-service.mssql.microsoft.com/{group}";

    public static string RoleLabel(string group) => $"role.ag.mssql.microsoft.com/{group}";

    public static string PlacementLabel(string group) => $"placement.mssql.microsoft.com/{group}";

    public static string Endpoint(string instance, string @namespace) =>
        $"TCP://{Pod(instance)}.{InternalService(instance)}.{@namespace}.svc.cluster.local:{MirroringPort}";
}
