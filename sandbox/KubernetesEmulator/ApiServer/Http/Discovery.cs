using System.Text.Json.Nodes;
using KubernetesEmulator.Resources;

namespace KubernetesEmulator.Http;

/// <summary>The documents from which clients learn what the server serves.</summary>
internal static class Discovery
{
    public static JsonObject Version() => new()
    {
        ["major"] = "1",
        ["minor"] = "32",
        ["gitVersion"] = "v1.32.0",
        ["gitCommit"] = "0000000000000000000000000000000000000000",
        ["gitTreeState"] = "clean",
        ["buildDate"] = "2024-12-11T18:00:00Z",
        ["goVersion"] = "none",
        ["compiler"] = "none",
        ["platform"] = "linux/amd64",
    };

    public static JsonObject CoreVersions(string address) => new()
    {
        ["kind"] = "APIVersions",
        ["versions"] = new JsonArray("v1"),
        ["serverAddressByClientCIDRs"] = new JsonArray(new JsonObject { ["clientCIDR"] = "0.0.0.0/0", ["serverAddress"] = address }),
    };

    public static JsonObject Groups(Catalog catalog) => new()
    {
        ["kind"] = "APIGroupList",
        ["apiVersion"] = "v1",
        ["groups"] = new JsonArray([.. catalog.All.Where(r => r.Group.Length > 0).GroupBy(r => r.Group).Select(g => Group(g.Key, g))]),
    };

    public static JsonObject? Group(Catalog catalog, string group)
    {
        var members = catalog.All.Where(r => r.Group == group && group.Length > 0).ToList();
        if (members.Count == 0)
            return null;
        var document = Group(group, members);
        document["kind"] = "APIGroup";
        document["apiVersion"] = "v1";
        return document;
    }

    public static JsonObject? Resources(Catalog catalog, string group, string version)
    {
        var members = catalog.All.Where(r => r.Group == group && r.Version == version).ToList();
        if (members.Count == 0)
            return null;
        var list = new JsonArray();
        foreach (var r in members)
        {
            var entry = r.IsQuestion
                ? Entry(r, r.Plural, "create")
                : Entry(r, r.Plural, "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch");
            entry["singularName"] = r.Singular;
            if (r.ShortNames.Count > 0)
                entry["shortNames"] = new JsonArray([.. r.ShortNames]);
            if (r.Categories.Count > 0)
                entry["categories"] = new JsonArray([.. r.Categories]);
            list.Add((JsonNode)entry);
            if (r.HasStatus)
                list.Add((JsonNode)Entry(r, r.Plural + "/status", "get", "patch", "update"));
            if (r.Scale is not null)
            {
                var scale = Entry(r, r.Plural + "/scale", "get", "patch", "update");
                scale["group"] = "autoscaling";
                scale["version"] = "v1";
                scale["kind"] = "Scale";
                list.Add((JsonNode)scale);
            }

            if (r.Key == Catalog.Pods.Key)
            {
                list.Add((JsonNode)Entry(r, "pods/log", "get"));
                var binding = Entry(r, "pods/binding", "create");
                binding["kind"] = "Binding";
                list.Add((JsonNode)binding);
                var eviction = Entry(r, "pods/eviction", "create");
                eviction["group"] = Catalog.DisruptionBudgets.Group;
                eviction["version"] = Catalog.DisruptionBudgets.Version;
                eviction["kind"] = "Eviction";
                list.Add((JsonNode)eviction);
            }

            if (r.Key == Catalog.ServiceAccounts.Key)
            {
                var token = Entry(r, "serviceaccounts/token", "create");
                token["group"] = "authentication.k8s.io";
                token["version"] = "v1";
                token["kind"] = "TokenRequest";
                list.Add((JsonNode)token);
            }
        }

        return new JsonObject
        {
            ["kind"] = "APIResourceList",
            ["apiVersion"] = "v1",
            ["groupVersion"] = group.Length == 0 ? version : $"{group}/{version}",
            ["resources"] = list,
        };
    }

    private static JsonObject Group(string name, IEnumerable<Resource> members)
    {
        var versions = members.Select(m => m.Version).Distinct().Select(v => new JsonObject { ["groupVersion"] = $"{name}/{v}", ["version"] = v }).ToList();
        return new JsonObject { ["name"] = name, ["versions"] = new JsonArray([.. versions]), ["preferredVersion"] = versions[0].DeepClone() };
    }

    private static JsonObject Entry(Resource r, string name, params string[] verbs) => new()
    {
        ["name"] = name,
        ["singularName"] = "",
        ["namespaced"] = r.Namespaced,
        ["kind"] = r.Kind,
        ["verbs"] = new JsonArray([.. verbs]),
    };
}
