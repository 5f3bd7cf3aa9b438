using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Agents.Kubernetes;

namespace KubernetesEmulator.Objects;

/// <summary>The kinds that nodes and controllers work with, as untyped documents.</summary>
internal static class Kinds
{
    public static readonly ResourceType<JsonObject> Namespaces = Core("namespaces", "Namespace", namespaced: false);
    public static readonly ResourceType<JsonObject> Nodes = Core("nodes", "Node", namespaced: false);
    public static readonly ResourceType<JsonObject> Pods = Core("pods", "Pod");
    public static readonly ResourceType<JsonObject> Events = Core("events", "Event");
    public static readonly ResourceType<JsonObject> Services = Core("services", "Service");
    public static readonly ResourceType<JsonObject> Endpoints = Core("endpoints", "Endpoints");
    public static readonly ResourceType<JsonObject> ConfigMaps = Core("configmaps", "ConfigMap");
    public static readonly ResourceType<JsonObject> Secrets = Core("secrets", "Secret");
    public static readonly ResourceType<JsonObject> Claims = Core("persistentvolumeclaims", "PersistentVolumeClaim");
    public static readonly ResourceType<JsonObject> Volumes = Core("persistentvolumes", "PersistentVolume", namespaced: false);
    public static readonly ResourceType<JsonObject> StorageClasses = Of("storage.k8s.io", "storageclasses", "StorageClass", namespaced: false);
    public static readonly ResourceType<JsonObject> StatefulSets = Of("apps", "statefulsets", "StatefulSet");
    public static readonly ResourceType<JsonObject> Deployments = Of("apps", "deployments", "Deployment");
    public static readonly ResourceType<JsonObject> ReplicaSets = Of("apps", "replicasets", "ReplicaSet");
    public static readonly ResourceType<JsonObject> Jobs = Of("batch", "jobs", "Job");
    public static readonly ResourceType<JsonObject> Leases = Of("coordination.k8s.io", "leases", "Lease");

    public static readonly ResourceType<JsonObject> DisruptionBudgets = Of("policy", "poddisruptionbudgets", "PodDisruptionBudget");

    /// <summary>Creating one of these asks for a token of the service account.</summary>
    public static ResourceType<JsonObject> TokenRequests(string serviceAccount) =>
        Core($"serviceaccounts/{serviceAccount}/token", "TokenRequest");

    /// <summary>Creating one of these binds the pod to a node.</summary>
    public static ResourceType<JsonObject> Bindings(string pod) => Core($"pods/{pod}/binding", "Binding");

    private static ResourceType<JsonObject> Core(string plural, string kind, bool namespaced = true) => Of("", plural, kind, namespaced);

    private static ResourceType<JsonObject> Of(string group, string plural, string kind, bool namespaced = true) =>
        new(group, "v1", plural, kind, namespaced, DocumentJson.Default.JsonObject);
}

[JsonSerializable(typeof(JsonObject))]
internal sealed partial class DocumentJson : JsonSerializerContext;
