using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Conformance;

/// <summary>Who may do what, by roles and bindings, and the words in which the rest is refused.</summary>
internal sealed class AuthorizationTests(Backend backend) : ApiServerFixture(backend)
{
    private const string Rbac = "rbac.authorization.k8s.io";
    private readonly List<HttpClient> _clients = [];

    [TearDown]
    public void Leave()
    {
        _clients.ForEach(client => client.Dispose());
        _clients.Clear();
    }

    [Test]
    public async Task Who_holds_no_role_is_refused_in_the_words_of_kubernetes()
    {
        var jane = As("jane");
        await Api.Make(Core("pods"), Pod("a"));
        Assert.That(await Refusal(jane, HttpMethod.Get, Core("pods")),
            Is.EqualTo($"pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"\" in the namespace \"{Ns}\""));
        Assert.That(await Refusal(jane, HttpMethod.Get, Core("pods/a")),
            Is.EqualTo($"pods \"a\" is forbidden: User \"jane\" cannot get resource \"pods\" in API group \"\" in the namespace \"{Ns}\""));
        Assert.That(await Refusal(jane, HttpMethod.Get, Core("pods?watch=true")), Does.Contain("cannot watch resource \"pods\""));
        Assert.That(await Refusal(jane, HttpMethod.Get, Core("pods?fieldSelector=metadata.name%3Da")), Does.StartWith("pods \"a\" is forbidden: ").And.Contain("cannot list"));
        Assert.That(await Refusal(jane, HttpMethod.Get, Core("pods/a/log")), Does.Contain("cannot get resource \"pods/log\""));
        Assert.That(await Refusal(jane, HttpMethod.Delete, Core("pods")), Does.Contain("cannot deletecollection"));
        Assert.That(await Refusal(jane, HttpMethod.Get, "/apis/apps/v1/statefulsets"),
            Is.EqualTo("statefulsets.apps is forbidden: User \"jane\" cannot list resource \"statefulsets\" in API group \"apps\" at the cluster scope"));
        Assert.That(await Refusal(jane, HttpMethod.Get, "/apis/example.org/v1/nothings/x"),
            Is.EqualTo("nothings.example.org \"x\" is forbidden: User \"jane\" cannot get resource \"nothings\" in API group \"example.org\" at the cluster scope"));
        Assert.That(await Refusal(jane, HttpMethod.Get, "/metrics"), Is.EqualTo("forbidden: User \"jane\" cannot get path \"/metrics\""));
        Assert.That(await Refusal(Api.Client(null), HttpMethod.Get, "/api"), Is.EqualTo("forbidden: User \"system:anonymous\" cannot get path \"/api\""));
    }

    [Test]
    public async Task Everybody_may_discover_and_even_strangers_may_ask_for_the_version()
    {
        Assert.That((await Send(As("jane"), HttpMethod.Get, "/apis/apps/v1")).Code, Is.EqualTo(200));
        Assert.That((await Send(Api.Client(null), HttpMethod.Get, "/version")).Code, Is.EqualTo(200));
    }

    [Test]
    public async Task Rules_hold_for_their_verb_resource_name_and_namespace_only()
    {
        var jane = As("jane");
        await Allow("jane", """{"apiGroups":[""],"resources":["configmaps"],"resourceNames":["mine"],"verbs":["get","list","watch","update"]}""");
        await Api.Make(Core("configmaps"), ConfigMap("mine"));
        await Api.Make(Core("configmaps"), ConfigMap("other"));
        Assert.That((await Send(jane, HttpMethod.Get, Core("configmaps/mine"))).Code, Is.EqualTo(200));
        Assert.That((await Send(jane, HttpMethod.Get, Core("configmaps?fieldSelector=metadata.name=mine"))).Code, Is.EqualTo(200));
        Assert.That((await Send(jane, HttpMethod.Put, Core("configmaps/mine"), ConfigMap("mine"))).Code, Is.EqualTo(200));
        Assert.That((await Send(jane, HttpMethod.Get, Core("configmaps/other"))).Code, Is.EqualTo(403));
        Assert.That((await Send(jane, HttpMethod.Get, Core("configmaps"))).Code, Is.EqualTo(403));
        Assert.That((await Send(jane, HttpMethod.Delete, Core("configmaps/mine"))).Code, Is.EqualTo(403));
        Assert.That((await Send(jane, HttpMethod.Get, Core("secrets/mine"))).Code, Is.EqualTo(403));
        Assert.That((await Send(jane, HttpMethod.Get, "/api/v1/namespaces/default/configmaps/mine")).Code, Is.EqualTo(403));
        Assert.That((await Send(As("john"), HttpMethod.Get, Core("configmaps/mine"))).Code, Is.EqualTo(403));
    }

