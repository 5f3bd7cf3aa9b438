using System.Text.Json.Nodes;
using Agents.Kubernetes;
using Sandbox.Output;

namespace Sandbox.Playground;

/// <summary>The facts that help most when a step has failed.</summary>
internal static class Diagnosis
{
    private static readonly (string Container, int Lines)[] Told =
        [("mssql-ha-supervisor", 12), ("mssql-server", 4), ("mssql-server-k8s-init-sql", 3), ("mssql-operator", 5)];

    /// <summary>Tells the state of pods and leases, recent warnings and the ends of the logs; bounded, and never fails.</summary>
    public static async Task TellAsync(Cluster cluster, IScreen screen)
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            screen.Warning("pods:");
            foreach (var pod in (await cluster.Api.ListAsync(Kinds.Pods, null, ListOptions.All, bound.Token)).Items)
                screen.Line("  " + Pod(pod));
            screen.Warning("leases:");
            foreach (var lease in (await cluster.Api.ListAsync(Kinds.Leases, Group.Namespace, ListOptions.All, bound.Token)).Items)
                screen.Line($"  {Name(lease)} held by {Text(lease["spec"]?["holderIdentity"]) ?? "nobody"}, renewed {Text(lease["spec"]?["renewTime"]) ?? "never"}");
            screen.Warning("sqlservers:");
            foreach (var server in (await cluster.Api.ListAsync(Kinds.SqlServers, Group.Namespace, ListOptions.All, bound.Token)).Items)
                screen.Line($"  {Name(server)}: {Conditions(server)}");
            screen.Warning("warnings:");
            var events = (await cluster.Api.ListAsync(Kinds.Events, null, ListOptions.All, bound.Token)).Items;
            foreach (var warning in events.Where(x => Text(x["type"]) == "Warning").TakeLast(10))
                screen.Line($"  {Text(warning["involvedObject"]?["name"])}: {Text(warning["reason"])}: {Text(warning["message"])}");
        }
        catch (Exception e)
        {
            // This is for a person to read after a failure; it must not hide that failure.
            screen.Warning($"(could not read more: {e.Message})");
        }

        foreach (var (container, lines) in Told)
        {
            foreach (var log in Logs(cluster.Directory, container))
                Tell(screen, log, lines);
        }

        var own = Path.Combine(cluster.Directory, "cluster.log");
        if (File.Exists(own))
            Tell(screen, own, 8);
    }

    /// <summary>The last lines of a container's newest log.</summary>
    public static string Tail(string directory, string container, int lines) =>
        Logs(directory, container).LastOrDefault() is { } log ? string.Join(" | ", LastLines(log, lines)) : "(there is no log)";

    private static void Tell(IScreen screen, string log, int lines)
    {
        screen.Warning($"end of {log}:");
        foreach (var line in LastLines(log, lines))
            screen.Line("  " + line);
    }

    private static List<string> Logs(string directory, string container) =>
        [.. Directory.EnumerateFiles(directory, "current.log", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true })
            .Where(x => Path.GetFileName(Path.GetDirectoryName(x)) == container)
            .OrderBy(File.GetLastWriteTimeUtc)];

    private static IEnumerable<string> LastLines(string path, int count)
    {
        try
        {
            using var file = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
            return [.. file.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(count)];
        }
        catch (IOException e)
        {
            return [$"({e.Message})"];
        }
    }

    private static string Pod(JsonObject pod)
    {
        var labels = pod["metadata"]?["labels"] as JsonObject ?? [];
        var role = Text(labels[$"role.ag.mssql.microsoft.com/{Group.Name}"]);
        var containers = (pod["status"]?["containerStatuses"] as JsonArray ?? []).Select(x =>
            $"{Text(x?["name"])} {(x?["state"] as JsonObject)?.FirstOrDefault().Key ?? "?"}"
            + (x?["state"]?["waiting"]?["reason"] is { } why ? $" ({why}: {Text(x["state"]!["waiting"]!["message"])})" : "")
            + (x?["ready"]?.GetValue<bool>() == true ? "" : " not ready")
            + $" restarts {x?["restartCount"]}");
        return $"{Name(pod)} on {Text(pod["spec"]?["nodeName"]) ?? "no node"} {Text(pod["status"]?["phase"])} {role}: {string.Join("; ", containers)}";
    }

    private static string Conditions(JsonObject item) => string.Join("; ", (item["status"]?["conditions"] as JsonArray ?? []).Select(x =>
        $"{Text(x?["type"])}={Text(x?["status"])} {Text(x?["reason"])} {Text(x?["message"])}".TrimEnd()));

    private static string Name(JsonObject item) => Text(item["metadata"]?["name"]) ?? "?";

    private static string? Text(JsonNode? node) => node?.ToString();
}
