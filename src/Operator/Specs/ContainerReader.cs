using System.Text.Json.Nodes;

namespace Agents.Operator.Specs;

/// <summary>Reads what a <c>SqlServer</c> says about the server's container.</summary>
internal static class ContainerReader
{
    private const string Path = "spec.sqlServerContainer";
    private const long Mebibyte = 1 << 20;

    /// <summary>Variables that are fields of <c>spec</c> as well: of two values nobody would know which one holds.</summary>
    private static readonly (string Variable, string Field)[] FieldVariables =
        [("MSSQL_MEMORY_LIMIT_MB", "memoryLimitMB"), ("MSSQL_COLLATION", "collation"), ("TZ", "timeZone")];

    /// <returns>The user's fields of the container, with <c>spec.resources</c> among them.</returns>
    public static JsonObject Container(FieldReader reader, JsonObject spec)
    {
        var container = reader.Object(spec, "spec", "sqlServerContainer", required: true) ?? [];
        reader.Text(container, Path, "image", required: true);
        reader.Objects(container, Path, "volumeMounts", "mountPath");
        reader.Objects(container, Path, "ports", "containerPort");
        foreach (var variable in (reader.Objects(container, Path, "env", "name") ?? []).OfType<JsonObject>())
            Variable(reader, spec, variable);
        reader.Object(container, Path, "resources");
        if (reader.Object(spec, "spec", "resources") is not { } resources)
            return container;
        if (container["resources"] is not null)
            reader.Mistake("spec.resources", "is given in sqlServerContainer.resources too; give one of them");
        container = (JsonObject)container.DeepClone();
        container["resources"] = resources.DeepClone();
        return container;
    }

    /// <summary>
    /// Engines before SQL Server 2022 CU20 do not see the limit of a container under cgroup v2: they take what the node has, and are killed for
    /// it. So the engine is always told, and as it would by itself it takes four fifths of the limit.
    /// </summary>
    /// <returns>MiB, or null to leave it to the engine: there is no limit, or a variable says so.</returns>
    public static long? MemoryLimit(FieldReader reader, JsonObject spec, JsonObject container)
    {
        var given = reader.Number(spec, "spec", "memoryLimitMB", 1, int.MaxValue);
        var source = spec["resources"] is null ? $"{Path}.resources" : "spec.resources";
        Amounts(reader, container["resources"]?["limits"], $"{source}.limits");
        Amounts(reader, container["resources"]?["requests"], $"{source}.requests");
        if (Quantity.Bytes(container["resources"]?["limits"]?["memory"]) is not { } bytes)
            return given;
        if (given > bytes / Mebibyte)
            reader.Mistake("spec.memoryLimitMB", $"must be at most the container's limit of {(long)(bytes / Mebibyte)} MiB", given);
        var told = (container["env"] as JsonArray ?? []).Any(item => FieldReader.TextOf((item as JsonObject)?["name"]) == "MSSQL_MEMORY_LIMIT_MB");
        return given ?? (told ? null : (long?)(bytes / Mebibyte * 0.8m));
    }

    private static void Amounts(FieldReader reader, JsonNode? node, string path)
    {
        if (node is null)
            return;
        if (node is not JsonObject amounts)
        {
            reader.Mistake(path, $"must be an object, not {FieldReader.Kind(node)}");
            return;
        }

        foreach (var (name, amount) in amounts)
            if (Quantity.Bytes(amount) is not >= 0)
                reader.Mistake($"{path}.{name}", "must be a quantity such as 500m or 4Gi", amount);
    }

    private static void Variable(FieldReader reader, JsonObject spec, JsonObject variable)
    {
        var name = FieldReader.TextOf(variable["name"]);
        var path = $"{Path}.env[{name}]";
        if (name == "MSSQL_TCP_PORT" && FieldReader.TextOf(variable["value"]) != "1433")
            reader.Mistake(path, "must be 1433: agents, probes and Services use that port");
        if (name is "MSSQL_SA_PASSWORD" or "SA_PASSWORD")
            reader.Mistake(path, "is set by the operator; use spec.saPassword");
        foreach (var (_, field) in FieldVariables.Where(entry => entry.Variable == name && spec[entry.Field] is not null))
            reader.Mistake(path, $"is given in spec.{field} too; give one of them");
    }
}
