using System.Text.Json.Nodes;
using KubernetesEmulator;

namespace Conformance;

/// <summary>As <see cref="ApiServerFixture"/>, with controllers, a scheduler and two nodes that run pods.</summary>
internal abstract class ClusterFixture(Backend backend) : ApiServerFixture(backend)
{
    /// <summary>What pods run that shall just be there.</summary>
    protected const string Idle = """exec sleep 600""";

    protected ICluster Cluster { get; private set; } = null!;

    protected Kubectl Kubectl { get; private set; } = null!;

    [SetUp]
    public void UseKubectl() => Kubectl = new Kubectl(KubeConfig, Ns);

    /// <summary>A pod with one container that runs a script.</summary>
    protected static string Running(string name, string script, string spec = "", string container = "", string metadata = "") =>
        $$$"""
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{name}}}"{{{metadata}}}},"spec":{"terminationGracePeriodSeconds":2,
        "containers":[{"name":"main","image":"busybox:1","command":["sh","-c",{{{JsonValue.Create(script).ToJsonString()}}}]{{{container}}}}]{{{spec}}}}}
        """;

    /// <summary>Waits until a pod's Ready condition is True.</summary>
    protected Task<JsonNode> Ready(string pod) => Api.Until(Core($"pods/{pod}"), (code, x) => code == 200 && Condition(x, "Ready") == "True");

    protected static string? Condition(JsonNode? o, string type) =>
        (o?["status"]?["conditions"] as JsonArray ?? []).Where(x => Text(x, "type") == type).Select(x => Text(x, "status")).FirstOrDefault();

    /// <inheritdoc/>
    protected override async Task<string> StartAsync() => (Cluster = await ApiServers.ClusterAsync(Backend)).KubeConfig;
}
