using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Agents.AgAgent;
using Agents.AgSupervisor;
using Agents.Election;
using Agents.Failover;
using Agents.Groups;
using Agents.Hosting;
using Agents.InitSql;
using Agents.Kubernetes;
using Agents.Operator;
using Agents.Operator.Manifests;
using Agents.Operator.Reconciliation;
using Agents.Operator.Specs;
using Agents.RotateCreds;
using Agents.Security;
using Agents.Sql;
using KubernetesEmulator.Wire;
using Sandbox.Playground;
using Scenarios.Rights;

namespace Conformance.Rights;

/// <summary>
/// Each right of our manifests, taken away alone: whoever held it must miss it, and say which it is. With all its rights nobody complains. The executables'
/// parts run in this process, with the token of a service account that has the manifest's rules, so that it is quick enough to be done for each.
/// </summary>
internal sealed class RightsTests(Backend backend) : ApiServerFixture(backend)
{
    private const string Account = "holder";
    private const string Definition = "sqlservers.mssql.microsoft.com";
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private HttpKubernetesApi _admin = null!;
    private Complaints _complaints = null!;
    private CancellationTokenSource _stop = null!;

    private static Right[] OperatorRights { get; } = Shipped("operator/rbac.yaml");

    private static Right[] NamespacedRights { get; } = Shipped("operator-namespaced/rbac.yaml");

    private static Right[] FailoverRights { get; } = Shipped("samples/jobs/failover/failover.yaml");

    private static Right[] RotationRights { get; } = Shipped("samples/jobs/rotate-creds/rotate-creds.yaml");

    private static Right[] AgentRights { get; } = [.. Right.Of(AccessManifests.Role(SpecReader.Read(Instance("mssql1")).Spec!, ["mssql1", "mssql2"]))];

    [OneTimeSetUp]
    public async Task Define()
    {
        _admin = new HttpKubernetesApi(KubernetesConfiguration.FromFile(KubeConfig), TimeProvider.System, new Random(1), "test");
        await DefineAsync();
    }

    [OneTimeTearDown]
    public void Leave() => _admin?.Dispose();

    [SetUp]
    public void Begin()
    {
        _complaints = new Complaints();
        _stop = new CancellationTokenSource(Bound);
    }

    [TearDown]
    public async Task EndAsync()
    {
        _stop.Dispose();
        foreach (var server in (await _admin.ListAsync(Kinds.SqlServers, Ns, ListOptions.All, default)).Items)
        {
            var name = (string)server["metadata"]!["name"]!;
            await _admin.MergePatchAsync(Kinds.SqlServers, Ns, name, new JsonObject { ["metadata"] = new JsonObject { ["finalizers"] = null } }, default);
            await _admin.DeleteAsync(Kinds.SqlServers, Ns, name, default);
        }
    }

    [Test]
    public async Task The_operator_needs_no_more_than_its_rights()
    {
        await OperateAsync(OperatorRights, WorkIsDoneAsync);
        Assert.That(_complaints.Lines, Has.None.Contains("orbidden"));
    }

    [TestCaseSource(nameof(OperatorRights))]
    public async Task The_operator_says_that_it_lacks(Right missing)
    {
        var create = missing is { Verb: "create", Resource: "customresourcedefinitions" };
        if (create)
        {
            await _admin.DeleteAsync(Kinds.Definitions, null, Definition, _stop.Token);
            await UntilAsync(async () => await _admin.GetAsync(Kinds.Definitions, null, Definition, _stop.Token) is null);
        }

        try
        {
            await OperateAsync(OperatorRights.Except([missing]), () => Task.FromResult(_complaints.Name(missing)), instances: !create);
        }
        finally
        {
            if (create)
                await DefineAsync();
        }
    }

