using System.Globalization;
using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Resources;

namespace KubernetesEmulator.Tables;

internal sealed record Column(string Name, string Type, int Priority, Func<JsonObject, JsonNode?> Cell);

/// <summary>The columns of each kind.</summary>
internal static class Columns
{
    private static readonly Column Age = new("Age", "string", 0, o => Table.Age(o.Text("metadata", "creationTimestamp")));

    public static IReadOnlyList<Column> Of(Resource r)
    {
        if (r.PrinterColumns is { Count: > 0 } custom)
            return [Name(), .. custom.OfType<JsonObject>().Select(Custom)];
        return r.Key switch
        {
            "pods" =>
            [
                Name(), Text("Ready", PodReady), Text("Status", PodStatus), Text("Restarts", PodRestarts), Age, Text("IP", o => Or(o.Text("status", "podIP")), 1),
                Text("Node", o => Or(o.Text("spec", "nodeName")), 1), Text("Nominated Node", o => Or(o.Text("status", "nominatedNodeName")), 1),
                Text("Readiness Gates", _ => "<none>", 1),
            ],
            "services" =>
            [
                Name(), Text("Type", o => o.Text("spec", "type") ?? ""), Text("Cluster-IP", o => Or(o.Text("spec", "clusterIP"))), Text("External-IP", ExternalIp),
                Text("Port(s)", Ports), Age, Text("Selector", o => Labels(o.Child("spec", "selector")), 1),
            ],
            "leases.coordination.k8s.io" => [Name(), Text("Holder", o => o.Text("spec", "holderIdentity") ?? ""), Age],
            "nodes" =>
            [
                Name(), Text("Status", NodeStatus), Text("Roles", _ => "<none>"), Age, Text("Version", o => o.Text("status", "nodeInfo", "kubeletVersion") ?? ""),
                Text("Internal-IP", o => Or(NodeAddress(o, "InternalIP")), 1), Text("External-IP", o => Or(NodeAddress(o, "ExternalIP")), 1),
                Text("OS-Image", o => Or(o.Text("status", "nodeInfo", "osImage"), "<unknown>"), 1),
                Text("Kernel-Version", o => Or(o.Text("status", "nodeInfo", "kernelVersion"), "<unknown>"), 1),
                Text("Container-Runtime", o => Or(o.Text("status", "nodeInfo", "containerRuntimeVersion"), "<unknown>"), 1),
            ],
            "statefulsets.apps" =>
            [
                Name(), Text("Ready", o => $"{o.Number("status", "readyReplicas") ?? 0}/{o.Number("spec", "replicas") ?? 0}"), Age,
                ContainerNames, Images,
            ],
            "deployments.apps" =>
            [
                Name(), Text("Ready", o => $"{o.Number("status", "readyReplicas") ?? 0}/{o.Number("spec", "replicas") ?? 0}"),
                Number("Up-to-date", "status", "updatedReplicas"), Number("Available", "status", "availableReplicas"), Age,
                ContainerNames, Images,
                Selector,
            ],
            "replicasets.apps" =>
            [
                Name(), Number("Desired", "spec", "replicas"), Number("Current", "status", "replicas"), Number("Ready", "status", "readyReplicas"), Age,
                ContainerNames, Images, Selector,
            ],
            "controllerrevisions.apps" =>
            [
                Name(), Text("Controller", o => o.Objects("metadata", "ownerReferences").FirstOrDefault(w => w.Flag("controller")) is { } owner
                    ? $"{owner.Text("kind")?.ToLowerInvariant()}.{owner.Text("apiVersion")?.Split('/')[0]}/{owner.Text("name")}"
                    : "<none>"),
                Text("Revision", o => (o.Number("revision") ?? 0).ToString(CultureInfo.InvariantCulture)), Age,
            ],
            "jobs.batch" =>
            [
                Name(), Text("Status", JobStatus), Text("Completions", o => $"{o.Number("status", "succeeded") ?? 0}/{o.Number("spec", "completions") ?? 1}"),
                Text("Duration", JobDuration), Age, ContainerNames, Images, Selector,
            ],
            "configmaps" => [Name(), new("Data", "integer", 0, o => (o.Child("data")?.Count ?? 0) + (o.Child("binaryData")?.Count ?? 0)), Age],
            "secrets" => [Name(), Text("Type", o => o.Text("type") ?? ""), new("Data", "integer", 0, o => o.Child("data")?.Count ?? 0), Age],
            "serviceaccounts" => [Name(), new("Secrets", "integer", 0, o => o.Objects("secrets").Count()), Age],
            "namespaces" => [Name(), Text("Status", o => o.Text("status", "phase") ?? ""), Age],
            "events" =>
            [
                Text("Last Seen", o => Table.Age(o.Text("lastTimestamp") ?? o.Text("series", "lastObservedTime") ?? o.Text("eventTime") ?? o.Text("metadata", "creationTimestamp"))),
                Text("Type", o => o.Text("type") ?? ""), Text("Reason", o => o.Text("reason") ?? ""),
                Text("Object", o => $"{o.Text("involvedObject", "kind")?.ToLowerInvariant()}/{o.Text("involvedObject", "name")}"),
                Text("Subobject", o => o.Text("involvedObject", "fieldPath") ?? "", 1),
                Text("Source", o => string.Join(", ", new[] { o.Text("source", "component"), o.Text("source", "host") }.Where(t => t is { Length: > 0 })), 1),
                Text("Message", o => o.Text("message") ?? ""), Text("First Seen", o => Table.Age(o.Text("firstTimestamp") ?? o.Text("eventTime")), 1),
                Text("Count", o => (o.Number("count") ?? 1).ToString(CultureInfo.InvariantCulture), 1), Text("Name", o => o.Text("metadata", "name") ?? "", 1),
            ],
            "persistentvolumeclaims" =>
            [
                Name(), Text("Status", o => o.At("metadata", "deletionTimestamp") is null ? o.Text("status", "phase") ?? "" : "Terminating"),
                Text("Volume", o => o.Text("spec", "volumeName") ?? ""), Text("Capacity", o => o.Text("status", "capacity", "storage") ?? ""),
                Text("Access Modes", Modes), Text("StorageClass", o => o.Text("spec", "storageClassName") ?? ""), Text("VolumeAttributesClass", _ => "<unset>"), Age,
                Text("VolumeMode", o => o.Text("spec", "volumeMode") ?? "", 1),
            ],
            "persistentvolumes" =>
            [
                Name(), Text("Capacity", o => o.Text("spec", "capacity", "storage") ?? ""), Text("Access Modes", Modes),
                Text("Reclaim Policy", o => o.Text("spec", "persistentVolumeReclaimPolicy") ?? ""), Text("Status", o => o.Text("status", "phase") ?? ""),
                Text("Claim", o => o.Child("spec", "claimRef") is { } c ? $"{c.Text("namespace")}/{c.Text("name")}" : ""),
                Text("StorageClass", o => o.Text("spec", "storageClassName") ?? ""), Text("VolumeAttributesClass", _ => "<unset>"),
                Text("Reason", o => o.Text("status", "reason") ?? ""), Age, Text("VolumeMode", o => o.Text("spec", "volumeMode") ?? "<unset>", 1),
            ],
            "resourcequotas" => [Name(), Age, Text("Request", o => Quota(o, limits: false)), Text("Limit", o => Quota(o, limits: true))],
            "networkpolicies.networking.k8s.io" => [Name(), Text("Pod-Selector", o => Labels(o.Child("spec", "podSelector", "matchLabels"))), Age],
            "endpointslices.discovery.k8s.io" =>
            [
                Name(), Text("AddressType", o => o.Text("addressType") ?? ""),
                Text("Ports", o => Or(string.Join(",", o.Objects("ports").Select(p => Scalar(p["port"]))), "<unset>")),
                Text("Endpoints", o => Or(string.Join(",", o.Objects("endpoints").SelectMany(e => e.Texts("addresses"))), "<unset>")), Age,
            ],
            "storageclasses.storage.k8s.io" =>
                [Name(), Text("Provisioner", o => o.Text("provisioner") ?? ""), Text("ReclaimPolicy", o => o.Text("reclaimPolicy") ?? ""),
                    Text("VolumeBindingMode", o => o.Text("volumeBindingMode") ?? ""),
                    Text("AllowVolumeExpansion", o => o.Flag("allowVolumeExpansion") ? "true" : "false"), Age],
            "endpoints" => [Name(), Text("Endpoints", Endpoints), Age],
            "poddisruptionbudgets.policy" =>
            [
                Name(), Text("Min Available", o => Or(Scalar(o.At("spec", "minAvailable")), "N/A")), Text("Max Unavailable", o => Or(Scalar(o.At("spec", "maxUnavailable")), "N/A")),
                Number("Allowed Disruptions", "status", "disruptionsAllowed"), Age,
            ],
            "customresourcedefinitions.apiextensions.k8s.io" or "limitranges" => [Name(), Text("Created At", o => o.Text("metadata", "creationTimestamp") ?? "")],
            "roles.rbac.authorization.k8s.io" or "clusterroles.rbac.authorization.k8s.io" =>
                [Name(), Text("Created At", o => o.Text("metadata", "creationTimestamp") ?? "")],
            "rolebindings.rbac.authorization.k8s.io" or "clusterrolebindings.rbac.authorization.k8s.io" =>
                [Name(), Text("Role", o => $"{o.Text("roleRef", "kind")}/{o.Text("roleRef", "name")}"), Age,
                    Text("Users", o => Subjects(o, "User"), 1), Text("Groups", o => Subjects(o, "Group"), 1), Text("ServiceAccounts", o => Subjects(o, "ServiceAccount"), 1)],
            _ => [Name(), Age],
        };
    }

