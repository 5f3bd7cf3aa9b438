using System.Globalization;
using System.Security;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

public sealed partial class SqlInstance
{
    private static readonly string[] StateWords = ["unknown", "clean", "warning", "error"];

    /// <summary>Rows of sp_server_diagnostics. Throws <see cref="SqlErrorException"/> without VIEW SERVER STATE.</summary>
    public IReadOnlyList<DiagnosticsRow> Diagnostics(EngineSession session)
    {
        RequireServer(session, "VIEW SERVER STATE");
        var now = Environment.UtcNow;
        List<DiagnosticsRow> rows =
        [
            .. new[] { SystemComponent(), ResourceComponent(), QueryComponent(), IoComponent(), EventsComponent(now) }.Select(component =>
            {
                var state = Reported(component.Name) ?? component.State;
                return new DiagnosticsRow(now, "instance", component.Name, state, StateWords[state], component.Data);
            }),
        ];
        foreach (var group in Groups.Values)
        {
            rows.Add(new DiagnosticsRow(
                now,
                "alwaysOn:AvailabilityGroup",
                group.Name,
                1,
                "clean",
                $"<availabilityGroup availabilityGroupId=\"{group.Id}\" availabilityGroupName=\"{SecurityElement.Escape(group.Name)}\" role=\"{(byte)group.Role}\"/>"));
        }

        return rows;
    }

    private Component SystemComponent()
    {
        // A reported state without a cause of its own gets one that would lead to it.
        var trouble = Fault<SystemError>()?.Trouble ?? (Reported("system") == 3 ? SystemTrouble.Dumps : null);
        var uneasy = Reported("system") == 2;
        var orphaned = trouble == SystemTrouble.OrphanedSpinlock;
        var violations = trouble == SystemTrouble.WriteViolations;
        var dumps = trouble == SystemTrouble.Dumps;
        return new Component("system", trouble is null ? 1 : 3, Element(
            "system",
            "",
            ("spinlockBackoffs", orphaned ? 1000 : 0),
            ("sickSpinlockType", orphaned ? "LOCK_HASH" : "none"),
            ("sickSpinlockTypeAfterAv", orphaned ? "LOCK_HASH" : "none"),
            ("latchWarnings", uneasy ? 1 : 0),
            ("isAccessViolationOccurred", orphaned || violations ? 1 : 0),
            ("writeAccessViolationCount", violations ? 4 : 0),
            ("totalDumpRequests", dumps ? 101 : 0),
            ("intervalDumpRequests", dumps ? 1 : 0),
            ("nonYieldingTasksReported", uneasy ? 1 : 0),
            ("pageFaults", 0),
            ("systemCpuUtilization", 1),
            ("sqlCpuUtilization", 0),
            ("BadPagesDetected", _badPages),
            ("BadPagesFixed", 0),
            ("LastBadPageAddress", _badPages > 0 ? "0x1" : "0x0")));
    }

    private Component ResourceComponent()
    {
        var reported = Reported("resource");
        var lacking = SinceOf<OutOfMemory>();
        var persistent = Fault<OutOfMemory>()?.Persistent ?? TimeSpan.FromSeconds(120);
        var lasted = reported == 3 ? TimeSpan.FromSeconds(121) : lacking ?? TimeSpan.Zero;
        var none = reported == 3 || lacking is not null;
        return new Component("resource", lacking is null ? 1 : lasted > persistent ? 3 : 2, Element(
            "resource",
            "<memoryReport name=\"Process/System Counts\" unit=\"Value\"/><memoryReport name=\"Memory Manager\" unit=\"KB\"/>",
            ("lastNotification", none || reported == 2 ? "RESOURCE_MEMPHYSICAL_LOW" : "RESOURCE_MEMPHYSICAL_HIGH"),
            ("outOfMemoryExceptions", none ? Math.Max(1, _memoryRefusals) : _memoryRefusals),
            ("isAnyPoolOutOfMemory", none ? 1 : 0),
            ("processOutOfMemoryPeriod", (long)lasted.TotalSeconds)));
    }

    private Component QueryComponent()
    {
        var reported = Reported("query_processing");
        var stuck = SinceOf<DeadlockedSchedulers>();
        var noticed = stuck > Fault<DeadlockedSchedulers>()?.Noticed;
        var busy = stuck is not null || reported == 2;
        var oldest = _parked.Count > 0 ? (long)(Now - _parked[0].Since).TotalMilliseconds : 0;
        return new Component("query_processing", stuck is null ? 1 : noticed ? 3 : 2, Element(
            "queryProcessing",
            "<topWaits/><cpuIntensiveRequests/><pendingTasks/><blockingTasks/>",
            ("maxWorkers", 512),
            ("workersCreated", busy ? 512 : 20),
            ("workersIdle", busy ? 0 : 10),
            ("tasksCompletedWithinInterval", stuck is null ? 1 : 0),
            ("pendingTasks", busy ? Math.Max(1, _parked.Count) : 0),
            ("oldestPendingTaskWaitingTime", oldest),
            ("hasUnresolvableDeadlockOccurred", reported == 3 ? 1 : 0),
            ("hasDeadlockedSchedulersOccurred", noticed ? 1 : 0),
            ("trackingNonYieldingScheduler", "0x0")));
    }

    private Component IoComponent()
    {
        var recent = Math.Max(Flushes.RecentLong, Reported("io_subsystem") == 2 ? 1 : 0);
        return new Component("io_subsystem", recent > 0 ? 2 : 1, Element(
            "ioSubsystem",
            "<longestPendingRequests/>",
            ("ioLatchTimeouts", 0),
            ("intervalLongIos", recent),
            ("totalLongIos", Math.Max(recent, Flushes.TotalLong))));
    }

    private static Component EventsComponent(DateTime now)
    {
        var start = now.ToString("yyyy-MM-ddTHH:mm:ss.fff", CultureInfo.InvariantCulture);
        return new Component("events", 0, Element("events", Element("session", "", ("startTime", start), ("droppedEvents", 0), ("largestDroppedEvent", 0))));
    }

    private int? Reported(string component) =>
        Faults.Select(active => active.Fault).OfType<ComponentState>().FirstOrDefault(fault => fault.Component == component)?.State;

    private TimeSpan? SinceOf<T>()
        where T : Fault =>
        Faults.FirstOrDefault(active => active.Fault is T) is { } found ? Now - found.Since : null;

    private static string Element(string name, string content, params IEnumerable<(string Name, object Value)> attributes)
    {
        var list = string.Concat(attributes.Select(attribute => string.Create(CultureInfo.InvariantCulture, $" {attribute.Name}=\"{attribute.Value}\"")));
        return content.Length == 0 ? $"<{name}{list}/>" : $"<{name}{list}>{content}</{name}>";
    }

    private sealed record Component(string Name, int State, string Data);
}