    [Test]
    public async Task With_rights_in_its_namespace_only_the_operator_says_what_it_cannot_know_and_goes_on()
    {
        await OperateAsync(NamespacedRights, WorkIsDoneAsync, clusterWide: false);
        Assert.That(_complaints.Lines.Where(x => x.Contains("orbidden", StringComparison.Ordinal)), Has.Exactly(2).Items.And.All.StartsWith($"CRD {Definition} may not be "));
    }

    [Test]
    public async Task Kubectl_renders_the_operator_of_some_namespaces_without_anything_that_is_for_all()
    {
        Kubectl.Require();
        var rendered = Yaml.Parse(await new Kubectl(KubeConfig, null).Run($"kustomize {Repository.Root}/deploy/operator-namespaced")).ToList();
        Assert.That(rendered.Select(x => $"{x!["kind"]} {x["metadata"]!["namespace"]}/{x["metadata"]!["name"]}"), Is.EquivalentTo(new[]
        {
            "Namespace /mssql-operator", "ServiceAccount mssql-operator/mssql-operator",
            "Role mssql-operator/mssql-operator-election", "RoleBinding mssql-operator/mssql-operator-election", "Role ag1/mssql-operator", "RoleBinding ag1/mssql-operator",
            "Deployment mssql-operator/mssql-operator",
        }));
        var subject = rendered.Single(x => (string?)x!["kind"] == "RoleBinding" && (string?)x["metadata"]!["namespace"] == "ag1")!["subjects"]![0]!;
        Assert.That((string?)subject["namespace"], Is.EqualTo("mssql-operator"));
        var variables = rendered.Single(x => (string?)x!["kind"] == "Deployment")!["spec"]!["template"]!["spec"]!["containers"]![0]!["env"]!.AsArray();
        Assert.That(variables.Select(x => $"{x!["name"]}={x["value"]}"), Does.Contain("MSSQL_K8S_WATCH_NAMESPACES=ag1").And.Contain("MSSQL_POD_NAME="));
    }

