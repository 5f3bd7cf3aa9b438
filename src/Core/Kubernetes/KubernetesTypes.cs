#pragma warning disable CS1591 // The members are named and meant as in the Kubernetes API.
using System.Text.Json.Nodes;

namespace Agents.Kubernetes;

/// <summary>The kinds that we read and write.</summary>
public static class KubernetesTypes
{
    /// <summary>API group of our own kinds.</summary>
    public const string SqlServerGroup = "mssql.microsoft.com";

    public static ResourceType<Pod> Pods { get; } = new("", "v1", "pods", "Pod", true, KubernetesJson.Default.Pod);

    public static ResourceType<Secret> Secrets { get; } = new("", "v1", "secrets", "Secret", true, KubernetesJson.Default.Secret);

    public static ResourceType<ConfigMap> ConfigMaps { get; } =
        new("", "v1", "configmaps", "ConfigMap", true, KubernetesJson.Default.ConfigMap);

    public static ResourceType<Endpoints> Endpoints { get; } =
        new("", "v1", "endpoints", "Endpoints", true, KubernetesJson.Default.Endpoints);

    public static ResourceType<Service> Services { get; } = new("", "v1", "services", "Service", true, KubernetesJson.Default.Service);

    public static ResourceType<Node> Nodes { get; } = new("", "v1", "nodes", "Node", false, KubernetesJson.Default.Node);

    public static ResourceType<Event> Events { get; } = new("", "v1", "events", "Event", true, KubernetesJson.Default.Event);

    public static ResourceType<Lease> Leases { get; } =
        new("coordination.k8s.io", "v1", "leases", "Lease", true, KubernetesJson.Default.Lease);

    public static ResourceType<StatefulSet> StatefulSets { get; } =
        new("apps", "v1", "statefulsets", "StatefulSet", true, KubernetesJson.Default.StatefulSet);

    public static ResourceType<Job> Jobs { get; } = new("batch", "v1", "jobs", "Job", true, KubernetesJson.Default.Job);

    public static ResourceType<SqlServer> SqlServers { get; } =
        new(SqlServerGroup, "v1", "sqlservers", "SqlServer", true, KubernetesJson.Default.SqlServer);

    /// <summary>Any kind, as the plain document.</summary>
    public static ResourceType<JsonObject> Untyped(string group, string version, string plural, string kind, bool namespaced) =>
        new(group, version, plural, kind, namespaced, KubernetesJson.Default.JsonObject);
}
