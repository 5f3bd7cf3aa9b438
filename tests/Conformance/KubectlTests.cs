namespace Conformance;

/// <summary>kubectl, against either server.</summary>
[Platform("Linux")]
internal sealed class KubectlTests(Backend backend) : ApiServerFixture(backend)
{
    private Kubectl _kubectl = null!;

    [SetUp]
    public void Find()
    {
        Kubectl.Require();
        _kubectl = new Kubectl(KubeConfig, Ns);
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
        // A server publishes the schema some time after it serves the kind.
        Assert.That(async () => (await Try("explain thing.spec.size")).Output, Does.Contain("How big it is.").After(30).Seconds.PollEvery(200).MilliSeconds);
        Assert.That(await Run("delete thing t --timeout=20s"), Does.Contain("deleted"));
    }

    [Test]
    public async Task Rights_are_granted_and_asked_for()
    {
        var account = $"--as=system:serviceaccount:{Ns}:default";
        await Run("apply -f -", """
            {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reader}, rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]}
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: reader}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
            subjects: [{kind: ServiceAccount, name: default}]
            """);
        // A server may take a moment to hear of a binding.
        Assert.That(async () => (await Try($"auth can-i list pods {account}")).Output, Is.EqualTo("yes\n").After(20).Seconds.PollEvery(100).MilliSeconds);
        Assert.That(await Run("auth can-i list pods --as=system:serviceaccount:default:default", exitCode: 1), Is.EqualTo("no\n"));
        Assert.That(await Run($"auth can-i delete pods {account}", exitCode: 1), Is.EqualTo("no\n"));
        Assert.That(await Run($"auth can-i --list {account}"), Does.Match(@"pods +\[\] +\[\] +\[get list\]"));
        Assert.That(await Run("auth can-i '*' '*'"), Is.EqualTo("yes\n"));
        Assert.That(await Run("create token default"), Is.Not.Empty);
    }

    private Task<string> Run(string arguments, string? input = null, int exitCode = 0) => _kubectl.Run(arguments, input, exitCode);

    private Task<(int Code, string Output, string Errors)> Try(string arguments, string? input = null) => _kubectl.Try(arguments, input);
}