    [Test]
    public async Task A_definition_that_is_too_old_and_may_not_be_applied_is_waited_for()
    {
        var old = (await _admin.GetAsync(Kinds.Definitions, null, Definition, _stop.Token))!;
        old["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!["properties"]!.AsObject().Remove("sqlPostInitScript");
        await _admin.ReplaceAsync(Kinds.Definitions, null, Definition, old, _stop.Token);
        await OperateAsync(OperatorRights.Where(x => x is not { Resource: "customresourcedefinitions", Verb: "patch" }), async () =>
        {
            if (!_complaints.Lines.Any(x => x.EndsWith("Apply deploy/crds; it lacks: spec.sqlPostInitScript", StringComparison.Ordinal)))
                return false;
            Assert.That(_complaints.Lines, Has.None.StartsWith("Watching"));
            await DefineAsync();
            return true;
        });
    }

    [Test]
    public async Task The_agents_need_no_more_than_their_rights()
    {
        await RunAgentsAsync(AgentRights, () => Task.FromResult(true));
        Assert.That(_complaints.Lines, Has.None.Contains("orbidden"));
    }

    [TestCaseSource(nameof(AgentRights))]
    public Task The_agents_say_that_they_lack(Right missing) => RunAgentsAsync(AgentRights.Except([missing]), () => Task.FromResult(_complaints.Name(missing)));

    [Test]
    public async Task The_failover_Job_needs_no_more_than_its_rights() =>
        Assert.That(await FailOverAsync(FailoverRights), Is.EqualTo(ExitCodes.OutOfTime), "nobody answers here");

    [Test]
    public async Task The_rotation_needs_no_more_than_its_rights() =>
        Assert.That(await RotateAsync(RotationRights), Is.EqualTo(ExitCodes.Done), string.Join('\n', _complaints.Lines));

    [TestCaseSource(nameof(FailoverRights))]
    public async Task The_failover_Job_fails_for_want_of(Right missing)
    {
        Assert.That(await FailOverAsync(FailoverRights.Except([missing])), Is.EqualTo(ExitCodes.Failed));
        Assert.That(_complaints.Name(missing), string.Join('\n', _complaints.Lines));
    }

    [TestCaseSource(nameof(RotationRights))]
    public async Task The_rotation_fails_for_want_of(Right missing)
    {
        Assert.That(await RotateAsync(RotationRights.Except([missing])), Is.EqualTo(ExitCodes.Failed));
        Assert.That(_complaints.Name(missing), string.Join('\n', _complaints.Lines));
    }

    private static Right[] Shipped(string path) =>
        [.. Manifest.ReadShipped("ns", path).Where(x => (string?)x["kind"] is "Role" or "ClusterRole").SelectMany(Right.Of).Distinct()];

    private static JsonObject Instance(string name) =>
        Manifest.ReadShipped("ns", "samples/ag/sqlserver.yaml").Single(x => (string?)x["metadata"]!["name"] == name);

    private async Task DefineAsync()
    {
        await _admin.ApplyAsync(Manifest.ReadShipped("", "crds/sqlservers.mssql.microsoft.com.json"), default);
        using var bound = new CancellationTokenSource(Bound);
        for (var served = false; !served;)
        {
            try
            {
                await _admin.ListAsync(Kinds.SqlServers, "default", ListOptions.All, bound.Token);
                served = true;
            }
            catch (KubernetesException)
            {
                await Task.Delay(20, bound.Token);
            }
        }
    }

    /// <summary>Whether all is done that an operator finds to do in <see cref="OperateAsync"/>.</summary>
    private async Task<bool> WorkIsDoneAsync() =>
        (string?)(await _admin.GetAsync(Kinds.StatefulSets, Ns, "mssql1", _stop.Token))?["spec"]!["volumeClaimTemplates"]![0]!["spec"]!["resources"]!["requests"]!["storage"] == "5Gi"
        && await _admin.GetAsync(Kinds.Services, Ns, "mssql1-client", _stop.Token) is null
        && await _admin.GetAsync(Kinds.Jobs, Ns, "outdated", _stop.Token) is null
        && (await _admin.ListAsync(Kinds.Jobs, Ns, ListOptions.All, _stop.Token)).Items.Count == 1
        && (string?)(await _admin.GetAsync(Kinds.Pods, Ns, "mssql1-0", _stop.Token))?["metadata"]?["labels"]?["outdated"] is null
        && (await _admin.GetAsync(Kinds.SqlServers, Ns, "mssql1", _stop.Token))?["status"] is not null
        && (await _admin.ListAsync(Kinds.Events, Ns, ListOptions.All, _stop.Token)).Items.Any(x => (string?)x["reason"] == "InvalidSpec");

    /// <summary>Runs the operator over a namespace in which there is something to do of each kind, until <paramref name="seen"/>.</summary>
    private async Task OperateAsync(IEnumerable<Right> rights, Func<Task<bool>> seen, bool instances = true, bool clusterWide = true)
    {
        if (instances)
        {
            await MakeAsync("mssql.microsoft.com/v1", "SqlServer", "mssql1", new() { ["spec"] = Instance("mssql1")["spec"]!.DeepClone() });
            var refused = Instance("mssql2")["spec"]!.DeepClone();
            refused["acceptEula"] = false;
            await MakeAsync("mssql.microsoft.com/v1", "SqlServer", "mssql2", new() { ["spec"] = refused });
        }

        var labels = new JsonObject { [Names.ManagedBy] = Names.FieldManager, [Names.InstanceLabel] = "mssql1", ["outdated"] = "" };
        var template = JsonNode.Parse("""{"restartPolicy":"Never","containers":[{"name":"main","image":"busybox:1"}]}""")!;
        await MakeAsync("v1", "Pod", "mssql1-0", new() { ["spec"] = template.DeepClone() }, labels);
        await MakeAsync("v1", "Service", "mssql1-client", (JsonObject)JsonNode.Parse("""{"spec":{"ports":[{"port":1433}]}}""")!, labels);
        await MakeAsync("apps/v1", "StatefulSet", "mssql1", (JsonObject)JsonNode.Parse("""
            {"spec":{"replicas":0,"serviceName":"s","selector":{"matchLabels":{"a":"b"}},
             "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"mssql-server","image":"i"}]}},
             "volumeClaimTemplates":[{"metadata":{"name":"mssql-root"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}]}}
            """)!, labels);
        await MakeAsync("batch/v1", "Job", "outdated", new() { ["spec"] = new JsonObject { ["template"] = new JsonObject { ["spec"] = template } } }, labels);

        var configuration = await LoginAsync(rights, clusterWide);
        using var api = new HttpKubernetesApi(configuration, TimeProvider.System, new Random(1), Names.FieldManager);
        var reconciler = new Reconciler(
            api, new StepRunner(api, TimeProvider.System, new PasswordGenerator(), _complaints), new SecretObserver(api, TimeProvider.System),
            new StatusWriter(api, TimeProvider.System, _complaints), [], TimeProvider.System, _complaints);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var running = new OperatorLoop(api, new OperatorOptions(configuration, [Ns], [], Ns, new AgentIdentity("operator", "uid")), reconciler, TimeProvider.System, _complaints).RunAsync(end.Token);
        await UntilAsync(seen, running);
        await end.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Supervisor, AG agent and init-sql as far as they ask the API server, until <paramref name="seen"/>.</summary>
    private async Task RunAgentsAsync(IEnumerable<Right> rights, Func<Task<bool>> seen)
    {
        await MakeAsync("mssql.microsoft.com/v1", "SqlServer", "mssql1", new() { ["spec"] = Instance("mssql1")["spec"]!.DeepClone() });
        var pod = await MakeAsync("v1", "Pod", "mssql1-0", (JsonObject)JsonNode.Parse("""{"spec":{"containers":[{"name":"main","image":"busybox:1"}]}}""")!);
        await MakeAsync("v1", "ConfigMap", "ag1", new() { ["data"] = new JsonObject { [GroupDocuments.MembersKey] = "[]" } });
        await MakeAsync("v1", "Secret", "mssql2-agent-login", (JsonObject)JsonNode.Parse("""{"stringData":{"username":"u","password":"p"}}""")!);
        var configuration = await LoginAsync(rights);
        using var api = new HttpKubernetesApi(configuration, TimeProvider.System, new Random(1), "agents");
        var uid = (string)pod["metadata"]!["uid"]!;
        var settings = new GroupSettings("ag1", new AgentIdentity("mssql1-0", uid), LeaseTimings.Default);
        GroupStore NewStore() => new(api, settings, Ns, static () => { }, TimeProvider.System, new Random(1), _complaints);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var running = Task.WhenAll(
            new SupervisorLoop(new SupervisorOptions(Ns, "mssql1-0", uid, "mssql1", configuration), api, new NoProcesses(), TimeProvider.System, new Random(1), _complaints)
                .RunAsync(end.Token),
            NewStore().RunAsync(end.Token));

        // It watches nothing, so that a Lease that somebody changes is a conflict for it.
        var store = NewStore();
        await TryAsync(() => store.AcquireAsync(null, _stop.Token));
        if (await _admin.GetAsync(Kinds.Leases, Ns, "ag1", _stop.Token) is { } lease)
        {
            await TryAsync(() => store.RenewAsync((string)lease["metadata"]!["resourceVersion"]!, _stop.Token));
            var change = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["changed"] = "by-somebody" } } };
            await _admin.MergePatchAsync(Kinds.Leases, Ns, "ag1", change, _stop.Token);
        }