    [Test]
    public async Task A_subresource_is_a_resource_of_its_own()
    {
        await Allow("jane", """{"apiGroups":["apps"],"resources":["statefulsets/status"],"verbs":["*"]}""");
        await Allow("john", """{"apiGroups":["*"],"resources":["*/status"],"verbs":["get"]}""");
        await Api.Make(StatefulSets, StatefulSet("db"));
        foreach (var user in new[] { "jane", "john" })
        {
            Assert.That((await Send(As(user), HttpMethod.Get, $"{StatefulSets}/db/status")).Code, Is.EqualTo(200), user);
            Assert.That((await Send(As(user), HttpMethod.Get, $"{StatefulSets}/db")).Code, Is.EqualTo(403), user);
            Assert.That((await Send(As(user), HttpMethod.Get, $"{StatefulSets}/db/scale")).Code, Is.EqualTo(403), user);
        }
    }

    [Test]
    public async Task Groups_and_service_accounts_are_subjects_too()
    {
        const string rule = """{"apiGroups":[""],"resources":["pods"],"verbs":["list"]}""";
        await Allow("developers", rule, "Group");
        await Allow("default", rule, "ServiceAccount");
        var issued = await Api.Make(Core("serviceaccounts/default/token"), "{}");
        Assert.That((await Send(As("ann", "developers"), HttpMethod.Get, Core("pods"))).Code, Is.EqualTo(200));
        Assert.That((await Send(Client((string)issued["status"]!["token"]!), HttpMethod.Get, Core("pods"))).Code, Is.EqualTo(200));
        Assert.That((await Send(As("default"), HttpMethod.Get, Core("pods"))).Code, Is.EqualTo(403), "a user is no service account");
        Assert.That((await Send(As($"system:serviceaccount:other:default"), HttpMethod.Get, Core("pods"))).Code, Is.EqualTo(403));
    }

    [Test]
    public async Task A_binding_to_a_role_that_is_missing_says_so()
    {
        await Api.Make(Rbacs("rolebindings"), Binding("lost", "Role", "gone", "User", "jane"));
        var jane = As("jane");
        Assert.That(() => Refusal(jane, HttpMethod.Get, Core("pods")),
            Does.EndWith($"in the namespace \"{Ns}\": RBAC: role.rbac.authorization.k8s.io \"gone\" not found").After(20).Seconds.PollEvery(50).MilliSeconds);
    }

    [Test]
    public async Task Applying_what_does_not_exist_needs_the_right_to_create()
    {
        var jane = As("jane");
        await Allow("jane", """{"apiGroups":[""],"resources":["configmaps"],"verbs":["patch"]}""");
        const string path = "configmaps/a?fieldManager=jane";
        var applied = """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}""";
        var (code, body) = await ApiClient.SendAsync(jane, HttpMethod.Patch, Core(path), applied, "application/apply-patch+yaml");
        Assert.That((code, (string)body["message"]!), Is.EqualTo((403, "configmaps \"a\" is forbidden: ")));
        await Api.Make(Core("configmaps"), ConfigMap("a"));
        (code, body) = await ApiClient.SendAsync(jane, HttpMethod.Patch, Core(path), applied, "application/apply-patch+yaml");
        Assert.That(code, Is.EqualTo(200), body.ToJsonString());
    }

