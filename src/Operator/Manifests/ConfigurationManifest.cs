using System.Text.Json.Nodes;
using Agents.Operator.Specs;

namespace Agents.Operator.Manifests;

/// <summary>The ConfigMap that holds an instance's <c>mssql.conf</c>.</summary>
internal static class ConfigurationManifest
{
    public static JsonObject Build(InstanceSpec spec, string file)
    {
        var map = Metadata.Document("v1", "ConfigMap", Metadata.OfInstance(spec, Names.Configuration(spec.Name)));
        map["data"] = new JsonObject { [Names.ConfigurationFile] = file };
        return map;
    }
}