        await TryAsync(() => store.ReleaseHeldAsync("", _stop.Token));
        await TryAsync(() => store.NoteCreatorAsync("mssql1-0", _stop.Token));
        await TryAsync(() => store.AnswerAsync(new FailoverResult("1", FailoverState.Refused, "no", null), _stop.Token));
        await TryAsync(() => store.SetRoleLabelAsync("mssql1-0", "primary", _stop.Token));
        var member = new GroupMember("mssql2-0", "mssql2", AvailabilityMode.SynchronousCommit, "TCP://mssql2:5022");
        await TryAsync(() => new PeerInstances(api, Ns, 1433, static (_, _, _) => new AgreeableInstance()).ForAsync(member, "10.0.0.2", _stop.Token));
        _complaints.Note((await new InstanceAddress(api, InitSql(configuration)).FindAsync(_stop.Token)).Why);

        await UntilAsync(seen, running);
        await end.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<int> FailOverAsync(IEnumerable<Right> rights)
    {
        var members = GroupDocuments.WriteMembers([new("mssql2-0", "mssql2", AvailabilityMode.SynchronousCommit, "TCP://mssql2:5022")]);
        await MakeAsync("v1", "ConfigMap", "ag1", new() { ["data"] = new JsonObject { [GroupDocuments.MembersKey] = members } });
        var configuration = await LoginAsync(rights);
        using var api = new HttpKubernetesApi(configuration, TimeProvider.System, new Random(1), "failover");
        await using var output = new StringWriter();
        var job = new FailoverJob(api, new FailoverOptions(Ns, "ag1", "mssql2-0", false, TimeSpan.FromMilliseconds(1), configuration), TimeProvider.System, output);
        return await EndAsync(() => job.RunAsync(_stop.Token));
    }

