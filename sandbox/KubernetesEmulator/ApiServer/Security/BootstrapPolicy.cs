using System.Text.Json.Nodes;
using KubernetesEmulator.Resources;

namespace KubernetesEmulator.Security;

/// <summary>The roles and bindings that every cluster has from its first moment and that users and clients rely on.</summary>
internal static class BootstrapPolicy
{
    private static readonly string[] Read = ["get", "list", "watch"];
    private static readonly string[] Write = ["create", "delete", "deletecollection", "patch", "update"];

    private static readonly PolicyRule[] View =
    [
        OfCore(Read, "configmaps", "endpoints", "persistentvolumeclaims", "persistentvolumeclaims/status", "pods", "serviceaccounts", "services", "services/status"),
        OfCore(Read, "events", "limitranges", "namespaces/status", "pods/log", "pods/status", "resourcequotas", "resourcequotas/status"),
        OfCore(Read, "namespaces"),
        Of("discovery.k8s.io", Read, "endpointslices"),
        Of("apps", Read, "controllerrevisions", "deployments", "deployments/scale", "deployments/status", "replicasets", "replicasets/scale",
            "replicasets/status", "statefulsets", "statefulsets/scale", "statefulsets/status"),
        Of("batch", Read, "jobs", "jobs/status"),
        Of("networking.k8s.io", Read, "networkpolicies"),
        Of("policy", Read, "poddisruptionbudgets", "poddisruptionbudgets/status"),
    ];

    private static readonly PolicyRule[] Edit =
    [
        .. View,
        OfCore(Read, "secrets"),
        OfCore(["impersonate"], "serviceaccounts"),
        OfCore(Write, "configmaps", "events", "persistentvolumeclaims", "pods", "secrets", "serviceaccounts", "services"),
        OfCore(["create"], "pods/eviction", "serviceaccounts/token"),
        Of("apps", Write, "deployments", "deployments/scale", "replicasets", "replicasets/scale", "statefulsets", "statefulsets/scale"),
        Of("batch", Write, "jobs"),
        Of("coordination.k8s.io", [.. Write, .. Read], "leases"),
        Of("networking.k8s.io", Write, "networkpolicies"),
        Of("policy", Write, "poddisruptionbudgets"),
    ];

    private static readonly PolicyRule[] Admin =
    [
        .. Edit,
        Of(Catalog.Roles.Group, [.. Write, .. Read], "roles", "rolebindings"),
        Of("authorization.k8s.io", ["create"], "localsubjectaccessreviews"),
    ];

    public static void Furnish(Registry registry)
    {
        Add(registry, "cluster-admin", [new(["*"], ["*"], ["*"], [], []), new(["*"], [], [], [], ["*"])], Identity.Masters);
        Add(registry, "system:discovery",
            [OfPaths("/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/")],
            Identity.Authenticated);
        Add(registry, "system:basic-user",
            [Of("authorization.k8s.io", ["create"], "selfsubjectaccessreviews", "selfsubjectrulesreviews")], Identity.Authenticated);
        Add(registry, "system:public-info-viewer",
            [OfPaths("/healthz", "/livez", "/readyz", "/version", "/version/")], Identity.Authenticated, Identity.Unauthenticated);
        Add(registry, "admin", Admin);
        Add(registry, "edit", Edit);
        Add(registry, "view", View);
    }

    private static PolicyRule OfCore(IReadOnlyList<string> verbs, params IReadOnlyList<string> resources) => Of("", verbs, resources);

    private static PolicyRule Of(string group, IReadOnlyList<string> verbs, params IReadOnlyList<string> resources) => new(verbs, [group], resources, [], []);

    private static PolicyRule OfPaths(params IReadOnlyList<string> paths) => new(["get"], [], [], [], paths);

    private static void Add(Registry registry, string name, IEnumerable<PolicyRule> rules, params IReadOnlyList<string> groups)
    {
        var options = new WriteOptions("kube-apiserver");
        registry.Create(Catalog.ClusterRoles, "", new JsonObject { ["metadata"] = Metadata(name), ["rules"] = Rules(rules) }, options);
        if (groups.Count == 0)
            return;
        registry.Create(Catalog.ClusterRoleBindings, "", new JsonObject
        {
            ["metadata"] = Metadata(name),
            ["roleRef"] = new JsonObject { ["apiGroup"] = Catalog.Roles.Group, ["kind"] = "ClusterRole", ["name"] = name },
            ["subjects"] = new JsonArray([.. groups.Select(group => new JsonObject { ["kind"] = "Group", ["name"] = group })]),
        }, options);
    }

    private static JsonObject Metadata(string name) => new()
    {
        ["name"] = name,
        ["labels"] = new JsonObject { ["kubernetes.io/bootstrapping"] = "rbac-defaults" },
        ["annotations"] = new JsonObject { ["rbac.authorization.kubernetes.io/autoupdate"] = "true" },
    };

    private static JsonArray Rules(IEnumerable<PolicyRule> rules) => new([.. rules.Select(rule => rule.ToJson())]);
}
