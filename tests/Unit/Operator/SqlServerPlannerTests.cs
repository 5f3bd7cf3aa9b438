using System.Text.Json.Nodes;
using Agents.Operator.Manifests;
using Agents.Operator.Reconciliation;

namespace Unit.Operator;

internal sealed class SqlServerPlannerTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    [Test]
    public void A_Service_that_is_no_longer_asked_for_is_deleted()
    {
        var service = (JsonObject)JsonNode.Parse("""{"kind": "Service", "metadata": {"name": "mssql1-client", "uid": "u1"} }""")!;
        IEnumerable<Step> Deletions(InstanceView instance) =>
            SqlServerPlanner.Plan(instance, Documents.Namespace(instance), [], Now).Where(step => step is Step.DeleteService);
        Assert.Multiple(() =>
        {
            Assert.That(Deletions(Documents.Instance() with { ClientService = service }), Is.EqualTo(new[] { new Step.DeleteService("ag1", "mssql1-client", "u1") }));
            Assert.That(Deletions(Documents.Instance(change: spec => spec["service"] = new JsonObject()) with { ClientService = service }), Is.Empty);
            Assert.That(Deletions(Documents.Instance()), Is.Empty);
        });
    }

    [Test]
    public void A_new_instance_is_held_first_then_gets_its_secrets_and_its_job_last()
    {
        var instance = Documents.Instance() with { AgentLogin = SecretSighting.Absent };
        var steps = Plan(instance, Documents.Namespace(instance) with { MirroringCertificate = SecretSighting.Absent });
        Assert.That(steps.Select(Name), Is.EqualTo(new[]
        {
            "SetFinalizers", "CreateMirroringCertificate", "CreateAgentLogin", "ServiceAccount", "Role", "RoleBinding", "Service", "StatefulSet", "CreateJob",
        }));
    }

    [Test]
    public void Secrets_that_exist_are_never_made_again([Values] SecretSighting sighting)
    {
        var instance = Documents.Instance() with { AgentLogin = sighting };
        var steps = Plan(instance, Documents.Namespace(instance) with { MirroringCertificate = sighting });
        Assert.That(steps.Select(Name).Count(name => name.StartsWith("Create", StringComparison.Ordinal) && name != "CreateJob"),
            Is.EqualTo(sighting == SecretSighting.Absent ? 2 : 0));
    }

    [Test]
    public void A_refused_or_deleted_instance_has_no_steps()
    {
        var refused = Documents.Instance(change: spec => spec["acceptEula"] = false);
        var deleted = Documents.Instance();
        deleted.Document["metadata"]!["deletionTimestamp"] = "2026-11-21T00:00:00Z";
        Assert.That(Plan(refused).Concat(Plan(deleted)), Is.Empty);
    }

    [Test]
    public void The_job_of_this_specification_is_left_alone_running_or_complete([Values(null, "Complete")] string? condition) =>
        Assert.That(JobSteps(Documents.Instance() with { Job = Job(condition) }), Is.Empty);

    [Test]
    public void The_job_of_another_specification_is_deleted_by_uid_and_a_new_one_waits_until_it_is_gone()
    {
        var instance = Documents.Instance(change: spec => spec["sqlPostInitScript"] = "PRINT 1") with { Job = Job("Complete") };
        var step = (Step.DeleteJob)JobSteps(instance).Single();
        Assert.That(step.Uid, Is.EqualTo("job-1"));
        instance.Job!["metadata"]!["deletionTimestamp"] = "2026-11-21T00:00:00Z";
        Assert.That(JobSteps(instance), Is.Empty);
        Assert.That(JobSteps(instance with { Job = null }).Single(), Is.InstanceOf<Step.CreateJob>());
    }

    [TestCase(59, 0)]
    [TestCase(60, 1)]
    public void A_failed_job_rests_and_then_runs_anew(int seconds, int steps) =>
        Assert.That(JobSteps(Documents.Instance() with { Job = Job("Failed", Now.AddSeconds(-seconds)) }), Has.Length.EqualTo(steps));

    [Test]
    public void Agents_may_read_the_logins_of_those_they_share_a_group_with_and_no_others()
    {
        var me = Documents.Instance("mssql1", """["ag1"]""");
        var steps = Plan(me, Documents.Namespace(me, Documents.Instance("mssql2", """["ag1"]"""), Documents.Instance("mssql3", """["ag2"]""")));
        var role = steps.OfType<Step.Apply>().Single(step => (string?)step.Manifest["kind"] == "Role").Manifest;
        var rule = role["rules"]!.AsArray().Single(rule => (string?)rule!["resources"]![0] == "secrets")!;
        Assert.That(rule["resourceNames"]!.AsArray().Select(name => (string?)name), Is.EqualTo(new[] { "mssql2-agent-login" }));
        Assert.That(rule["verbs"]!.AsArray().Select(verb => (string?)verb), Is.EqualTo(new[] { "get" }));
    }

    [Test]
    public void Agents_without_peers_may_read_no_Secret_at_all()
    {
        var me = Documents.Instance("mssql1", """["ag1"]""");
        var role = Plan(me, Documents.Namespace(me)).OfType<Step.Apply>().Single(step => (string?)step.Manifest["kind"] == "Role").Manifest;
        Assert.That(role["rules"]!.AsArray().Select(rule => (string?)rule!["resources"]![0]), Has.None.EqualTo("secrets"));
    }

    [Test]
    public void Conditions_go_from_missing_to_ready()
    {
        var instance = Documents.Instance();
        Assert.Multiple(() =>
        {
            Assert.That(Ready(instance), Is.EqualTo("False PodMissing"));
            Assert.That(Ready(instance with { Pod = Pod("False") }), Is.EqualTo("False PodNotReady"));
            Assert.That(Ready(instance with { Pod = Pod("True") }), Is.EqualTo("False Initializing"));
            Assert.That(Ready(instance with { Pod = Pod("True"), Job = Job("Failed", Now) }), Is.EqualTo("False InitializationFailed"));
            Assert.That(Ready(instance with { Pod = Pod("True"), Job = Job("Complete") }), Is.EqualTo("True Ready"));
            Assert.That(Ready(instance with { Pod = Pod("True"), Job = Job("Complete") }, "422: no"), Is.EqualTo("False Rejected"));
            Assert.That(Ready(instance with { Pod = Pod("True"), Job = Job("Complete"), AgentLogin = SecretSighting.Incomplete }), Is.EqualTo("False SecretIncomplete"));
            Assert.That(Ready(Documents.Instance(change: spec => spec["acceptEula"] = false)), Is.EqualTo("False InvalidSpec"));
        });
    }

    [Test]
    public void A_job_of_an_older_specification_does_not_count_as_initialized() =>
        Assert.That(
            Ready(Documents.Instance(change: spec => spec["monitorPolicy"] = 1) with { Pod = Pod("True"), Job = Job("Complete") }),
            Is.EqualTo("False Initializing"));

    [Test]
    public void A_condition_keeps_its_time_until_its_status_changes()
    {
        var instance = Documents.Instance();
        var first = StatusBuilder.Build(instance, [new("Ready", false, "A", "a")], Now);
        instance.Document["status"] = first;
        var second = StatusBuilder.Build(instance, [new("Ready", false, "B", "b")], Now.AddHours(1));
        instance.Document["status"] = second.DeepClone();
        var third = StatusBuilder.Build(instance, [new("Ready", true, "B", "b")], Now.AddHours(2));
        Assert.Multiple(() =>
        {
            Assert.That((string?)second["conditions"]![0]!["lastTransitionTime"], Is.EqualTo("2026-11-21T12:00:00Z"));
            Assert.That((string?)third["conditions"]![0]!["lastTransitionTime"], Is.EqualTo("2026-11-21T14:00:00Z"));
        });
    }

    private static string Ready(InstanceView instance, string? failure = null)
    {
        var condition = StatusBuilder.Conditions(instance, Documents.Namespace(instance), failure, restart: null)[0];
        return $"{condition.Status} {condition.Reason}";
    }

    private static IReadOnlyList<Step> Plan(InstanceView instance, NamespaceView? view = null) =>
        SqlServerPlanner.Plan(instance, view ?? Documents.Namespace(instance), [], Now);

    private static Step[] JobSteps(InstanceView instance) => [.. Plan(instance).Where(step => step is Step.CreateJob or Step.DeleteJob)];

    private static string Name(Step step) => step is Step.Apply apply ? (string)apply.Manifest["kind"]! : step.GetType().Name;

    private static JsonObject Pod(string ready) => new()
    {
        ["metadata"] = new JsonObject { ["name"] = "mssql1-0", ["uid"] = "pod-1" },
        ["status"] = new JsonObject { ["conditions"] = Json.List(new JsonObject { ["type"] = "Ready", ["status"] = ready }) },
    };

    private static JsonObject Job(string? condition, DateTimeOffset? since = null)
    {
        var job = InitJobManifest.Build(Documents.Spec());
        job["metadata"]!["uid"] = "job-1";
        if (condition is not null)
            job["status"] = new JsonObject
            {
                ["conditions"] = Json.List(new JsonObject
                {
                    ["type"] = condition, ["status"] = "True", ["lastTransitionTime"] = (since ?? Now).ToString("O"),
                }),
            };
        return job;
    }
}
