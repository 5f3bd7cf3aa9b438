using System.Globalization;
using System.Text.Json.Nodes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Nodes;

/// <summary>The variables by which containers find Services, as Docker's links once had them.</summary>
internal static class ServiceVariables
{
    /// <summary>Of Services with an address, in the order of their names.</summary>
    public static Dictionary<string, string> Of(IEnumerable<JsonObject> services)
    {
        var values = new Dictionary<string, string>();
        foreach (var service in services.OrderBy(x => x.Name(), StringComparer.Ordinal))
        {
            if (service.Text("spec", "clusterIP") is not { Length: > 0 } address || address == "None" || service.Items("spec", "ports") is not [var first, ..] ports)
                continue;
            var name = Variable(service.Name());
            values[name + "_SERVICE_HOST"] = address;
            values[name + "_SERVICE_PORT"] = Port(first);
            values[name + "_PORT"] = Url(first);
            foreach (var port in ports)
            {
                if (port.Text("name") is { Length: > 0 } named)
                    values[$"{name}_SERVICE_PORT_{Variable(named)}"] = Port(port);
                var prefix = $"{name}_PORT_{Port(port)}_{Protocol(port)}";
                values[prefix] = Url(port);
                values[prefix + "_PROTO"] = Protocol(port).ToLowerInvariant();
                values[prefix + "_PORT"] = Port(port);
                values[prefix + "_ADDR"] = address;
            }

            string Url(JsonObject port) => $"{Protocol(port).ToLowerInvariant()}://{address}:{Port(port)}";
        }

        return values;
    }

    /// <summary>
    /// The Service <c>kubernetes</c> of the namespace <c>default</c>, with the API server's own address: the Service's would only lead there.
    /// </summary>
    public static JsonObject Kubernetes(Uri apiServer) => new()
    {
        ["metadata"] = new JsonObject { ["name"] = "kubernetes" },
        ["spec"] = new JsonObject
        {
            ["clusterIP"] = apiServer.Host,
            ["ports"] = new JsonArray(new JsonObject { ["name"] = "https", ["port"] = apiServer.Port }),
        },
    };

    private static string Variable(string name) => name.ToUpperInvariant().Replace('-', '_');

    private static string Port(JsonObject port) => (port.Number("port") ?? 0).ToString(CultureInfo.InvariantCulture);

    private static string Protocol(JsonObject port) => port.Text("protocol") ?? "TCP";
}
