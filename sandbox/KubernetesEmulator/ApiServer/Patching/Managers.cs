using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Patching;

/// <summary>One entry of <c>metadata.managedFields</c>.</summary>
internal sealed class Manager(string name, string operation, string apiVersion, string? subresource, FieldSet fields)
{
    public string Name => name;

    public string Operation => operation;

    public string? Subresource => subresource;

    public string ApiVersion { get; set; } = apiVersion;

    public FieldSet Fields { get; set; } = fields;

    public DateTimeOffset? Time { get; set; }

    public string Describe() => Operation == "Apply"
        ? $"\"{Name}\""
        : $"\"{Name}\"{(subresource is null ? "" : $" with subresource \"{subresource}\"")} using {ApiVersion}";
}

/// <summary>The managers of one object.</summary>
internal sealed class Managers
{
    private readonly List<Manager> _all = [];

    public IReadOnlyList<Manager> All => _all;

    public static Managers Read(JsonObject o)
    {
        var managers = new Managers();
        foreach (var entry in o.Objects("metadata", "managedFields"))
        {
            managers._all.Add(new Manager(
                entry.Text("manager") ?? "", entry.Text("operation") ?? "Update", entry.Text("apiVersion") ?? "", entry.Text("subresource"), FieldSet.FromJson(entry["fieldsV1"]))
            {
                Time = Document.ParseTime(entry.Text("time")),
            });
        }

        return managers;
    }

    public Manager? Find(string name, string operation, string? subresource) =>
        _all.Find(m => m.Name == name && m.Operation == operation && m.Subresource == subresource);

    public void Add(Manager manager) => _all.Add(manager);

    public void Write(JsonObject o)
    {
        var entries = new JsonArray();
        foreach (var manager in _all.Where(m => m.Operation == "Apply" || !m.Fields.IsEmpty))
        {
            var entry = new JsonObject { ["manager"] = manager.Name, ["operation"] = manager.Operation, ["apiVersion"] = manager.ApiVersion };
            if (manager.Time is { } time)
                entry["time"] = Document.Time(time);
            entry["fieldsType"] = "FieldsV1";
            entry["fieldsV1"] = manager.Fields.ToJson();
            if (manager.Subresource is { } subresource)
                entry["subresource"] = subresource;
            entries.Add(entry);
        }

        if (entries.Count > 0)
            o.Ensure("metadata")["managedFields"] = entries;
        else
            o.Child("metadata")?.Remove("managedFields");
    }
}
