using System.Security.Cryptography;
using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Http;
using KubernetesEmulator.Storage;

namespace KubernetesEmulator.Resources;

/// <summary>What the default admission plug-ins and the creation strategies add to a new object.</summary>
internal static class Admission
{
    private const string AccountPath = "/var/run/secrets/kubernetes.io/serviceaccount";

    public static void Create(Resource r, JsonObject o, Store store)
    {
        switch (r.Key)
        {
            case "namespaces":
                var ns = o.Text("metadata", "name") ?? "";
                o.Ensure("metadata").Ensure("labels")["kubernetes.io/metadata.name"] = ns;
                o.Ensure("spec")["finalizers"] = new JsonArray("kubernetes");
                o["status"] = new JsonObject { ["phase"] = "Active" };
                break;
            case "pods":
                Account(o, store);
                Tolerations(o.Ensure("spec"));
                o.Ensure("spec").Default("priority", 0);
                o.Ensure("spec").Default("enableServiceLinks", true);
                o.Ensure("spec").Default("preemptionPolicy", "PreemptLowerPriority");
                o["status"] = new JsonObject { ["phase"] = "Pending", ["qosClass"] = Quality(o.Child("spec")) };
                break;
            case "persistentvolumeclaims":
                if (o.Child("spec")?.ContainsKey("storageClassName") != true && DefaultClass(store) is { } storageClass)
                    o.Ensure("spec")["storageClassName"] = storageClass;
                o["status"] = new JsonObject { ["phase"] = "Pending" };
                break;
            case "persistentvolumes":
                o["status"] = new JsonObject { ["phase"] = "Pending" };
                break;
            case "services":
                o["status"] = new JsonObject { ["loadBalancer"] = new JsonObject() };
                break;
            case "statefulsets.apps":
                o["status"] = new JsonObject { ["replicas"] = 0, ["availableReplicas"] = 0 };
                break;
            case "replicasets.apps":
                o["status"] = new JsonObject { ["replicas"] = 0 };
                break;
            case "jobs.batch":
                JobSelector(o);
                break;
        }
    }

    public static string RandomSuffix(int length)
    {
        const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";
        return string.Create(length, 0, static (span, _) =>
        {
            foreach (ref var c in span)
                c = Alphabet[RandomNumberGenerator.GetInt32(Alphabet.Length)];
        });
    }

    private static void Account(JsonObject pod, Store store)
    {
        var spec = pod.Ensure("spec");
        var ns = pod.Text("metadata", "namespace") ?? "";
        var name = pod.Text("metadata", "name") ?? pod.Text("metadata", "generateName") ?? "";
        spec.Default("serviceAccountName", "default");
        var account = spec.Text("serviceAccountName") ?? "";
        spec["serviceAccount"] = account;
        var stored = store.Get(Catalog.ServiceAccounts.Key, ns, account)
            ?? throw ApiError.Forbidden(Catalog.Pods, name, $"error looking up service account {ns}/{account}: serviceaccount \"{account}\" not found");
        var mount = spec["automountServiceAccountToken"] ?? stored.Json["automountServiceAccountToken"];
        if (mount is JsonValue v && v.TryGetValue<bool>(out var wanted) && !wanted)
            return;
        var volume = spec.Objects("volumes").FirstOrDefault(w => w.Text("name")?.StartsWith("kube-api-access-", StringComparison.Ordinal) == true).Text("name");
        foreach (var container in spec.Objects("initContainers").Concat(spec.Objects("containers")))
        {
            if (container.Objects("volumeMounts").Any(m => m.Text("mountPath") == AccountPath))
                continue;
            volume ??= AddVolume(spec);
            if (container["volumeMounts"] is not JsonArray mounts)
                container["volumeMounts"] = mounts = [];
            mounts.Add((JsonNode)new JsonObject { ["name"] = volume, ["readOnly"] = true, ["mountPath"] = AccountPath });
        }
    }

    private static string AddVolume(JsonObject spec)
    {
        var name = "kube-api-access-" + RandomSuffix(5);
        if (spec["volumes"] is not JsonArray volumes)
            spec["volumes"] = volumes = [];
        volumes.Add((JsonNode)new JsonObject
        {
            ["name"] = name,
            ["projected"] = new JsonObject
            {
                ["sources"] = new JsonArray(
                    new JsonObject { ["serviceAccountToken"] = new JsonObject { ["expirationSeconds"] = 3607, ["path"] = "token" } },
                    new JsonObject
                    {
                        ["configMap"] = new JsonObject
                        {
                            ["name"] = "kube-root-ca.crt", ["items"] = new JsonArray(new JsonObject { ["key"] = "ca.crt", ["path"] = "ca.crt" }),
                        },
                    },
                    new JsonObject
                    {
                        ["downwardAPI"] = new JsonObject
                        {
                            ["items"] = new JsonArray(new JsonObject
                            {
                                ["path"] = "namespace",
                                ["fieldRef"] = new JsonObject { ["apiVersion"] = "v1", ["fieldPath"] = "metadata.namespace" },
                            }),
                        },
                    }),
                ["defaultMode"] = 420,
            },
        });
        return name;
    }

    private static void Tolerations(JsonObject spec)
    {
        if (spec["tolerations"] is not JsonArray tolerations)
            spec["tolerations"] = tolerations = [];
        foreach (var key in new[] { "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable" })
        {
            if (tolerations.Objects().Any(t => (t.Text("key") == key || t.Text("key") is null or "") && t.Text("effect") is "NoExecute" or null or ""))
                continue;
            tolerations.Add((JsonNode)new JsonObject { ["key"] = key, ["operator"] = "Exists", ["effect"] = "NoExecute", ["tolerationSeconds"] = 300 });
        }
    }

    private static string Quality(JsonObject? spec)
    {
        var containers = spec.Objects("containers").Concat(spec.Objects("initContainers")).Select(c => c.Child("resources")).ToList();
        if (containers.All(c => (c.Child("requests")?.Count ?? 0) + (c.Child("limits")?.Count ?? 0) == 0))
            return "BestEffort";
        return containers.All(c => c.Child("limits") is { } limits && limits.ContainsKey("cpu") && limits.ContainsKey("memory")
            && (c.Child("requests") is not { } requests || requests.All(q => Document.Same(q.Value, limits[q.Key]))))
            ? "Guaranteed"
            : "Burstable";
    }

    private static string? DefaultClass(Store store) => store.List(Catalog.StorageClasses.Key, null).Items
        .FirstOrDefault(c => c.Json.Text("metadata", "annotations", "storageclass.kubernetes.io/is-default-class") == "true")?.Name;

    private static void JobSelector(JsonObject job)
    {
        var spec = job.Ensure("spec");
        if (spec.Flag("manualSelector"))
            return;
        if (spec.Child("selector") is { Count: > 0 })
            throw ApiError.Invalid(new Resource("", "v1", "jobs", "Job", true), job.Text("metadata", "name") ?? "",
                [FieldError.Invalid("spec.selector", spec["selector"], "`selector` not auto-generated")]);
        var (uid, name) = (job.Text("metadata", "uid") ?? "", job.Text("metadata", "name") ?? "");
        var labels = spec.Ensure("template").Ensure("metadata").Ensure("labels");
        labels["controller-uid"] = uid;
        labels["batch.kubernetes.io/controller-uid"] = uid;
        labels["job-name"] = name;
        labels["batch.kubernetes.io/job-name"] = name;
        spec["selector"] = new JsonObject { ["matchLabels"] = new JsonObject { ["batch.kubernetes.io/controller-uid"] = uid } };
    }
}
