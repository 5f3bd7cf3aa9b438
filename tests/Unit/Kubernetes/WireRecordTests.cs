using System.Text.Json;
using System.Text.Json.Nodes;
using Agents.Kubernetes;

namespace Unit.Kubernetes;

internal sealed class WireRecordTests
{
    [Test]
    public void What_is_not_modelled_survives_a_round_trip()
    {
        const string document =
            """
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","managedFields":[{"manager":"kubectl"}],"labels":{"a":"b"}},
             "spec":{"containers":[{"name":"c","image":"i","env":[{"name":"N","value":"V"}]}],"tolerations":[{"key":"k"}]},
             "status":{"phase":"Running","podIP":"10.0.0.1","podIPs":[{"ip":"10.0.0.1"}],"containerStatuses":[{"name":"c","ready":true,"restartCount":2,
               "containerID":"x://1","imageID":"i","lastState":{"terminated":{"exitCode":137,"signal":9,"finishedAt":"2026-11-21T07:01:12Z"}}}]},"new":1}
            """;
        var pod = JsonSerializer.Deserialize(document, KubernetesTypes.Pods.Json)!;
        Assert.That(pod.Status!.ContainerStatuses![0].LastState!.Terminated!.Signal, Is.EqualTo(9));
        var back = JsonSerializer.SerializeToNode(pod with { Metadata = pod.Metadata with { Name = "p" } }, KubernetesTypes.Pods.Json);
        Assert.That(JsonNode.DeepEquals(back, JsonNode.Parse(document)), Is.True, back!.ToJsonString());
    }

    [Test]
    public void A_lease_has_six_digits_after_the_point()
    {
        var at = new DateTimeOffset(2026, 11, 21, 8, 1, 12, TimeSpan.FromHours(1));
        var lease = new Lease { Spec = new LeaseSpec { HolderIdentity = "a", RenewTime = at, LeaseDurationSeconds = 7 } };
        var json = JsonSerializer.Serialize(lease, KubernetesTypes.Leases.Json);
        Assert.That(json, Does.Contain(
            """
            {"holderIdentity":"a","leaseDurationSeconds":7,"renewTime":"2026-11-21T07:01:12.000000Z"}
            """));
        Assert.That(JsonSerializer.Deserialize(json, KubernetesTypes.Leases.Json)!.Spec!.RenewTime, Is.EqualTo(at));
    }

    [Test]
    public void Secrets_are_base64_on_the_wire()
    {
        var secret = JsonSerializer.Deserialize("""{"metadata":{},"data":{"password":"cMOkc3M="}}""", KubernetesTypes.Secrets.Json)!;
        Assert.That(secret.Data!["password"], Is.EqualTo("päss"u8.ToArray()));
    }

    [Test]
    public void Availability_groups_come_in_both_shapes()
    {
        var server = JsonSerializer.Deserialize(
            """
            {"metadata":{"name":"s"},"spec":{"initSQLPod":{"a":1},"transientDBHealthTimeoutSec":9,
             "availabilityGroups":["ag1",{"name":"ag2","availabilityMode":"asynchronousCommit","x":{"y":[1]}},{"name":"ag3"}]}}
            """,
            KubernetesTypes.SqlServers.Json)!;
        Assert.That(server.Spec.AvailabilityGroups, Is.EqualTo(new[]
        {
            new AvailabilityGroupMembership("ag1", "synchronousCommit"),
            new AvailabilityGroupMembership("ag2", "asynchronousCommit"),
            new AvailabilityGroupMembership("ag3", "synchronousCommit"),
        }));
        Assert.That(server.Spec.TransientDbHealthTimeoutSec, Is.EqualTo(9));
        Assert.That(server.Spec.InitSqlPod, Is.Not.Null);
        Assert.That(
            (string?)JsonSerializer.SerializeToNode(server, KubernetesTypes.SqlServers.Json)!["spec"]!["availabilityGroups"]![1]!["availabilityMode"],
            Is.EqualTo("asynchronousCommit"));
    }

    [TestCase("[3]")]
    [TestCase("""[{"availabilityMode":"synchronousCommit"}]""")]
    public void Any_other_shape_is_an_error(string groups) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(
            $$$"""{"metadata":{},"spec":{"availabilityGroups":{{{groups}}}}}""", KubernetesTypes.SqlServers.Json));
}