    private static readonly Column ContainerNames = Text("Containers", o => Join(o, "name", "spec", "template", "spec", "containers"), 1);

    private static readonly Column Images = Text("Images", o => Join(o, "image", "spec", "template", "spec", "containers"), 1);

    private static readonly Column Selector = Text("Selector", o => Labels(o.Child("spec", "selector", "matchLabels")), 1);

    private static Column Name() => new("Name", "string", 0, o => o.Text("metadata", "name"));

    private static Column Text(string name, Func<JsonObject, string> cell, int priority = 0) => new(name, "string", priority, o => cell(o));

    private static Column Number(string name, params string[] path) => new(name, "integer", 0, o => o.Number(path) ?? 0);

    private static Column Custom(JsonObject column)
    {
        var path = JsonPath.Parse(column.Text("jsonPath") ?? "");
        var type = column.Text("type") ?? "string";
        return new(column.Text("name") ?? "", type == "date" ? "date" : type, (int)(column.Number("priority") ?? 0), o =>
        {
            var found = path(o).ToList();
            if (found.Count == 0)
                return null;
            if (type == "date")
                return Table.Age(found[0].Text());
            return type == "string" ? string.Join(",", found.Select(Scalar)) : found[0]?.DeepClone();
        });
    }

    private static string Or(string? text, string none = "<none>") => text is null or "" ? none : text;

