using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Resources;

/// <summary>The kinds that the server knows: those built in and those that CustomResourceDefinitions add.</summary>
internal sealed class Catalog
{
    public static readonly Resource Namespaces = Core("namespaces", "Namespace", false, "ns") with { HasStatus = true, FieldLabels = ["status.phase"] };

    public static readonly Resource Pods = Core("pods", "Pod", true, "po") with
    {
        HasStatus = true,
        Categories = ["all"],
        FieldLabels =
        [
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork", "status.phase",
            "status.podIP", "status.nominatedNodeName",
        ],
    };

    public static readonly Resource Services = Core("services", "Service", true, "svc") with
    {
        HasStatus = true, Categories = ["all"], FieldLabels = ["spec.clusterIP", "spec.type"],
    };

    public static readonly Resource ServiceAccounts = Core("serviceaccounts", "ServiceAccount", true, "sa");

    public static readonly Resource ConfigMaps = Core("configmaps", "ConfigMap", true, "cm");

    public static readonly Resource StorageClasses = new("storage.k8s.io", "v1", "storageclasses", "StorageClass", false) { ShortNames = ["sc"] };

    public static readonly Resource CustomResourceDefinitions =
        new("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", false)
        {
            ShortNames = ["crd", "crds"],
            Categories = ["api-extensions"],
            HasStatus = true,
            CountsGenerations = true,
            UnconditionalUpdate = false,
        };

    public static readonly Resource Roles = Rbac("roles", "Role", true);

    public static readonly Resource RoleBindings = Rbac("rolebindings", "RoleBinding", true);

    public static readonly Resource ClusterRoles = Rbac("clusterroles", "ClusterRole", false);

    public static readonly Resource ClusterRoleBindings = Rbac("clusterrolebindings", "ClusterRoleBinding", false);

    public static readonly Resource DisruptionBudgets = new("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", true)
    {
        ShortNames = ["pdb"], HasStatus = true, CountsGenerations = true, UnconditionalUpdate = false,
    };

