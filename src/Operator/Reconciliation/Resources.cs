using System.Text.Json.Nodes;
using Agents.Kubernetes;

namespace Agents.Operator.Reconciliation;

/// <summary>The kinds that the operator handles, as plain documents: users' fields that we do not model must not get lost.</summary>
internal static class Resources
{
    public static readonly ResourceType<JsonObject> Definitions =
        KubernetesTypes.Untyped("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced: false);

    public static readonly ResourceType<JsonObject> SqlServers = KubernetesTypes.Untyped("mssql.microsoft.com", "v1", "sqlservers", "SqlServer", true);
    public static readonly ResourceType<JsonObject> Pods = KubernetesTypes.Untyped("", "v1", "pods", "Pod", true);
    public static readonly ResourceType<JsonObject> Secrets = KubernetesTypes.Untyped("", "v1", "secrets", "Secret", true);
    public static readonly ResourceType<JsonObject> Events = KubernetesTypes.Untyped("", "v1", "events", "Event", true);
    public static readonly ResourceType<JsonObject> ConfigMaps = KubernetesTypes.Untyped("", "v1", "configmaps", "ConfigMap", true);
    public static readonly ResourceType<JsonObject> Services = KubernetesTypes.Untyped("", "v1", "services", "Service", true);
    public static readonly ResourceType<JsonObject> Claims = KubernetesTypes.Untyped("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", true);
    public static readonly ResourceType<JsonObject> StatefulSets = KubernetesTypes.Untyped("apps", "v1", "statefulsets", "StatefulSet", true);
    public static readonly ResourceType<JsonObject> Leases = KubernetesTypes.Untyped("coordination.k8s.io", "v1", "leases", "Lease", true);
    public static readonly ResourceType<JsonObject> Jobs = KubernetesTypes.Untyped("batch", "v1", "jobs", "Job", true);

    /// <summary>Served from Kubernetes 1.21 on.</summary>
    public static readonly ResourceType<JsonObject> Budgets = KubernetesTypes.Untyped("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", true);

    /// <summary>Served up to Kubernetes 1.24, and the same as far as it is used here.</summary>
    public static readonly ResourceType<JsonObject> EarlierBudgets =
        KubernetesTypes.Untyped("policy", "v1beta1", "poddisruptionbudgets", "PodDisruptionBudget", true);

    /// <summary>What an instance and a group need beside their StatefulSet and ConfigMap.</summary>
    public static readonly IReadOnlyList<ResourceType<JsonObject>> Supporting =
    [
        Services,
        KubernetesTypes.Untyped("", "v1", "serviceaccounts", "ServiceAccount", true),
        KubernetesTypes.Untyped("rbac.authorization.k8s.io", "v1", "roles", "Role", true),
        KubernetesTypes.Untyped("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", true),
    ];

    private static readonly Dictionary<string, ResourceType<JsonObject>> Applied =
        Supporting.Append(ConfigMaps).Append(StatefulSets).Append(Budgets).Append(EarlierBudgets).ToDictionary(Key);

    /// <summary>The kind of a document that the operator applies.</summary>
    public static ResourceType<JsonObject> Of(JsonObject manifest) => Applied[$"{(string)manifest["apiVersion"]!}/{(string)manifest["kind"]!}"];

    private static string Key(ResourceType<JsonObject> type) => $"{type.ApiVersion}/{type.Kind}";
}
