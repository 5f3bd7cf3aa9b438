using System.Text.Json;
using System.Text.Json.Nodes;
using SqlServerSimulator.Engine;

namespace SqlServerSimulator.Hosting.Control;

/// <summary>The faults by their names on the control channel.</summary>
internal static class FaultCatalog
{
    private static readonly SortedDictionary<string, (string Fields, Func<FaultFields, Fault> Read)> Faults = new(StringComparer.Ordinal)
    {
        ["freeze"] = ("", _ => new Freeze()),
        ["slow-disk"] = ("latencyMs", fields => new SlowDisk(fields.Milliseconds("latencyMs", least: 1))),
        ["disk-stall"] = ("", _ => new DiskStall()),
        ["full-disk"] = ("[file=log|data]", fields => new FullDisk(fields.OneOf<FullFile>("file", FullFile.Log, ("log", FullFile.Log), ("data", FullFile.Data)))),
        ["suspect"] = ("database", fields => new DamagedDatabase(fields.Text("database"), Damage.Suspect)),
        ["recovery-pending"] = ("database", fields => new DamagedDatabase(fields.Text("database"), Damage.RecoveryPending)),
        ["page-corruption"] = ("database [table=*] [error=824|823]", fields =>
            new CorruptPage(fields.Text("database"), fields.Text("table", "*"), fields.Number("error", 824, 823, 824))),
        ["out-of-memory"] = ("[persistentMs=120000]", fields => new OutOfMemory(fields.Milliseconds("persistentMs", 120_000))),
        ["deadlocked-schedulers"] = ("[noticedMs=60000]", fields => new DeadlockedSchedulers(fields.Milliseconds("noticedMs", 60_000))),
        ["system-error"] = ("[cause=dumps|write-violations|orphaned-spinlock]", fields => new SystemError(fields.OneOf<SystemTrouble>(
            "cause", SystemTrouble.Dumps,
            ("dumps", SystemTrouble.Dumps), ("write-violations", SystemTrouble.WriteViolations), ("orphaned-spinlock", SystemTrouble.OrphanedSpinlock)))),
        ["diagnostics"] = ("component=system|resource|query_processing|io_subsystem state=0..3", ReadComponent),
        ["silent-diagnostics"] = ("", _ => new SilentDiagnostics()),
        ["slow-diagnostics"] = ("delayMs", fields => new SlowDiagnostics(fields.Milliseconds("delayMs", least: 1))),
        ["link-drop"] = ("[peer=*] [direction=both|in|out]", fields => new LinkDrop(fields.Text("peer", "*"), Direction(fields))),
        ["link-delay"] = ("delayMs [peer=*] [direction=both|in|out]", fields =>
            new LinkDelay(fields.Text("peer", "*"), Direction(fields), fields.Milliseconds("delayMs", least: 1))),
        ["link-cut"] = ("[peer=*]", fields => new LinkCut(fields.Text("peer", "*"))),
        ["expired-certificate"] = ("", _ => new ExpiredCertificate()),
        ["clock-jump"] = ("offsetMs", fields => new ClockJump(fields.Milliseconds("offsetMs", least: -(long)TimeSpan.FromDays(36525).TotalMilliseconds))),
        ["slow-recovery"] = ("durationMs [database=*]", fields =>
            new SlowRecovery(fields.Text("database", "*"), fields.Milliseconds("durationMs", least: 1))),
    };

    /// <summary>Each fault with the fields it takes, besides <c>forMs</c>.</summary>
    public static IEnumerable<(string Name, string Fields)> All => Faults.Select(fault => (fault.Key, fault.Value.Fields));

    /// <summary>Reads a fault and how long it lasts.</summary>
    /// <returns>The fault, or what is wrong with it.</returns>
    public static (Fault? Fault, TimeSpan? Duration, string? Mistake) Read(JsonElement request)
    {
        if (request.ValueKind != JsonValueKind.Object || !request.TryGetProperty("fault", out var name))
            return (null, null, "fault: found nothing, expected the name of a fault.");
        if (name.ValueKind != JsonValueKind.String || !Faults.TryGetValue(name.GetString()!, out var known))
            return (null, null, $"fault: found {name.GetRawText()}, expected one of {string.Join(", ", Faults.Keys)}.");
        var fields = new FaultFields(request);
        var fault = known.Read(fields);
        TimeSpan? duration = request.TryGetProperty("forMs", out _) ? fields.Milliseconds("forMs", least: 1) : null;
        return fields.Mistakes.Count == 0 ? (fault, duration, null) : (null, null, string.Join(' ', fields.Mistakes));
    }

    /// <summary>Reads the faults that are there from the start: one object or an array of them.</summary>
    public static IReadOnlyList<Fault> ReadAll(string json, string where, List<string> mistakes)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            List<Fault> faults = [];
            foreach (var element in document.RootElement.ValueKind == JsonValueKind.Array ? [.. document.RootElement.EnumerateArray()] : new[] { document.RootElement })
            {
                var (fault, duration, mistake) = Read(element);
                if (mistake is not null)
                    mistakes.Add($"{where}: {mistake}");
                else if (duration is not null || fault is Freeze)
                    mistakes.Add($"{where}: found {element.GetRawText()}, expected a fault without forMs other than freeze.");
                else
                    faults.Add(fault!);
            }

            return faults;
        }
        catch (JsonException error)
        {
            mistakes.Add($"{where}: found what is no JSON ({error.Message}), expected a fault or an array of faults.");
            return [];
        }
    }

    /// <summary>A fault in force, as the channel lists it.</summary>
    public static JsonObject Describe(ActiveFault active, TimeSpan now)
    {
        var description = new JsonObject { ["fault"] = active.Fault.Name };
        if (active.Fault.Subject.Length > 0)
            description["subject"] = active.Fault.Subject;
        description["sinceMs"] = (long)(now - active.Since).TotalMilliseconds;
        if (active.Until is { } until)
            description["leftMs"] = (long)(until - now).TotalMilliseconds;
        return description;
    }

    private static Ways Direction(FaultFields fields) =>
        fields.OneOf<Ways>("direction", Ways.Both, ("both", Ways.Both), ("in", Ways.In), ("out", Ways.Out));

    private static ComponentState ReadComponent(FaultFields fields)
    {
        var component = fields.OneOf<int>("component", null, ("system", 0), ("resource", 1), ("query_processing", 2), ("io_subsystem", 3));

        // io_subsystem is never in error, and events are never known.
        var state = component == 3 ? fields.Number("state", null, 0, 1, 2) : fields.Number("state", null, 0, 1, 2, 3);
        return new ComponentState(component switch { 0 => "system", 1 => "resource", 2 => "query_processing", _ => "io_subsystem" }, state);
    }
}