    private async Task<int> RotateAsync(IEnumerable<Right> rights)
    {
        const string container = """
            {"name":"mssql-server","image":"i","env":[{"name":"MSSQL_SA_PASSWORD","valueFrom":{"secretKeyRef":{"name":"sql-secrets","key":"sapassword"}}}]}
            """;
        await MakeAsync("v1", "Secret", "sql-secrets", (JsonObject)JsonNode.Parse("""{"stringData":{"sapassword":"old"}}""")!);
        await MakeAsync("apps/v1", "StatefulSet", "mssql1", (JsonObject)JsonNode.Parse($$$"""
            {"spec":{"replicas":0,"serviceName":"s","selector":{"matchLabels":{"a":"b"}},
             "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{{{container}}}]} } } }
            """)!);
        await MakeAsync("v1", "Pod", "mssql1-0", (JsonObject)JsonNode.Parse($$$"""{"spec":{"containers":[{{{container}}}]} }""")!);
        await _admin.MergePatchAsync(
            Kinds.Pods, Ns, "mssql1-0", (JsonObject)JsonNode.Parse("""{"status":{"podIP":"10.0.0.1","podIPs":[{"ip":"10.0.0.1"}]}}""")!, _stop.Token, "status");
        var configuration = await LoginAsync(rights);
        using var api = new HttpKubernetesApi(configuration, TimeProvider.System, new Random(1), "rotate-creds");
        var options = new RotateCredsOptions
        {
            Namespace = Ns, SqlServer = "mssql1", CurrentSaPassword = new SqlSecret("old"), NewSaPassword = new SqlSecret("new"),
            QueryTimeout = TimeSpan.FromSeconds(1), Kubernetes = configuration,
        };
        return await EndAsync(async () =>
        {
            var outcome = await new Rotation(options, api, static (_, _) => new AgreeableInstance(), _complaints).RunAsync(_stop.Token);
            _complaints.Note(outcome.Message);
            return outcome.ExitCode;
        });
    }

    /// <summary>As the executable itself ends: what is refused is its last line.</summary>
    private async Task<int> EndAsync(Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (KubernetesException error)
        {
            _complaints.Note(error.Message);
            return ExitCodes.Failed;
        }
    }

    private async Task TryAsync(Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (KubernetesException error)
        {
            _complaints.Note(error.Message);
        }
    }

    private InitSqlOptions InitSql(KubernetesConfiguration configuration) => new()
    {
        Namespace = Ns, Instance = "mssql1", ServerName = "mssql1-0", SaPassword = new SqlSecret("p"), AgentLoginDirectory = "", CertificateDirectory = "",
        QueryTimeout = TimeSpan.FromSeconds(1), Kubernetes = configuration,
    };

