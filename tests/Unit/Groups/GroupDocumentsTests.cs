using Agents.Groups;

namespace Unit.Groups;

internal sealed class GroupDocumentsTests
{
    [Test]
    public void What_is_written_is_read()
    {
        var request = new FailoverRequest("r1", "!mssql1", true);
        var result = new FailoverResult("r1", FailoverState.Refused, "it's \"not\" ready", null);
        Assert.Multiple(() =>
        {
            Assert.That(GroupDocuments.ReadMembers(GroupDocuments.WriteMembers(Given.Members)), Is.EqualTo(Given.Members));
            GroupMember[] leaving = [Given.Members[0] with { Leaving = true }];
            Assert.That(GroupDocuments.ReadMembers(GroupDocuments.WriteMembers(leaving)), Is.EqualTo(leaving));
            Assert.That(GroupDocuments.ReadReplicas(GroupDocuments.WriteReplicas(["a", "b"])), Is.EqualTo(new[] { "a", "b" }));
            Assert.That(GroupDocuments.ReadRequest(GroupDocuments.WriteRequest(request, DateTimeOffset.UnixEpoch)), Is.EqualTo(request));
            Assert.That(GroupDocuments.ReadResult(GroupDocuments.WriteResult(result, DateTimeOffset.UnixEpoch)), Is.EqualTo(result));
            Assert.That(GroupDocuments.ReadCreator(GroupDocuments.WriteCreator("mssql1-0", DateTimeOffset.UnixEpoch)), Is.EqualTo("mssql1-0"));
        });
    }

    [Test]
    public void A_report_is_read_as_it_was_written()
    {
        var report = new GroupReport("mssql1-0", [new("mssql1-0", AvailabilityMode.SynchronousCommit, true, true), new("mssql2-0", AvailabilityMode.AsynchronousCommit, true, false)]);
        var read = GroupDocuments.ReadReport(GroupDocuments.WriteReport(report));
        Assert.That((read.Primary, read.Replicas[0], read.Replicas[1]), Is.EqualTo((report.Primary, report.Replicas[0], report.Replicas[1])));
        Assert.That(GroupDocuments.WriteReport(read), Is.EqualTo(GroupDocuments.WriteReport(report)));
    }

    [TestCase("{}")]
    [TestCase("{\"primary\":\"a\"}")]
    [TestCase("{\"primary\":\"a\",\"replicas\":[null]}")]
    [TestCase("{\"primary\":\"a\",\"replicas\":[{\"name\":\"a\",\"mode\":\"sync\"}]}")]
    public void A_report_that_is_none_is_refused(string text) =>
        Assert.That(() => GroupDocuments.ReadReport(text), Throws.TypeOf<InvalidDataException>().With.Message.Contains("key 'report'"));

    [TestCase("nonsense", "key 'members' is not the JSON expected")]
    [TestCase("null", "key 'members' is null")]
    [TestCase("[{\"name\":\"a\"}]", "lacks 'name', 'instance' or 'endpoint'")]
    [TestCase("[null]", "lacks 'name', 'instance' or 'endpoint'")]
    [TestCase("[{\"name\":\"a\",\"instance\":\"a\",\"mode\":\"sync\",\"endpoint\":\"x\"}]", "member a has mode 'sync', expected synchronousCommit")]
    public void What_does_not_fit_is_refused_by_its_key(string text, string message) =>
        Assert.That(() => GroupDocuments.ReadMembers(text), Throws.TypeOf<InvalidDataException>().With.Message.Contains(message));

    [TestCase("{}")]
    [TestCase("{\"id\":\"\"}")]
    [TestCase("{\"id\":\"a\",\"state\":\"7\"}")]
    [TestCase("{\"id\":\"a\",\"state\":\"Perhaps\"}")]
    public void A_result_that_is_none_is_refused(string text) =>
        Assert.That(() => GroupDocuments.ReadResult(text), Throws.TypeOf<InvalidDataException>());
}