    [Test]
    public async Task Nobody_grants_what_he_does_not_hold()
    {
        var jane = As("jane");
        await Allow("jane", """
            {"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles","rolebindings"],"verbs":["create","update","patch"]},
            {"apiGroups":[""],"resources":["pods"],"verbs":["get"]}
            """);
        var (code, body) = await Send(jane, HttpMethod.Post, Rbacs("roles"), Role("r", """
            {"apiGroups":[""],"resources":["pods","secrets"],"verbs":["get","list"]},{"apiGroups":[""],"resources":["configmaps"],"resourceNames":["x"],"verbs":["get"]}
            """));
        Assert.That((code, (string)body["message"]!), Is.EqualTo((403,
            "roles.rbac.authorization.k8s.io \"r\" is forbidden: user \"jane\" (groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n"
            + "{APIGroups:[\"\"], Resources:[\"configmaps\"], ResourceNames:[\"x\"], Verbs:[\"get\"]}\n"
            + "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"list\"]}\n"
            + "{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\" \"list\"]}")));
        const string held = """{"apiGroups":[""],"resources":["pods"],"resourceNames":["p"],"verbs":["get"]}""";
        (code, body) = await Send(jane, HttpMethod.Post, Rbacs("roles"), Role("r", held));
        Assert.That(code, Is.EqualTo(201), body.ToJsonString());

        (code, body) = await Send(jane, HttpMethod.Put, Rbacs("roles/r"), Role("r", """{"apiGroups":[""],"resources":["pods"],"verbs":["*"]}"""));
        Assert.That((string)body["message"]!, Does.EndWith("not currently held:\n{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"*\"]}"));
        Assert.That(code, Is.EqualTo(403));

        Assert.That((await Send(jane, HttpMethod.Post, Rbacs("rolebindings"), Binding("held", "Role", "r", "User", "john"))).Code, Is.EqualTo(201));
        (code, body) = await Send(jane, HttpMethod.Post, Rbacs("rolebindings"), Binding("b", "ClusterRole", "view", "User", "jane"));
        Assert.That((code, ((string)body["message"]!).Split('\n')[0]), Is.EqualTo((403,
            "rolebindings.rbac.authorization.k8s.io \"b\" is forbidden: user \"jane\" (groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:")));
        (code, body) = await Send(jane, HttpMethod.Post, Rbacs("rolebindings"), Binding("b", "Role", "missing", "User", "jane"));
        Assert.That((code, (string)body["message"]!), Is.EqualTo((404, "roles.rbac.authorization.k8s.io \"missing\" not found")));
    }

    [Test]
    public async Task The_verbs_escalate_and_bind_lift_that()
    {
        var jane = As("jane");
        await Allow("jane", """
            {"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles"],"verbs":["create","escalate"]},
            {"apiGroups":["rbac.authorization.k8s.io"],"resources":["rolebindings"],"verbs":["create"]},
            {"apiGroups":["rbac.authorization.k8s.io"],"resources":["clusterroles"],"resourceNames":["view"],"verbs":["bind"]}
            """);
        Assert.That((await Send(jane, HttpMethod.Post, Rbacs("roles"), Role("r", """{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}"""))).Code, Is.EqualTo(201));
        Assert.That((await Send(jane, HttpMethod.Post, Rbacs("rolebindings"), Binding("edit", "ClusterRole", "edit", "User", "jane"))).Code, Is.EqualTo(403));
        Assert.That((await Send(jane, HttpMethod.Get, Core("pods"))).Code, Is.EqualTo(403));
        // The binding lies in this namespace: a right that only a RoleBinding gives reaches ClusterRoles from here.
        Assert.That((await Send(jane, HttpMethod.Post, Rbacs("rolebindings"), Binding("view", "ClusterRole", "view", "User", "jane"))).Code, Is.EqualTo(201));
        Assert.That((await Send(jane, HttpMethod.Get, Core("pods"))).Code, Is.EqualTo(200));
    }

    [Test]
    public async Task Everybody_may_ask_what_he_may_do_himself()
    {
        var jane = As("jane");
        await Allow("jane", """{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}""");
        const string path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        string Question(string verb) => $$$"""{"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","spec":{"resourceAttributes":{"namespace":"{{{Ns}}}","verb":"{{{verb}}}","resource":"pods"} } }""";
        var (code, answer) = await Send(jane, HttpMethod.Post, path, Question("get"));
        Assert.That((code, answer["status"]!.ToJsonString(Plain)), Is.EqualTo((201,
            $$"""{"allowed":true,"reason":"RBAC: allowed by RoleBinding \"for-jane-user/{{Ns}}\" of Role \"for-jane-user\" to User \"jane\""}""")));
        (code, answer) = await Send(jane, HttpMethod.Post, path, Question("list"));
        Assert.That((code, answer["status"]!.ToJsonString()), Is.EqualTo((201, """{"allowed":false}""")));
        (_, answer) = await Send(jane, HttpMethod.Post, path, """{"spec":{"nonResourceAttributes":{"verb":"get","path":"/version"}}}""");
        Assert.That((bool)answer["status"]!["allowed"]!);
        Assert.That((await Send(jane, HttpMethod.Post, path, "{}")).Code, Is.EqualTo(422));
        Assert.That((await Api.Get(path)).Code, Is.EqualTo(405));

        (_, answer) = await Send(jane, HttpMethod.Post, "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", $$$"""{"spec":{"namespace":"{{{Ns}}}"}}""");
        Assert.That(answer["status"]!["resourceRules"]!.AsArray().Select(rule => rule!.ToJsonString()), Is.SupersetOf(new[]
        {
            """{"verbs":["create"],"apiGroups":["authorization.k8s.io"],"resources":["selfsubjectaccessreviews","selfsubjectrulesreviews"]}""",
            """{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}""",
        }));
        Assert.That((string?)answer["status"]!["evaluationError"], Is.Null);
    }