    /// <summary>A service account with these rights, once the server knows of them.</summary>
    private async Task<KubernetesConfiguration> LoginAsync(IEnumerable<Right> rights, bool clusterWide = false)
    {
        var rules = new JsonArray([.. rights.Select(right => new JsonObject
        {
            ["apiGroups"] = new JsonArray(right.Group), ["resources"] = new JsonArray(right.Resource), ["verbs"] = new JsonArray(right.Verb),
            ["resourceNames"] = right.Name is null ? new JsonArray() : new JsonArray(right.Name),
        })]);
        rules.Add(new JsonObject { ["apiGroups"] = new JsonArray("ready"), ["resources"] = new JsonArray("ready"), ["verbs"] = new JsonArray("get") });
        var (kind, name) = (clusterWide ? "ClusterRole" : "Role", $"{Account}-{Ns}");
        await MakeAsync("v1", "ServiceAccount", Account, []);
        await MakeAsync("rbac.authorization.k8s.io/v1", kind, name, new() { ["rules"] = rules });
        await MakeAsync("rbac.authorization.k8s.io/v1", $"{kind}Binding", name, new()
        {
            ["roleRef"] = new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = kind, ["name"] = name },
            ["subjects"] = new JsonArray(new JsonObject { ["kind"] = "ServiceAccount", ["name"] = Account, ["namespace"] = Ns }),
        });
        var asked = new JsonObject { ["namespace"] = Ns, ["group"] = "ready", ["resource"] = "ready", ["verb"] = "get", ["name"] = "ready" };
        var review = new JsonObject
        {
            ["apiVersion"] = "authorization.k8s.io/v1", ["kind"] = "SubjectAccessReview",
            ["spec"] = new JsonObject { ["user"] = $"system:serviceaccount:{Ns}:{Account}", ["resourceAttributes"] = asked },
        }.ToJsonString();
        await UntilAsync(async () => (bool)(await Api.Make("/apis/authorization.k8s.io/v1/subjectaccessreviews", review))["status"]!["allowed"]!);
        var issued = await Api.Make(Core($"serviceaccounts/{Account}/token"), """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}""");
        var admin = KubernetesConfiguration.FromFile(KubeConfig);
        return new KubernetesConfiguration { Server = admin.Server, Authorities = admin.Authorities, Token = (string)issued["status"]!["token"]! };
    }

    private Task<JsonObject> MakeAsync(string apiVersion, string kind, string name, JsonObject content, JsonObject? labels = null)
    {
        content["apiVersion"] = apiVersion;
        content["kind"] = kind;
        content["metadata"] = new JsonObject { ["name"] = name, ["labels"] = labels?.DeepClone() };
        var type = Kinds.Of(content);
        return _admin.CreateAsync(type, type.Namespaced ? Ns : null, content, _stop.Token);
    }

    private async Task UntilAsync(Func<Task<bool>> holds, Task? running = null)
    {
        try
        {
            while (!await holds())
            {
                if (running is { IsFaulted: true })
                    await running;
                await Task.Delay(50, _stop.Token);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            Assert.Fail($"not within {Bound.TotalSeconds:0} s; what was said:\n{string.Join('\n', _complaints.Lines)}");
        }
    }

    private sealed class NoProcesses : IAgentProcesses
    {
        public IAgentProcess Start(string group) => throw new IOException("there are none here");
    }

    /// <summary>Takes every login and every statement.</summary>
    private sealed class AgreeableInstance : ISqlInstance
    {
        public Task<IReadOnlyList<SqlResultSet>> QueryAsync(SqlText batch, TimeSpan timeout, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<SqlResultSet>>([]);

        public async IAsyncEnumerable<SqlResultSet> StreamAsync(
            SqlText batch, TimeSpan connectTimeout, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.CompletedTask;
            yield break;
        }
    }
}
