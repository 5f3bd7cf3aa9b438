using System.Text.Json.Nodes;
using Agents.Kubernetes;

namespace Sandbox.Playground;

/// <summary>The kinds that the playground reads, as plain documents.</summary>
internal static class Kinds
{
    public static ResourceType<JsonObject> Pods { get; } = KubernetesTypes.Untyped("", "v1", "pods", "Pod", true);

    public static ResourceType<JsonObject> Nodes { get; } = KubernetesTypes.Untyped("", "v1", "nodes", "Node", false);

    public static ResourceType<JsonObject> Services { get; } = KubernetesTypes.Untyped("", "v1", "services", "Service", true);

    public static ResourceType<JsonObject> Events { get; } = KubernetesTypes.Untyped("", "v1", "events", "Event", true);

    public static ResourceType<JsonObject> Leases { get; } = KubernetesTypes.Untyped("coordination.k8s.io", "v1", "leases", "Lease", true);

    public static ResourceType<JsonObject> Jobs { get; } = KubernetesTypes.Untyped("batch", "v1", "jobs", "Job", true);

    public static ResourceType<JsonObject> Deployments { get; } = KubernetesTypes.Untyped("apps", "v1", "deployments", "Deployment", true);

    public static ResourceType<JsonObject> Claims { get; } = KubernetesTypes.Untyped("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", true);

    public static ResourceType<JsonObject> Namespaces { get; } = KubernetesTypes.Untyped("", "v1", "namespaces", "Namespace", false);

    public static ResourceType<JsonObject> Secrets { get; } = KubernetesTypes.Untyped("", "v1", "secrets", "Secret", true);

    public static ResourceType<JsonObject> ConfigMaps { get; } = KubernetesTypes.Untyped("", "v1", "configmaps", "ConfigMap", true);

    public static ResourceType<JsonObject> StatefulSets { get; } = KubernetesTypes.Untyped("apps", "v1", "statefulsets", "StatefulSet", true);

    public static ResourceType<JsonObject> SqlServers { get; } =
        KubernetesTypes.Untyped("mssql.microsoft.com", "v1", "sqlservers", "SqlServer", true);

    public static ResourceType<JsonObject> Definitions { get; } =
        KubernetesTypes.Untyped("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", false);

    /// <summary>The type of a manifest.</summary>
    /// <exception cref="ArgumentException">The manifest has no kind.</exception>
    public static ResourceType<JsonObject> Of(JsonObject manifest)
    {
        var apiVersion = manifest["apiVersion"]?.GetValue<string>() ?? throw new ArgumentException("apiVersion is missing", nameof(manifest));
        var kind = manifest["kind"]?.GetValue<string>() ?? throw new ArgumentException("kind is missing", nameof(manifest));
        var (group, version) = apiVersion.Split('/') is [var g, var v] ? (g, v) : ("", apiVersion);
        var cluster = kind is "Namespace" or "ClusterRole" or "ClusterRoleBinding" or "CustomResourceDefinition";
        return KubernetesTypes.Untyped(group, version, kind.ToLowerInvariant() + "s", kind, !cluster);
    }
}
