using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Resources;

/// <summary>Fills in what the API server fills in for built-in kinds, on every write.</summary>
internal static class Defaults
{
    private static readonly string[] Probes = ["livenessProbe", "readinessProbe", "startupProbe"];
    private static readonly string[] Hooks = ["postStart", "preStop"];
    private static readonly string[] ModedSources = ["secret", "configMap", "projected", "downwardAPI"];

    public static void Apply(Resource r, JsonObject o)
    {
        switch (r.Key)
        {
            case "pods":
                PodSpec(o.Ensure("spec"));
                break;
            case "services":
                Service(o.Ensure("spec"));
                break;
            case "secrets":
                Secret(o);
                break;
            case "persistentvolumeclaims":
                o.Ensure("spec").Default("volumeMode", "Filesystem");
                break;
            case "persistentvolumes":
                o.Ensure("spec").Default("volumeMode", "Filesystem");
                o.Ensure("spec").Default("persistentVolumeReclaimPolicy", "Retain");
                break;
            case "storageclasses.storage.k8s.io":
                o.Default("reclaimPolicy", "Delete");
                o.Default("volumeBindingMode", "Immediate");
                break;
            case "statefulsets.apps":
                StatefulSet(o.Ensure("spec"));
                break;
            case "deployments.apps":
                Deployment(o.Ensure("spec"));
                break;
            case "replicasets.apps":
                o.Ensure("spec").Default("replicas", 1);
                Template(o.Ensure("spec"));
                break;
            case "jobs.batch":
                Job(o.Ensure("spec"));
                break;
            case "rolebindings.rbac.authorization.k8s.io" or "clusterrolebindings.rbac.authorization.k8s.io":
                o.Child("roleRef")?.Default("apiGroup", "rbac.authorization.k8s.io");
                foreach (var subject in o.Objects("subjects"))
                {
                    if (subject.Text("kind") is "User" or "Group")
                        subject.Default("apiGroup", "rbac.authorization.k8s.io");
                }

                break;
            case "customresourcedefinitions.apiextensions.k8s.io":
                Definition(o.Ensure("spec"));
                break;
            case "networkpolicies.networking.k8s.io":
                o.Ensure("spec").Default("policyTypes", new JsonArray("Ingress"));
                break;
        }
    }

    public static void PodSpec(JsonObject spec)
    {
        spec.Default("restartPolicy", "Always");
        spec.Default("terminationGracePeriodSeconds", 30);
        spec.Default("dnsPolicy", "ClusterFirst");
        spec.Default("securityContext", new JsonObject());
        spec.Default("schedulerName", "default-scheduler");
        if (spec.Text("serviceAccountName") is { Length: > 0 } account)
            spec.Default("serviceAccount", account);
        else if (spec.Text("serviceAccount") is { Length: > 0 } legacy)
            spec["serviceAccountName"] = legacy;
        foreach (var container in spec.Objects("initContainers").Concat(spec.Objects("containers")))
        {
            Container(container);
            foreach (var port in container.Objects("ports").Where(p => spec.Flag("hostNetwork") && p["containerPort"] is not null))
                port.Default("hostPort", port["containerPort"]!.DeepClone());
        }

        foreach (var volume in spec.Objects("volumes"))
            Volume(volume);
    }

    private static void Container(JsonObject container)
    {
        container.Default("terminationMessagePath", "/dev/termination-log");
        container.Default("terminationMessagePolicy", "File");
        container.Default("resources", new JsonObject());
        var image = container.Text("image") ?? "";
        var tag = image.Contains('@', StringComparison.Ordinal) ? "digest" : image[(image.LastIndexOf('/') + 1)..].Split(':') is [_, var t] ? t : "latest";
        container.Default("imagePullPolicy", tag == "latest" ? "Always" : "IfNotPresent");
        foreach (var port in container.Objects("ports"))
            port.Default("protocol", "TCP");
        foreach (var field in container.Objects("env").Select(e => e.Child("valueFrom", "fieldRef")).OfType<JsonObject>())
            field.Default("apiVersion", "v1");
        foreach (var probe in Probes.Select(p => container.Child(p)).OfType<JsonObject>())
        {
            probe.Default("timeoutSeconds", 1);
            probe.Default("periodSeconds", 10);
            probe.Default("successThreshold", 1);
            probe.Default("failureThreshold", 3);
            HttpGet(probe);
        }

        foreach (var hook in Hooks.Select(h => container.Child("lifecycle", h)).OfType<JsonObject>())
            HttpGet(hook);
    }

