using System.Globalization;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

public sealed partial class SqlInstance
{
    /// <summary>Product version, as SERVERPROPERTY('ProductVersion') gives it.</summary>
    public const string ProductVersion = "16.0.4185.3";

    /// <summary>SERVERPROPERTY(name), or null.</summary>
    public object? ServerProperty(string name) => name.ToUpperInvariant() switch
    {
        "SERVERNAME" => ServerName,
        "MACHINENAME" or "COMPUTERNAMEPHYSICALNETBIOS" => Options.MachineName,
        "ISHADRENABLED" => Options.HadrEnabled ? 1 : 0,
        "HADRMANAGERSTATUS" => Options.HadrEnabled ? 1 : 0,
        "PRODUCTVERSION" => ProductVersion,
        "PRODUCTMAJORVERSION" => ProductVersion.Split('.')[0],
        "PRODUCTMINORVERSION" => ProductVersion.Split('.')[1],
        "PRODUCTBUILD" => ProductVersion.Split('.')[2],
        "PRODUCTLEVEL" => "RTM",
        "PRODUCTUPDATELEVEL" => "CU18",
        "EDITION" => Options.Edition,
        "ENGINEEDITION" => Options.EngineEdition,
        "COLLATION" => "SQL_Latin1_General_CP1_CI_AS",
        "ISCLUSTERED" or "ISSINGLEUSER" or "ISINTEGRATEDSECURITYONLY" => 0,
        "ISFULLTEXTINSTALLED" => 0,
        "PROCESSID" => System.Environment.ProcessId,
        "INSTANCEDEFAULTDATAPATH" => "/var/opt/mssql/data/",
        "INSTANCEDEFAULTLOGPATH" => "/var/opt/mssql/data/",
        _ => null,
    };

    /// <summary>Rows of sp_server_diagnostics. Throws <see cref="SqlErrorException"/> without VIEW SERVER STATE.</summary>
    public IReadOnlyList<DiagnosticsRow> Diagnostics(EngineSession session)
    {
        RequireServer(session, "VIEW SERVER STATE");
        var now = Environment.UtcNow;
        var stamp = now.ToString("yyyy-MM-ddTHH:mm:ss.fff", CultureInfo.InvariantCulture);
        List<DiagnosticsRow> rows =
        [
            Row("system", 1, "<system spinlockBackoffs=\"0\" sickSpinlockType=\"none\" sickSpinlockTypeAfterAv=\"none\" latchWarnings=\"0\" isAccessViolationOccurred=\"0\" writeAccessViolationCount=\"0\" totalDumpRequests=\"0\" intervalDumpRequests=\"0\" nonYieldingTasksReported=\"0\" pageFaults=\"0\" systemCpuUtilization=\"1\" sqlCpuUtilization=\"0\" BadPagesDetected=\"0\" BadPagesFixed=\"0\" LastBadPageAddress=\"0x0\"/>"),
            Row("resource", 1, "<resource lastNotification=\"RESOURCE_MEMPHYSICAL_HIGH\" outOfMemoryExceptions=\"0\" isAnyPoolOutOfMemory=\"0\" processOutOfMemoryPeriod=\"0\"><memoryReport name=\"Process/System Counts\" unit=\"Value\"/><memoryReport name=\"Memory Manager\" unit=\"KB\"/></resource>"),
            Row("query_processing", 1, "<queryProcessing maxWorkers=\"512\" workersCreated=\"20\" workersIdle=\"10\" tasksCompletedWithinInterval=\"1\" pendingTasks=\"0\" oldestPendingTaskWaitingTime=\"0\" hasUnresolvableDeadlockOccurred=\"0\" hasDeadlockedSchedulersOccurred=\"0\" trackingNonYieldingScheduler=\"0x0\"><topWaits/><cpuIntensiveRequests/><pendingTasks/><blockingTasks/></queryProcessing>"),
            Row("io_subsystem", 1, "<ioSubsystem ioLatchTimeouts=\"0\" intervalLongIos=\"0\" totalLongIos=\"0\"><longestPendingRequests/></ioSubsystem>"),
            Row("events", 0, $"<events><session startTime=\"{stamp}\" droppedEvents=\"0\" largestDroppedEvent=\"0\"/></events>"),
        ];
        foreach (var group in Groups.Values)
        {
            rows.Add(new DiagnosticsRow(
                now,
                "alwaysOn:AvailabilityGroup",
                group.Name,
                1,
                "clean",
                $"<availabilityGroup availabilityGroupId=\"{group.Id}\" availabilityGroupName=\"{System.Security.SecurityElement.Escape(group.Name)}\" role=\"{(byte)group.Role}\"/>"));
        }

        return rows;

        DiagnosticsRow Row(string name, int state, string data) => new(now, "instance", name, state, state == 0 ? "unknown" : "clean", data);
    }
}
