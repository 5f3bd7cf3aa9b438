using System.Text.Json.Serialization.Metadata;

namespace Agents.Kubernetes;

/// <summary>Names one kind of object at the API server and how its documents are read and written.</summary>
/// <typeparam name="T">The wire record of the kind, or <see cref="System.Text.Json.Nodes.JsonObject"/> for the untyped document.</typeparam>
/// <param name="Group">API group; empty for the core group.</param>
/// <param name="Version">API version, such as <c>v1</c>.</param>
/// <param name="Plural">Resource name in paths, such as <c>statefulsets</c>.</param>
/// <param name="Kind">Kind in documents, such as <c>StatefulSet</c>.</param>
/// <param name="Namespaced">False for cluster-scoped kinds.</param>
/// <param name="Json">Source-generated contract of <typeparamref name="T"/>.</param>
public sealed record ResourceType<T>(string Group, string Version, string Plural, string Kind, bool Namespaced, JsonTypeInfo<T> Json)
    where T : class
{
    /// <summary>Value of <c>apiVersion</c> in documents.</summary>
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";
}