    private static string Scalar(JsonNode? node) => node is null ? "" : node.Text() ?? Document.Show(node);

    private static string Labels(JsonObject? labels) => Or(string.Join(",", (labels ?? []).Select(l => $"{l.Key}={l.Value.Text()}")));

    private static string Join(JsonObject o, string field, params string[] path) => string.Join(",", o.Objects(path).Select(c => c.Text(field)));

    private static string Modes(JsonObject o) => string.Join(",", o.Texts("spec", "accessModes").Select(m => m switch
    {
        "ReadWriteOnce" => "RWO", "ReadOnlyMany" => "ROX", "ReadWriteMany" => "RWX", "ReadWriteOncePod" => "RWOP", _ => m,
    }));

    private static string? NodeAddress(JsonObject o, string type) => o.Objects("status", "addresses").FirstOrDefault(a => a.Text("type") == type).Text("address");

    private static string Subjects(JsonObject o, string kind) => string.Join(", ", o.Objects("subjects").Where(s => s.Text("kind") == kind)
        .Select(s => s.Text("namespace") is { Length: > 0 } ns ? $"{ns}/{s.Text("name")}" : s.Text("name")));

    private static string Quota(JsonObject o, bool limits) => string.Join(", ", (o.Child("status", "hard") ?? [])
        .Where(h => h.Key.StartsWith("limits.", StringComparison.Ordinal) == limits).Select(h => $"{h.Key}: {Or(o.Text("status", "used", h.Key), "0")}/{h.Value.Text()}"));