    private static void HttpGet(JsonObject handler)
    {
        if (handler.Child("httpGet") is not { } get)
            return;
        get.Default("path", "/");
        get.Default("scheme", "HTTP");
    }

    private static void Volume(JsonObject volume)
    {
        foreach (var source in ModedSources.Select(s => volume.Child(s)).OfType<JsonObject>())
            source.Default("defaultMode", 420);
        foreach (var token in volume.Objects("projected", "sources").Select(s => s.Child("serviceAccountToken")).OfType<JsonObject>())
            token.Default("expirationSeconds", 3600);
        foreach (var item in volume.Objects("downwardAPI", "items").Concat(volume.Objects("projected", "sources").SelectMany(s => s.Objects("downwardAPI", "items"))))
            item.Child("fieldRef")?.Default("apiVersion", "v1");
        volume.Child("hostPath")?.Default("type", "");
        if (volume.Count == 1 && volume.ContainsKey("name"))
            volume["emptyDir"] = new JsonObject();
    }

    private static void Template(JsonObject spec)
    {
        var template = spec.Ensure("template");
        template.Ensure("metadata");
        PodSpec(template.Ensure("spec"));
    }

    private static void Service(JsonObject spec)
    {
        spec.Default("type", "ClusterIP");
        spec.Default("sessionAffinity", "None");
        if (spec.Text("type") != "ExternalName")
        {
            spec.Default("internalTrafficPolicy", "Cluster");
            spec.Default("ipFamilies", new JsonArray("IPv4"));
            spec.Default("ipFamilyPolicy", "SingleStack");
        }

        foreach (var port in spec.Objects("ports"))
        {
            port.Default("protocol", "TCP");
            if (port["port"] is { } number)
                port.Default("targetPort", number.DeepClone());
        }
    }

    private static void Secret(JsonObject secret)
    {
        secret.Default("type", "Opaque");
        if (secret.Child("stringData") is { } texts)
        {
            var data = secret.Ensure("data");
            foreach (var (key, value) in texts)
                data[key] = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(value.Text() ?? ""));
        }

        secret.Remove("stringData");
    }

    private static void StatefulSet(JsonObject spec)
    {
        spec.Default("replicas", 1);
        spec.Default("podManagementPolicy", "OrderedReady");
        spec.Default("revisionHistoryLimit", 10);
        spec.Default("updateStrategy", new JsonObject());
        var strategy = spec.Ensure("updateStrategy");
        strategy.Default("type", "RollingUpdate");
        if (strategy.Text("type") == "RollingUpdate")
            strategy.Ensure("rollingUpdate").Default("partition", 0);
        var retention = spec.Ensure("persistentVolumeClaimRetentionPolicy");
        retention.Default("whenDeleted", "Retain");
        retention.Default("whenScaled", "Retain");
        foreach (var claim in spec.Objects("volumeClaimTemplates"))
        {
            claim.Default("apiVersion", "v1");
            claim.Default("kind", "PersistentVolumeClaim");
            claim.Ensure("spec").Default("volumeMode", "Filesystem");
            claim["status"] = new JsonObject { ["phase"] = "Pending" };
        }

        Template(spec);
    }

    private static void Deployment(JsonObject spec)
    {
        spec.Default("replicas", 1);
        spec.Default("revisionHistoryLimit", 10);
        spec.Default("progressDeadlineSeconds", 600);
        var strategy = spec.Ensure("strategy");
        strategy.Default("type", "RollingUpdate");
        if (strategy.Text("type") == "RollingUpdate")
        {
            strategy.Ensure("rollingUpdate").Default("maxUnavailable", "25%");
            strategy.Ensure("rollingUpdate").Default("maxSurge", "25%");
        }

        Template(spec);
    }

    private static void Job(JsonObject spec)
    {
        if (spec["completions"] is null && spec["parallelism"] is null)
        {
            spec["completions"] = 1;
            spec["parallelism"] = 1;
        }

        spec.Default("parallelism", 1);
        spec.Default("backoffLimit", 6);
        spec.Default("completionMode", "NonIndexed");
        spec.Default("suspend", false);
        spec.Default("manualSelector", false);
        spec.Default("podReplacementPolicy", spec.ContainsKey("podFailurePolicy") ? "Failed" : "TerminatingOrFailed");
        Template(spec);
    }

    private static void Definition(JsonObject spec)
    {
        var names = spec.Ensure("names");
        var kind = names.Text("kind") ?? "";
        names.Default("singular", kind.ToLowerInvariant());
        names.Default("listKind", kind + "List");
        spec.Default("conversion", new JsonObject { ["strategy"] = "None" });
    }
}