    private static readonly Resource[] BuiltIn =
    [
        Namespaces,
        Pods,
        Services,
        ServiceAccounts,
        ConfigMaps,
        Core("secrets", "Secret", true) with { FieldLabels = ["type"] },
        Core("endpoints", "Endpoints", true, "ep") with { Singular = "endpoints", ListKind = "EndpointsList", CreatesOnUpdate = true },
        Core("events", "Event", true, "ev") with
        {
            CreatesOnUpdate = true,
            FieldLabels =
            [
                "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion",
                "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type",
            ],
        },
        Core("nodes", "Node", false, "no") with { HasStatus = true, FieldLabels = ["spec.unschedulable"] },
        Core("persistentvolumeclaims", "PersistentVolumeClaim", true, "pvc") with { HasStatus = true },
        Core("persistentvolumes", "PersistentVolume", false, "pv") with { HasStatus = true },
        Core("resourcequotas", "ResourceQuota", true, "quota") with { HasStatus = true },
        Core("limitranges", "LimitRange", true, "limits") with { CreatesOnUpdate = true },
        Apps("statefulsets", "StatefulSet", "sts", scale: true),
        Apps("deployments", "Deployment", "deploy", scale: true),
        Apps("replicasets", "ReplicaSet", "rs", scale: true),
        new("apps", "v1", "controllerrevisions", "ControllerRevision", true),
        new("batch", "v1", "jobs", "Job", true)
        {
            HasStatus = true, CountsGenerations = true, Categories = ["all"], FieldLabels = ["status.successful"],
        },
        new("coordination.k8s.io", "v1", "leases", "Lease", true) { UnconditionalUpdate = false, CreatesOnUpdate = true },
        Roles,
        RoleBindings,
        ClusterRoles,
        ClusterRoleBindings,
        DisruptionBudgets,
        new("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", true) { ShortNames = ["netpol"], CountsGenerations = true },
        StorageClasses,
        new("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", true) { CountsGenerations = true },
        CustomResourceDefinitions,
        Question("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
        Question("authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview"),
        Question("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview"),
        Question("authorization.k8s.io", "localsubjectaccessreviews", "LocalSubjectAccessReview", namespaced: true),
        Question("authentication.k8s.io", "tokenreviews", "TokenReview"),
    ];

    private volatile Resource[] _all = BuiltIn;

    public IReadOnlyList<Resource> All => _all;

    /// <summary>One resource per stored collection: of several versions, the first.</summary>
    public IEnumerable<Resource> Collections => _all.Where(r => !r.IsQuestion).DistinctBy(r => r.Key);

    public Resource? Find(string group, string version, string plural) =>
        Array.Find(_all, r => r.Plural == plural && r.Group == group && r.Version == version);

    public bool HasGroup(string group) => Array.Exists(_all, r => r.Group == group);

    public bool HasGroupVersion(string group, string version) => Array.Exists(_all, r => r.Group == group && r.Version == version);

    /// <summary>Replaces what one definition contributes by its present content, or by nothing.</summary>
    public void Define(string definitionName, JsonObject? definition)
    {
        lock (BuiltIn)
        {
            var kept = _all.Where(r => !r.IsCustom || r.Key != definitionName);
            _all = [.. kept, .. definition is null ? [] : FromDefinition(definition)];
        }
    }

    private static IEnumerable<Resource> FromDefinition(JsonObject definition)
    {
        var spec = definition.Child("spec");
        var names = spec.Child("names");
        var versions = spec.Objects("versions").Where(v => v.Flag("served")).OrderByDescending(v => v.Flag("storage"));
        foreach (var version in versions)
        {
            var scale = version.Child("subresources", "scale");
            yield return new Resource(
                spec.Text("group") ?? "", version.Text("name") ?? "", names.Text("plural") ?? "", names.Text("kind") ?? "", spec.Text("scope") == "Namespaced")
            {
                Singular = names.Text("singular") ?? "",
                ListKind = names.Text("listKind") ?? names.Text("kind") + "List",
                ShortNames = [.. names.Texts("shortNames")],
                Categories = [.. names.Texts("categories")],
                HasStatus = version.Child("subresources", "status") is not null,
                CountsGenerations = true,
                UnconditionalUpdate = false,
                IsCustom = true,
                Schema = version.Child("schema", "openAPIV3Schema")?.Copy() ?? [],
                PrinterColumns = (version.At("additionalPrinterColumns") as JsonArray)?.DeepClone() as JsonArray,
                FieldLabels = [.. version.Objects("selectableFields").Select(f => (f.Text("jsonPath") ?? "").TrimStart('.'))],
                Scale = scale is null
                    ? null
                    : new ScalePaths(scale.Text("specReplicasPath") ?? "", scale.Text("statusReplicasPath") ?? "", scale.Text("labelSelectorPath")),
            };
        }
    }

    private static Resource Core(string plural, string kind, bool namespaced, string? shortName = null) =>
        new("", "v1", plural, kind, namespaced) { ShortNames = shortName is null ? [] : [shortName] };

    private static Resource Apps(string plural, string kind, string shortName, bool scale) => new("apps", "v1", plural, kind, true)
    {
        ShortNames = [shortName],
        Categories = ["all"],
        HasStatus = true,
        CountsGenerations = true,
        Scale = scale ? new ScalePaths(".spec.replicas", ".status.replicas", ".spec.selector") : null,
    };

    private static Resource Question(string group, string plural, string kind, bool namespaced = false) =>
        new(group, "v1", plural, kind, namespaced) { IsQuestion = true };

    private static Resource Rbac(string plural, string kind, bool namespaced) =>
        new("rbac.authorization.k8s.io", "v1", plural, kind, namespaced) { CreatesOnUpdate = true };
}