    private static string PodReady(JsonObject o) =>
        $"{o.Objects("status", "containerStatuses").Count(c => c.Flag("ready"))}/{o.Objects("spec", "containers").Count()}";

    private static string PodRestarts(JsonObject o) =>
        o.Objects("status", "containerStatuses").Sum(c => c.Number("restartCount") ?? 0).ToString(CultureInfo.InvariantCulture);

    private static string PodStatus(JsonObject o)
    {
        var status = o.Text("status", "reason") ?? o.Text("status", "phase") ?? "Unknown";
        var init = o.Objects("status", "initContainerStatuses").ToList();
        var busy = false;
        for (var i = 0; i < init.Count && !busy; i++)
        {
            var state = init[i].Child("state");
            if (state.Child("terminated") is { } ended && ended.Number("exitCode") == 0)
                continue;
            busy = true;
            status = state.Child("terminated") is { } failed
                ? "Init:" + (failed.Text("reason") ?? $"ExitCode:{failed.Number("exitCode")}")
                : state.Text("waiting", "reason") is { Length: > 0 } reason and not "PodInitializing" ? "Init:" + reason : $"Init:{i}/{init.Count}";
        }

        if (!busy)
        {
            var running = false;
            foreach (var container in o.Objects("status", "containerStatuses").Reverse())
            {
                var state = container.Child("state");
                if (state.Text("waiting", "reason") is { Length: > 0 } waiting)
                    status = waiting;
                else if (state.Child("terminated") is { } ended)
                    status = ended.Text("reason") is { Length: > 0 } why ? why : $"ExitCode:{ended.Number("exitCode")}";
                else if (container.Flag("ready") && state.Child("running") is not null)
                    running = true;
            }

            if (status == "Completed" && running)
                status = "Running";
        }

        return o.At("metadata", "deletionTimestamp") is null ? status : "Terminating";
    }

    private static string NodeStatus(JsonObject o)
    {
        var ready = o.Objects("status", "conditions").FirstOrDefault(c => c.Text("type") == "Ready").Text("status") switch
        {
            "True" => "Ready", "False" or "Unknown" => "NotReady", _ => "Unknown",
        };
        return o.Flag("spec", "unschedulable") ? ready + ",SchedulingDisabled" : ready;
    }

    private static string ExternalIp(JsonObject o) => o.Text("spec", "type") switch
    {
        "ExternalName" => o.Text("spec", "externalName") ?? "",
        "LoadBalancer" => Or(string.Join(",", o.Objects("status", "loadBalancer", "ingress").Select(i => i.Text("ip") ?? i.Text("hostname"))), "<pending>"),
        _ => "<none>",
    };

    private static string Ports(JsonObject o) => Or(string.Join(",", o.Objects("spec", "ports").Select(p =>
        $"{p.Number("port")}{(p.Number("nodePort") is > 0 and var n ? $":{n}" : "")}/{p.Text("protocol")}")));

    private static string Endpoints(JsonObject o)
    {
        var all = o.Objects("subsets").SelectMany(s => s.Objects("addresses").SelectMany(a => s.Objects("ports").Select(p => $"{a.Text("ip")}:{p.Number("port")}"))).ToList();
        return all.Count > 3 ? $"{string.Join(",", all.Take(3))} + {all.Count - 3} more..." : Or(string.Join(",", all));
    }

    private static string JobStatus(JsonObject o)
    {
        foreach (var (condition, status) in new[] { ("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended") })
        {
            if (o.Objects("status", "conditions").Any(c => c.Text("type") == condition && c.Text("status") == "True"))
                return status;
        }

        return o.At("metadata", "deletionTimestamp") is null ? "Running" : "Terminating";
    }

    private static string JobDuration(JsonObject o)
    {
        if (Document.ParseTime(o.Text("status", "startTime")) is not { } start)
            return "";
        var end = Document.ParseTime(o.Text("status", "completionTime")) ?? DateTimeOffset.UtcNow;
        return $"{(long)Math.Max(0, (end - start).TotalSeconds)}s";
    }
}