    [Test]
    public async Task Only_who_is_allowed_to_asks_about_others()
    {
        const string path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        await Allow("jane", """{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}""");
        var question = $$$"""{"spec":{"user":"jane","resourceAttributes":{"namespace":"{{{Ns}}}","verb":"get","resource":"pods"} } }""";
        Assert.That((bool)(await Api.Make(path, question))["status"]!["allowed"]!);
        Assert.That((bool)(await Api.Make(path, question.Replace("jane", "john", StringComparison.Ordinal)))["status"]!["allowed"]!, Is.False);
        var here = question.Replace("{\"spec\"", $"{{\"metadata\":{{\"namespace\":\"{Ns}\"}},\"spec\"", StringComparison.Ordinal);
        Assert.That((bool)(await Api.Make($"/apis/authorization.k8s.io/v1/namespaces/{Ns}/localsubjectaccessreviews", here))["status"]!["allowed"]!);
        Assert.That(await Refusal(As("jane"), HttpMethod.Post, path), Does.Contain("cannot create resource \"subjectaccessreviews\""));
    }

    [Test]
    public async Task A_token_is_good_for_its_audience_only()
    {
        await Allow("default", """{"apiGroups":[""],"resources":["pods"],"verbs":["list"]}""", "ServiceAccount");
        var issued = await Api.Make(Core("serviceaccounts/default/token"), "{}");
        Assert.That(issued["spec"]!["audiences"]!.ToJsonString(), Is.EqualTo("""["https://kubernetes.default.svc"]"""));
        var foreign = await Api.Make(Core("serviceaccounts/default/token"), """{"spec":{"audiences":["vault"]}}""");
        var (ours, theirs) = ((string)issued["status"]!["token"]!, (string)foreign["status"]!["token"]!);
        Assert.That((await Send(Client(ours), HttpMethod.Get, Core("pods"))).Code, Is.EqualTo(200));
        Assert.That((await Send(Client(theirs), HttpMethod.Get, Core("pods"))).Code, Is.EqualTo(401));

        const string path = "/apis/authentication.k8s.io/v1/tokenreviews";
        async Task<JsonNode> Review(string token, string more = "") =>
            (await Api.Make(path, $$$"""{"spec":{"token":"{{{token}}}"{{{more}}} } }"""))["status"]!;
        async Task<string?> Error(string token) => (string?)(await Review(token))["error"];
        var (_, account) = await Api.Get(Core("serviceaccounts/default"));
        var user = $$$"""{"username":"system:serviceaccount:{{{Ns}}}:default","groups":["system:serviceaccounts","system:serviceaccounts:{{{Ns}}}","system:authenticated"],"uid":"{{{account["metadata"]!["uid"]}}}"}""";
        JsonNode Good(string audience) => JsonNode.Parse($$$"""{"authenticated":true,"user":{{{user}}},"audiences":["{{{audience}}}"]}""")!;
        Assert.That(await Review(ours), Is.EqualTo(Good("https://kubernetes.default.svc")).Using<JsonNode>(JsonNode.DeepEquals));
        Assert.That(await Review(theirs, ""","audiences":["vault","safe"]"""), Is.EqualTo(Good("vault")).Using<JsonNode>(JsonNode.DeepEquals));
        Assert.That(await Error(theirs), Does.Contain("token audiences [\"vault\"] is invalid for the target audiences"));
        Assert.That(await Error("nonsense"), Does.Contain("invalid bearer token"));
        await Api.Delete(Core("serviceaccounts/default"));
        // A server may remember for some seconds that a token was good.
        Assert.That(() => Error(ours), Does.Contain("invalid bearer token").After(30).Seconds.PollEvery(200).MilliSeconds);
    }

