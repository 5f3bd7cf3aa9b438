using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Agents.Kubernetes;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Pod))]
[JsonSerializable(typeof(Secret))]
[JsonSerializable(typeof(ConfigMap))]
[JsonSerializable(typeof(Lease))]
[JsonSerializable(typeof(Endpoints))]
[JsonSerializable(typeof(Node))]
[JsonSerializable(typeof(StatefulSet))]
[JsonSerializable(typeof(Job))]
[JsonSerializable(typeof(Service))]
[JsonSerializable(typeof(Event))]
[JsonSerializable(typeof(SqlServer))]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(System.Text.Json.JsonElement))]
internal sealed partial class KubernetesJson : JsonSerializerContext;
