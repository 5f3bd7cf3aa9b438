using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Unit.KubernetesApiServer;

/// <summary>The real kubectl against the server.</summary>
internal sealed class KubectlTests
{
    private readonly string _home = Directory.CreateTempSubdirectory("kubectl").FullName;
    private ApiClient _api = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        try
        {
            using var probe = Process.Start(new ProcessStartInfo("kubectl", "version --client") { RedirectStandardOutput = true, RedirectStandardError = true })!;
            await probe.StandardOutput.ReadToEndAsync();
            await probe.WaitForExitAsync();
        }
        catch (Win32Exception)
        {
            Assert.Ignore("kubectl is not on the PATH");
        }

        _api = await ApiClient.StartAsync();
        await File.WriteAllTextAsync(Path.Combine(_home, "config"), _api.Server.KubeConfig("admin", tokenFile: Path.Combine(_home, "token")));
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (_api is not null)
            await _api.DisposeAsync();
        Directory.Delete(_home, true);
    }

    [Test]
    public async Task Apply_get_describe_wait_scale_label_and_delete()
    {
        const string Manifest = """
            apiVersion: apps/v1
            kind: StatefulSet
            metadata: {name: db, labels: {app: db}}
            spec:
              serviceName: db
              replicas: 1
              selector: {matchLabels: {app: db}}
              template:
                metadata: {labels: {app: db}}
                spec:
                  containers:
                  - {name: main, image: "db:1", ports: [{containerPort: 1433}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: db}
            spec: {selector: {app: db}, ports: [{port: 1433}]}
            """;
        Assert.That(await Run("apply -f -", Manifest), Does.Contain("statefulset.apps/db created").And.Contain("service/db created"));
        Assert.That(await Run("apply -f -", Manifest), Does.Contain("statefulset.apps/db unchanged").And.Contain("service/db unchanged"));
        Assert.That(await Run("apply -f -", Manifest.Replace("db:1", "db:2", StringComparison.Ordinal)), Does.Contain("statefulset.apps/db configured"));
        Assert.That(await Run("apply --server-side --field-manager=ss -f -", "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {k: v}}"),
            Does.Contain("configmap/c serverside-applied"));
        Assert.That(await Run("get statefulsets,services -o wide"), Does.Match("statefulset.apps/db +0/1").And.Contain("1433/TCP").And.Contain("db:2"));
        Assert.That(await Run("get sts db -o jsonpath={.spec.template.spec.containers[0].image}"), Is.EqualTo("db:2"));
        Assert.That(await Run("describe sts db"), Does.Contain("db:2"));
        Assert.That(await Run("describe service db"), Does.Contain("1433/TCP"));
        Assert.That(await Run("scale sts db --replicas=3"), Does.Contain("scaled"));
        Assert.That(await Run("label sts db tier=x"), Does.Contain("labeled"));
        Assert.That(await Run("wait sts/db --for=jsonpath={.spec.replicas}=3 --timeout=20s"), Does.Contain("condition met"));
        Assert.That(await Run("delete sts/db service/db --timeout=20s"), Does.Contain("\"db\" deleted"));
        Assert.That(await Run("get all -A"), Does.Contain("service/kubernetes"));
        Assert.That(await Run("api-resources"), Does.Contain("customresourcedefinitions").And.Contain("leases"));
        Assert.That(await Run("version"), Does.Contain("Server Version: v1.32.0"));
    }

    [Test]
    public async Task Logs_come_from_whoever_runs_the_pod()
    {
        _api.Server.PodLogs = async (request, output, cancellationToken) =>
            await output.WriteAsync(Encoding.UTF8.GetBytes($"{request.Pod}/{request.Container} on {request.Node} tail={request.TailLines}\n"), cancellationToken);
        await Run("apply -f -", "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {nodeName: n1, containers: [{name: main, image: a}, {name: side, image: b}]}}");
        Assert.That(await Run("logs p -c side --tail=5"), Is.EqualTo("p/side on n1 tail=5\n"));
        Assert.That(await Run("get pods"), Does.Match("p +0/2 +Pending +0"));
        Assert.That(await Run("delete pod p --grace-period=0 --force --timeout=20s"), Does.Contain("deleted"));
    }

    [Test]
    public async Task Crds_are_applied_awaited_and_used()
    {
        const string Crd = """
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata: {name: things.example.org}
            spec:
              group: example.org
              scope: Namespaced
              names: {kind: Thing, plural: things}
              versions:
              - name: v1
                served: true
                storage: true
                schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer, description: How big it is.}}}}}}
            """;
        await Run("apply -f -", Crd);
        Assert.That(await Run("wait crd/things.example.org --for=condition=Established --timeout=20s"), Does.Contain("condition met"));
        Assert.That(await Run("apply -f -", "{apiVersion: example.org/v1, kind: Thing, metadata: {name: t}, spec: {size: 1}}"), Does.Contain("thing.example.org/t created"));
        Assert.That(await Run("apply -f -", "{apiVersion: example.org/v1, kind: Thing, metadata: {name: t}, spec: {size: 2}}"), Does.Contain("configured"));
        Assert.That(await Run("get things"), Does.Match("NAME +AGE\nt "));
        Assert.That(await Run("explain thing.spec.size"), Does.Contain("How big it is."));
        Assert.That(await Run("delete thing t --timeout=20s"), Does.Contain("deleted"));
    }

    [Test]
    public async Task Rights_are_granted_and_asked_for()
    {
        await Run("apply -f -", """
            {apiVersion: v1, kind: Namespace, metadata: {name: team}}
            ---
            {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reader, namespace: team}, rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]}
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: reader, namespace: team}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
            subjects: [{kind: ServiceAccount, name: default}]
            """);
        Assert.That(await Run("auth can-i list pods -n team --as=system:serviceaccount:team:default"), Is.EqualTo("yes\n"));
        Assert.That(await Run("auth can-i list pods -n team --as=system:serviceaccount:default:default", exitCode: 1), Is.EqualTo("no\n"));
        Assert.That(await Run("auth can-i delete pods -n team --as=system:serviceaccount:team:default", exitCode: 1), Is.EqualTo("no\n"));
        Assert.That(await Run("auth can-i --list -n team --as=system:serviceaccount:team:default"), Does.Match(@"pods +\[\] +\[\] +\[get list\]"));
        Assert.That(await Run("auth can-i '*' '*'"), Is.EqualTo("yes\n"));
        Assert.That(await Run("create token default -n team"), Is.Not.Empty);
    }

    private async Task<string> Run(string arguments, string? input = null, int exitCode = 0)
    {
        var start = new ProcessStartInfo("kubectl", arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["KUBECONFIG"] = Path.Combine(_home, "config");
        start.Environment["HOME"] = _home;
        using var process = Process.Start(start)!;
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            // A leading brace would make kubectl read JSON.
            await process.StandardInput.WriteAsync(input is null ? "" : "# manifest\n" + input);
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(bound.Token);
            var errors = process.StandardError.ReadToEndAsync(bound.Token);
            await process.WaitForExitAsync(bound.Token);
            Assert.That(process.ExitCode, Is.EqualTo(exitCode), $"kubectl {arguments}: {await errors}");
            return await output;
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }
}
