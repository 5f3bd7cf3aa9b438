using KubernetesEmulator.Nodes;

namespace Conformance;

/// <summary>What a container finds around itself.</summary>
[Platform("Linux")]
internal sealed class ContainerTests(Backend backend) : ClusterFixture(backend)
{
    [Test]
    public async Task A_program_without_any_configuration_reaches_the_API_server_as_its_account()
    {
        if (!Isolation.Here.Mounts)
            Assert.Ignore("this process may not mount anything");
        if (!File.Exists("/usr/bin/curl"))
            Assert.Ignore("curl is not there");
        await Api.Make(Core("pods"), Running("p", """
            cd /var/run/secrets/kubernetes.io/serviceaccount
            curl -sS --cacert ca.crt -H "Authorization: Bearer $(cat token)" https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/api/v1/namespaces/$(cat namespace)/pods
            exec sleep 600
            """));
        await Says($"User \\\"system:serviceaccount:{Ns}:default\\\" cannot list resource \\\"pods\\\"");
    }

    [Test]
    public async Task Services_are_variables_and_a_pod_runs_as_its_user()
    {
        var (_, service) = await Api.Post(Core("services"), """{"metadata":{"name":"the-db"},"spec":{"ports":[{"port":1433}]}}""");
        await Api.Make(Core("pods"), Running("p", "echo $(id -u):$THE_DB_SERVICE_HOST:$THE_DB_SERVICE_PORT; exec sleep 600", ""","securityContext":{"runAsUser":10001}"""));
        await Says($"{(Isolation.Here.Users ? "10001" : "")}:{Text(service, "spec", "clusterIP")}:1433\n");
    }

    private async Task Says(string text)
    {
        var log = "";
        for (var i = 0; i < 3000 && !log.Contains(text, StringComparison.Ordinal); i++, await Task.Delay(10))
        {
            using var response = await Api.Http.GetAsync(Core("pods/p/log"));
            log = await response.Content.ReadAsStringAsync();
        }

        Assert.That(log, Does.Contain(text));
    }
}
