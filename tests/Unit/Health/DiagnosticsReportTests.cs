using Agents.Health;
using Agents.Sql;

namespace Unit.Health;

internal sealed class DiagnosticsReportTests
{
    private static readonly string[] Columns = ["create_time", "component_type", "component_name", "state", "state_desc", "data"];

    [Test]
    public void States_are_read_by_component_whatever_the_case_and_width()
    {
        var report = Read(("instance", "SYSTEM", 1), ("instance", "resource", (short)2), ("instance", "query_processing", (byte)3), ("instance", "events", 0L));
        Assert.That(report["system"], Is.EqualTo(ComponentState.Clean));
        Assert.That(report["resource"], Is.EqualTo(ComponentState.Warning));
        Assert.That(report["query_processing"], Is.EqualTo(ComponentState.Error));
        Assert.That(report["events"], Is.EqualTo(ComponentState.Unknown));
    }

    [Test]
    public void Null_nonsense_and_absence_are_missing_and_do_not_hide_other_rows()
    {
        var report = Read(("instance", "system", null), ("instance", null, 3), ("instance", "resource", "many"), ("instance", "query_processing", 1));
        Assert.That(report["system"], Is.EqualTo(ComponentState.Missing));
        Assert.That(report["resource"], Is.EqualTo(ComponentState.Missing));
        Assert.That(report["query_processing"], Is.EqualTo(ComponentState.Clean));
        Assert.That(report["io_subsystem"], Is.EqualTo(ComponentState.Missing));
    }

    [TestCase("Always On:AvailabilityGroup")]
    [TestCase("alwaysOn:AvailabilityGroup")]
    public void A_group_named_like_a_component_is_not_taken_for_it(string type) =>
        Assert.That(Read((type, "system", 3), ("instance", "system", 1), (type, "system", 3))["system"], Is.EqualTo(ComponentState.Clean));

    [Test]
    public void Of_two_rows_the_worse_one_tells() =>
        Assert.That(Read(("instance", "system", 3), ("instance", "system", 1))["system"], Is.EqualTo(ComponentState.Error));

    [Test]
    public void Other_columns_make_everything_missing() =>
        Assert.That(
            DiagnosticsReport.Read(new SqlResultSet(["x"], [new SqlRow(["x"], [1])]))["system"], Is.EqualTo(ComponentState.Missing));

    private static DiagnosticsReport Read(params (object? Type, object? Name, object? State)[] rows) => DiagnosticsReport.Read(
        new SqlResultSet(Columns, [.. rows.Select(row => new SqlRow(Columns, [null, row.Type, row.Name, row.State, null, null]))]));
}
