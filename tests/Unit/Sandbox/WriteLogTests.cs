using Sandbox.Writing;

namespace Unit.Sandbox;

[TestFixture]
internal sealed class WriteLogTests
{
    private static TimeSpan Ms(double value) => TimeSpan.FromMilliseconds(value);

    private static WriteLog Log(params (double At, string Server)[] writes)
    {
        var log = new WriteLog();
        for (var i = 0; i < writes.Length; i++)
            log.Add(new AcknowledgedWrite(i + 1, Ms(writes[i].At), writes[i].Server));
        return log;
    }

    [Test]
    public void The_gap_reaches_from_the_last_write_before_the_disturbance_to_the_first_after_it()
    {
        var log = Log((0, "a"), (10, "a"), (2010, "b"), (2015, "b"));
        Assert.That(log.LargestGap(Ms(12)), Is.EqualTo(Ms(2000)));
    }

    [Test]
    public void An_acknowledgement_that_was_on_its_way_when_the_disturbance_came_does_not_hide_the_gap()
    {
        var log = Log((0, "a"), (10, "a"), (13, "a"), (1013, "b"));
        Assert.That(log.LargestGap(Ms(12)), Is.EqualTo(Ms(1000)));
    }

    [Test]
    public void Gaps_that_ended_before_the_window_do_not_count()
    {
        var log = Log((0, "a"), (5000, "a"), (5002, "a"), (5009, "a"));
        Assert.That(log.LargestGap(Ms(5001)), Is.EqualTo(Ms(7)));
    }

    [Test]
    public void Without_two_acknowledgements_there_is_no_gap()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Log().LargestGap(Ms(0)), Is.Null);
            Assert.That(Log((5, "a")).LargestGap(Ms(0)), Is.Null);
            Assert.That(Log((5, "a"), (6, "a")).LargestGap(Ms(7)), Is.Null);
        });
    }

    [Test]
    public void Only_writes_of_the_window_and_the_server_count_as_taken()
    {
        var log = Log((0, "b"), (10, "a"), (20, "b"), (30, "b"));
        Assert.Multiple(() =>
        {
            Assert.That(log.TakenBy("b", Ms(10)), Is.EqualTo(2));
            Assert.That(log.TakenBy("b", Ms(0)), Is.EqualTo(3));
            Assert.That(log.TakenBy("c", Ms(0)), Is.Zero);
        });
    }

    [Test]
    public void Missing_are_acknowledged_keys_that_the_primary_lacks_and_nothing_else()
    {
        var acknowledged = Log((0, "a"), (1, "a"), (2, "a")).Snapshot();
        Assert.That(WriteLog.Missing(acknowledged, new HashSet<long> { 1, 3, 99 }), Is.EqualTo(new[] { 2L }));
    }
}
