namespace Conformance;

/// <summary>What <c>kubectl get</c> prints of the built-in kinds.</summary>
internal sealed class TableTests
{
    /// <summary>Columns that came after Kubernetes 1.20.</summary>
    private static readonly string[] Newer = ["jobs Status 0", "persistentvolumeclaims VolumeAttributesClass 0", "persistentvolumes VolumeAttributesClass 0"];

    private static readonly string[] Collections =
    [
        .. Of("/api/v1", "namespaces", "pods", "services", "serviceaccounts", "configmaps", "secrets", "endpoints", "events", "nodes", "persistentvolumeclaims",
            "persistentvolumes", "resourcequotas", "limitranges"),
        .. Of("/apis/apps/v1", "statefulsets", "deployments", "replicasets", "controllerrevisions"),
        .. Of("/apis/rbac.authorization.k8s.io/v1", "roles", "rolebindings", "clusterroles", "clusterrolebindings"),
        "/apis/batch/v1/jobs", "/apis/coordination.k8s.io/v1/leases", "/apis/networking.k8s.io/v1/networkpolicies", "/apis/storage.k8s.io/v1/storageclasses",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    ];

    [Test]
    public async Task The_columns_of_each_kind_are_those_of_kube_apiserver()
    {
        var theirs = await Columns(Backend.ControlPlane);
        var ours = await Columns(Backend.Emulator);
        Assert.That(theirs, Has.Count.GreaterThan(20));
        Assert.Multiple(() =>
        {
            foreach (var (kind, columns) in theirs)
                Assert.That(ours[kind].Where(c => columns.Contains(c) || !Newer.Contains($"{kind} {c}")), Is.EqualTo(columns), kind);
        });
    }

    private static IEnumerable<string> Of(string root, params IEnumerable<string> plurals) => plurals.Select(p => $"{root}/{p}");

    /// <summary>Name and priority of each column, by the kind's plural.</summary>
    private static async Task<Dictionary<string, string[]>> Columns(Backend backend)
    {
        using var api = ApiClient.Of(await ApiServers.KubeConfigAsync(backend));
        var found = new Dictionary<string, string[]>();
        foreach (var path in Collections)
        {
            var (code, table) = await api.Get($"{path}?limit=1", "application/json;as=Table;v=v1;g=meta.k8s.io");
            Assert.That(code, Is.EqualTo(200), $"{path}: {table.ToJsonString()}");
            found[path[(path.LastIndexOf('/') + 1)..]] = [.. table["columnDefinitions"]!.AsArray().Select(c => $"{c!["name"]} {c["priority"]}")];
        }

        return found;
    }
}
