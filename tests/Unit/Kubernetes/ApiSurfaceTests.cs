using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Web;
using Agents.Kubernetes;

namespace Unit.Kubernetes;

/// <summary>Nothing that we ship needs more than Kubernetes 1.20 serves, or anything that is removed up to 1.36.</summary>
internal sealed partial class ApiSurfaceTests
{
    /// <summary>What every version from 1.20 to 1.36 serves, as far as we use it.</summary>
    private static readonly HashSet<string> Served =
    [
        "v1 pods Pod", "v1 secrets Secret", "v1 configmaps ConfigMap", "v1 endpoints Endpoints", "v1 services Service", "v1 nodes Node",
        "v1 events Event", "v1 serviceaccounts ServiceAccount", "v1 namespaces Namespace",
        "v1 persistentvolumeclaims PersistentVolumeClaim",
        "apps/v1 statefulsets StatefulSet", "apps/v1 deployments Deployment", "batch/v1 jobs Job", "coordination.k8s.io/v1 leases Lease",
        "rbac.authorization.k8s.io/v1 roles Role", "rbac.authorization.k8s.io/v1 rolebindings RoleBinding",
        "rbac.authorization.k8s.io/v1 clusterroles ClusterRole", "rbac.authorization.k8s.io/v1 clusterrolebindings ClusterRoleBinding",
        "apiextensions.k8s.io/v1 customresourcedefinitions CustomResourceDefinition",
        "mssql.microsoft.com/v1 sqlservers SqlServer",
    ];

    /// <summary>Served by 1.21 and later, and by 1.24 and earlier: whoever knows both gets along with every version.</summary>
    private static readonly string[] ServedBetweenThem =
        ["policy/v1 poddisruptionbudgets PodDisruptionBudget", "policy/v1beta1 poddisruptionbudgets PodDisruptionBudget"];

    private static readonly string[] KnownParameters =
    [
        "labelSelector", "fieldSelector", "limit", "continue", "watch", "resourceVersion", "allowWatchBookmarks", "timeoutSeconds", "fieldManager", "force",
    ];

    /// <summary>Fields and parameters that came after 1.20; server-side apply refuses a field that the server does not know.</summary>
    private static readonly string[] Newer =
    [
        "fieldValidation", "sendInitialEvents", "matchLabelKeys", "minReadySeconds", "persistentVolumeClaimRetentionPolicy", "podFailurePolicy",
        "successPolicy", "ttlSecondsAfterFinished", "internalTrafficPolicy", "trafficDistribution", "hostUsers", "resizePolicy", "minDomains",
        "nodeTaintsPolicy", "schedulingGates", "selectableFields", "podReplacementPolicy", "completionMode", "maxUnavailableStatefulSet",
        "ephemeralContainers", "unhealthyPodEvictionPolicy",
    ];

    private static readonly string Root = FindRoot();

    [Test]
    public void Every_kind_that_the_sources_name_is_served_by_every_version()
    {
        var named = Sources("src", "*.cs").SelectMany(text => Kind().Matches(text))
            .Select(match => $"{(match.Groups[1].Length == 0 ? "" : match.Groups[1].Value + "/")}{match.Groups[2].Value} {match.Groups[3].Value} {match.Groups[4].Value}")
            .Select(name => name.Replace("SqlServerGroup/", "mssql.microsoft.com/", StringComparison.Ordinal))
            .ToHashSet();
        Assert.That(named, Is.SupersetOf(new[] { "v1 pods Pod", "coordination.k8s.io/v1 leases Lease", "mssql.microsoft.com/v1 sqlservers SqlServer" }));
        Assert.That(named, Is.SupersetOf(ServedBetweenThem));
        Assert.That(named.Except(Served).Except(ServedBetweenThem), Is.Empty);
    }

    [Test]
    public void Every_document_that_we_ship_or_make_is_of_a_version_that_is_served()
    {
        var served = Served.Concat(ServedBetweenThem).Select(kind => kind.Split(' ')[0]).Append("kustomize.config.k8s.io/v1beta1").ToHashSet();
        var named = Documents().SelectMany(text => ApiVersion().Matches(text)).Select(match => match.Groups[1].Value).ToHashSet();
        Assert.That(named, Does.Contain("apps/v1"));
        Assert.That(named.Except(served), Is.Empty);
    }

    [Test]
    public void No_field_or_parameter_is_newer_than_every_version()
    {
        var texts = Documents().ToList();
        Assert.That(texts, Has.Count.GreaterThan(50));
        Assert.That(Newer.Where(word => texts.Exists(text => Regex.IsMatch(text, $@"\b{word}\b"))), Is.Empty);
    }

    [Test]
    public async Task Requests_carry_only_parameters_that_every_version_knows()
    {
        using var server = new ScriptedServer();
        using var api = new HttpKubernetesApi(
            new KubernetesConfiguration { Server = new Uri("https://server/") }, TimeProvider.System, new Random(1), "tests", null, server);
        const string page = """{"metadata":{"resourceVersion":"1","continue":"x"},"items":[]}""";
        server.Answer(HttpStatusCode.OK, page).Answer(HttpStatusCode.OK, page.Replace("x", "")).Answer(HttpStatusCode.OK, "");
        for (var i = 0; i < 6; i++)
            server.Answer(HttpStatusCode.OK, """{"metadata":{"name":"p"}}""");
        var pods = KubernetesTypes.Pods;
        await api.ListAsync(pods, "ag1", new ListOptions("a=b", "metadata.name=p"), default);
        await foreach (var _ in api.WatchAsync(pods, "ag1", new ListOptions("a=b", "metadata.name=p"), "1", default))
            Assert.Fail("An empty watch has no events.");
        await api.GetAsync(pods, "ag1", "p", default);
        await api.CreateAsync(pods, "ag1", new Pod(), default);
        await api.ReplaceAsync(pods, "ag1", "p", new Pod(), default, "status");
        await api.ApplyAsync(pods, "ag1", "p", [], "tests", default);
        await api.MergePatchAsync(pods, "ag1", "p", new JsonObject(), default);
        await api.DeleteAsync(pods, "ag1", "p", default, new DeleteOptions(0, "u", "1"));
        var asked = server.Requests.SelectMany(request => HttpUtility.ParseQueryString(new Uri("https://server" + request.PathAndQuery).Query).AllKeys);
        Assert.That(asked.Distinct(), Is.EquivalentTo(KnownParameters));
    }

    private static IEnumerable<string> Documents() => Sources("src", "*.cs")
        .Concat(Sources("src", "*.json"))
        .Concat(Sources("deploy", "*.*"))
        .Concat(Sources(Path.Combine("tests", "Unit", "Operator", "Golden"), "*.*"));

    private static IEnumerable<string> Sources(string folder, string pattern) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories).Select(File.ReadAllText);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(TestContext.CurrentContext.TestDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Agents.sln")))
                return folder.FullName;
        throw new InvalidOperationException("Agents.sln is not above the tests.");
    }

    [GeneratedRegex("""(?:Untyped|new)\(\s*"?([\w.]*)"?,\s*"(v\w+)",\s*"(\w+)",\s*"(\w+)",""")]
    private static partial Regex Kind();

    [GeneratedRegex("""apiVersion"?\]?\s*[:=]\s*"?((?:[a-z][\w.]*/)?v\d\w*)""")]
    private static partial Regex ApiVersion();
}