    [Test]
    public async Task Acting_as_another_is_a_right_too()
    {
        await Allow("jane", """{"apiGroups":[""],"resources":["pods"],"verbs":["list"]}""");
        Assert.That((await Send(As("jane"), HttpMethod.Get, Core("pods"))).Code, Is.EqualTo(200), "an administrator may");
        var issued = await Api.Make(Core("serviceaccounts/default/token"), "{}");
        var other = Client((string)issued["status"]!["token"]!);
        other.DefaultRequestHeaders.Add("Impersonate-User", "jane");
        Assert.That(await Refusal(other, HttpMethod.Get, Core("pods")), Is.EqualTo(
            $"users \"jane\" is forbidden: User \"system:serviceaccount:{Ns}:default\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope"));
    }

    [TestCase("{}", "[rules[0].verbs: Required value: verbs must contain at least one value, rules[0].apiGroups: Required value: resource rules must supply at least one api group, "
        + "rules[0].resources: Required value: resource rules must supply at least one resource]")]
    [TestCase("""{"verbs":["get"],"nonResourceURLs":["/x"]}""", "rules[0].nonResourceURLs: Invalid value: [\"/x\"]: namespaced rules cannot apply to non-resource URLs")]
    public async Task A_rule_that_says_nothing_is_refused(string rule, string why)
    {
        var (code, body) = await Api.Post(Rbacs("roles"), Role("bad", rule));
        // Earlier versions print lists as Go does.
        var message = ((string)body["message"]!).Replace("[]string{\"/x\"}", "[\"/x\"]", StringComparison.Ordinal);
        Assert.That((code, message), Is.EqualTo((422, $"Role.rbac.authorization.k8s.io \"bad\" is invalid: {why}")));
    }

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private string StatefulSets => $"/apis/apps/v1/namespaces/{Ns}/statefulsets";

    private string Rbacs(string resource) => $"/apis/{Rbac}/v1/namespaces/{Ns}/{resource}";

    private HttpClient As(string user, params string[] groups) => Kept(Api.As(user, groups));

    private HttpClient Client(string token) => Kept(Api.Client(token));

    private HttpClient Kept(HttpClient client)
    {
        _clients.Add(client);
        return client;
    }

    private static Task<(int Code, JsonNode Body)> Send(HttpClient client, HttpMethod method, string path, string? body = null) =>
        ApiClient.SendAsync(client, method, path, body);

    private static async Task<string> Refusal(HttpClient client, HttpMethod method, string path)
    {
        var (code, body) = await Send(client, method, path);
        Assert.That((code, (string?)body["reason"]), Is.EqualTo((403, "Forbidden")), body.ToJsonString());
        return (string)body["message"]!;
    }

    /// <summary>A Role and its binding, as the administrator makes them; returns when they hold.</summary>
    private async Task Allow(string subject, string rules, string kind = "User")
    {
        var name = $"for-{subject}-{kind.ToLowerInvariant()}";
        var marker = $$"""{"apiGroups":["coordination.k8s.io"],"resources":["leases"],"resourceNames":["{{name}}"],"verbs":["get"]}""";
        await Api.Make(Rbacs("roles"), Role(name, rules + "," + marker));
        await Api.Make(Rbacs("rolebindings"), Binding(name, "Role", name, kind, subject));
        var client = kind switch { "Group" => As("anybody", subject), "ServiceAccount" => As($"system:serviceaccount:{Ns}:{subject}"), _ => As(subject) };
        Assert.That(async () => (await Send(client, HttpMethod.Get, Group("coordination.k8s.io/v1", $"leases/{name}"))).Code,
            Is.EqualTo(404).After(20).Seconds.PollEvery(50).MilliSeconds);
    }

    private static string Role(string name, string rules) =>
        $$$"""{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"{{{name}}}"},"rules":[{{{rules}}}]}""";

    private static string Binding(string name, string roleKind, string role, string kind, string subject) =>
        $$$"""
        {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"{{{name}}}"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"{{{roleKind}}}","name":"{{{role}}}"},
        "subjects":[{"kind":"{{{kind}}}","name":"{{{subject}}}"}]}
        """;
}
