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

    [Test]
    public async Task Patches_of_each_type_labels_and_annotations()
    {
        await Run("apply -f -", "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, labels: {a: '1'}}, data: {k: v, gone: x}}");
        Assert.That(await Run("""patch cm c -p '{"data":{"k":"strategic","gone":null}}'"""), Is.EqualTo("configmap/c patched\n"));
        Assert.That(await Run("get cm c -o jsonpath={.data}"), Is.EqualTo("""{"k":"strategic"}"""));
        Assert.That(await Run("""patch cm c --type=merge -p '{"data":{"k":"merge"}}'"""), Is.EqualTo("configmap/c patched\n"));
        Assert.That(await Run("""patch cm c --type=json -p '[{"op":"replace","path":"/data/k","value":"json"}]' -o jsonpath={.data.k}"""), Is.EqualTo("json"));
        Assert.That(await Run("label cm c b=2 a-"), Is.EqualTo("configmap/c labeled\n"));
        Assert.That((await Try("label cm c b=3")).Errors, Does.Contain("'b' already has a value (2), and --overwrite is false"));
        Assert.That(await Run("annotate cm c note=mine"), Is.EqualTo("configmap/c annotated\n"));
        Assert.That(await Run("get cm -l b=2 --show-labels"), Does.Match(@"NAME +DATA +AGE +LABELS\nc +1 +\d+s +b=2\n"));
        Assert.That(await Run("get cm c -o custom-columns=NAME:.metadata.name,NOTE:.metadata.annotations.note"), Is.EqualTo("NAME   NOTE\nc      mine\n"));
        Assert.That(await Run("get cm c -o yaml"), Does.Contain("  k: json\n").And.Contain("kind: ConfigMap\n"));
        Assert.That(await Run("get cm c -L b"), Does.Match(@"NAME +DATA +AGE +B\nc +1 +\d+s +2\n"));
        Assert.That((await Try("""patch cm c --type=merge -p '{"data":{"k":1}}'""")).Errors, Does.Contain("is invalid: patch: Invalid value"));
    }

    [Test]
    public async Task A_difference_is_shown_and_a_conflict_of_appliers_is_told()
    {
        const string Pod = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {nodeName: none, containers: [{name: main, image: 'a:1', resources: {requests: {memory: 1024Mi, cpu: 0.5}}}]}}";
        await Run("apply -f -", Pod);
        Assert.That(await Run("diff -f -", Pod), Is.Empty, "the same amount in other words is no difference");
        Assert.That(await Run("diff -f -", Pod.Replace("a:1", "a:2", StringComparison.Ordinal), exitCode: 1), Does.Match(@"-  - image: a:1\n\+  - image: a:2"));
        Assert.That(await Run("get pod p -o jsonpath={.spec.containers[0].image}"), Is.EqualTo("a:1"));

        const string Map = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {k: v}}";
        Assert.That(await Run("apply --server-side --field-manager=one -f -", Map), Is.EqualTo("configmap/c serverside-applied\n"));
        Assert.That(await Run("apply --server-side --field-manager=one -f -", Map), Is.EqualTo("configmap/c serverside-applied\n"));
        var (code, _, errors) = await Try("apply --server-side --field-manager=two -f -", Map.Replace("k: v", "k: w", StringComparison.Ordinal));
        Assert.That(code, Is.EqualTo(1));
        Assert.That(errors, Does.Contain("Apply failed with 1 conflict: conflict with \"one\": .data.k").And.Contain("--force-conflicts"));
        Assert.That(await Run("apply --server-side --field-manager=two --force-conflicts -f -", Map.Replace("k: v", "k: w", StringComparison.Ordinal)), Does.Contain("serverside-applied"));
        Assert.That(await Run("get cm c -o jsonpath={.data.k}"), Is.EqualTo("w"));
    }

    [TestCase("statefulset.spec", "updateStrategy\t<StatefulSetUpdateStrategy>", "replicas\t<integer>", "template\t<PodTemplateSpec> -required-")]
    [TestCase("pod.spec.containers.resources", "limits\t<map[string]", "Compute Resources required by this container")]
    [TestCase("service.spec.ports.targetPort", "FIELD: targetPort <IntOrString>")]
    [TestCase("crd.spec.versions.schema", "openAPIV3Schema\t<JSONSchemaProps>")]
    public async Task Kinds_and_fields_are_explained(string what, params string[] words)
    {
        var output = await Run($"explain {what}");
        foreach (var word in words)
        {
            // From OpenAPI v2, which is all that servers before 1.24 have, kubectl does not tell the names of types.
            if (Minor >= 24 || !word.Contains('<', StringComparison.Ordinal))
                Assert.That(output, Does.Contain(word));
            else
                Assert.That(output, Does.Match(word.Split('\t', '<')[0].Trim().Replace(": ", ": +", StringComparison.Ordinal)));
        }
    }

    [Test]
    public async Task A_field_that_does_not_exist_is_not_explained()
    {
        var (code, _, errors) = await Try("explain job.spec.nothing");
        Assert.That((code, errors), Is.EqualTo((1, "error: field \"nothing\" does not exist\n")));
    }

    [Test]
    public async Task A_field_that_there_is_none_of_is_refused_before_it_is_lost()
    {
        const string Odd = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {nodeName: none, odd: 1, containers: [{name: main, image: a}]}}";
        var (code, _, errors) = await Try("apply -f -", Odd);
        Assert.That(code, Is.EqualTo(1));
        Assert.That(errors, Does.Contain("unknown field \"spec.odd\"").Or.Contain("unknown field \"odd\" in io.k8s.api.core.v1.PodSpec"));
        Assert.That(await Run("apply --validate=false -f -", Odd), Is.EqualTo("pod/p created\n"));
        (code, _, errors) = await Try("apply -f -", "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: 1}}");
        Assert.That(code, Is.EqualTo(1));
        Assert.That(errors, Does.Contain("ConfigMap"));
    }

    [Test]
    public async Task What_is_created_on_the_command_line_is_seen_by_who_watches()
    {
        using var stop = new CancellationTokenSource();
        await Run("create configmap first --from-literal=k=v");
        var lines = _kubectl.Lines("get cm -w --no-headers -o custom-columns=:.metadata.name", stop.Token).GetAsyncEnumerator();
        Assert.That(await lines.MoveNextAsync());
        var seen = new List<string> { lines.Current };
        await Run("create secret generic s --from-literal=password=väl");
        Assert.That(await Run("get secret s -o jsonpath={.data.password}"), Is.EqualTo("dsOkbA=="));
        await Run("create serviceaccount sa");
        await Run("create configmap second");
        while (seen[^1] != "second" && await lines.MoveNextAsync())
            seen.Add(lines.Current);
        await stop.CancelAsync();
        Assert.That(seen, Does.Contain("first").And.Contain("second"));
        Assert.That(await Run("get cm first -o jsonpath={.data}"), Is.EqualTo("""{"k":"v"}"""));
    }

    private Task<string> Run(string arguments, string? input = null, int exitCode = 0) => _kubectl.Run(arguments, input, exitCode);

    private Task<(int Code, string Output, string Errors)> Try(string arguments, string? input = null) => _kubectl.Try(arguments, input);
}
