using System.Globalization;
using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Controllers;

/// <summary>The addresses behind each Service that has a selector.</summary>
internal sealed class EndpointsController(IKubernetesApi api, ControllerOptions options) : IController
{
    private const string ManagedBy = "endpoints.kubernetes.io/managed-by";

    public async Task ReconcileAsync(ClusterView view, CancellationToken cancellationToken)
    {
        var services = view.Services.Values.Where(x => !x.Deleting() && x.Document("spec", "selector") is { Count: > 0 });
        await ControllerHost.EachAsync(services, options, x => $"service {x.Key()}", service => WriteAsync(view, service, cancellationToken))
            .ConfigureAwait(false);
        var orphans = view.Endpoints.Values.Where(x =>
            x.Text("metadata", "labels", ManagedBy) is not null && !view.Services.ContainsKey(x.Key()));
        await ControllerHost.EachAsync(
            orphans, options, x => $"endpoints {x.Key()}",
            x => api.DeleteAsync(Kinds.Endpoints, x.Namespace(), x.Name(), cancellationToken, new DeleteOptions(Uid: x.Uid()))).ConfigureAwait(false);
    }

    /// <summary>What <c>subsets</c> of the service must be.</summary>
    internal static JsonArray Subsets(ClusterView view, JsonObject service)
    {
        var selector = service.Map("spec", "selector");
        var all = service.Flag("spec", "publishNotReadyAddresses") == true;
        var pods = view.Pods.Values.Where(x =>
            x.Namespace() == service.Namespace() && selector.Matches(x) && x.Text("status", "podIP") is not null
            && !x.Finished() && (all || !x.Deleting()));
        return pods
            .GroupBy(x => Ports(service, x).ToJsonString())
            .OrderBy(x => x.Key, StringComparer.Ordinal)
            .Select(group =>
            {
                var members = group.OrderBy(x => x.Text("status", "podIP"), StringComparer.Ordinal).ToList();
                var (ready, unready) = (members.Where(x => all || x.IsTrue("Ready")).ToList(), members.Where(x => !all && !x.IsTrue("Ready")).ToList());
                var subset = new JsonObject();
                if (ready.Count > 0)
                    subset["addresses"] = ready.Select(x => Address(service, x)).ToJson();
                if (unready.Count > 0)
                    subset["notReadyAddresses"] = unready.Select(x => Address(service, x)).ToJson();
                if (Ports(service, members[0]) is { Count: > 0 } ports)
                    subset["ports"] = ports;
                return (JsonNode)subset;
            })
            .ToJson();
    }

    private static JsonArray Ports(JsonObject service, JsonObject pod)
    {
        var ports = new JsonArray();
        foreach (var port in service.Items("spec", "ports"))
        {
            var target = port.Text("targetPort") ?? port.Text("port") ?? "";
            var number = int.TryParse(target, CultureInfo.InvariantCulture, out var parsed)
                ? parsed
                : pod.Items("spec", "containers").SelectMany(x => x.Items("ports")).FirstOrDefault(x => x.Text("name") == target)?.Number("containerPort");
            if (number is null)
                continue;
            var result = new JsonObject { ["port"] = number, ["protocol"] = port.Text("protocol") ?? "TCP" };
            if (port.Text("name") is { Length: > 0 } name)
                result["name"] = name;
            ports.Add(result);
        }

        return ports;
    }

    private static JsonObject Address(JsonObject service, JsonObject pod)
    {
        var address = new JsonObject
        {
            ["ip"] = pod.Text("status", "podIP"),
            ["nodeName"] = pod.Text("spec", "nodeName"),
            ["targetRef"] = new JsonObject { ["kind"] = "Pod", ["namespace"] = pod.Namespace(), ["name"] = pod.Name(), ["uid"] = pod.Uid() },
        };
        if (pod.Text("spec", "subdomain") == service.Name() && pod.Text("spec", "hostname") is { Length: > 0 } hostname)
            address["hostname"] = hostname;
        return address;
    }

    private async Task WriteAsync(ClusterView view, JsonObject service, CancellationToken cancellationToken)
    {
        var subsets = Subsets(view, service);
        var labels = Templates.Clone(service, "metadata", "labels");
        labels[ManagedBy] = "endpoint-controller";
        if (service.Text("spec", "clusterIP") == "None")
            labels["service.kubernetes.io/headless"] = "";
        var present = view.Endpoints.GetValueOrDefault(service.Key());
        if (present is not null && JsonNode.DeepEquals(present.At("subsets") ?? new JsonArray(), subsets)
            && JsonNode.DeepEquals(present.At("metadata", "labels"), labels))
        {
            return;
        }

        var endpoints = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Endpoints",
            ["metadata"] = new JsonObject { ["name"] = service.Name(), ["namespace"] = service.Namespace(), ["labels"] = labels },
            ["subsets"] = subsets,
        };
        if (present is null)
        {
            await api.CreateAsync(Kinds.Endpoints, service.Namespace(), endpoints, cancellationToken).ConfigureAwait(false);
            return;
        }

        var metadata = Templates.Clone(present, "metadata");
        metadata["labels"] = labels.DeepClone();
        endpoints["metadata"] = metadata;
        await api.ReplaceAsync(Kinds.Endpoints, service.Namespace(), service.Name(), endpoints, cancellationToken).ConfigureAwait(false);
    }
}
