using System.Text.Json.Nodes;
using KubernetesEmulator.Schema;

namespace KubernetesEmulator.Resources;

/// <summary>One kind of object at one version, as discovery describes it.</summary>
internal sealed record Resource(string Group, string Version, string Plural, string Kind, bool Namespaced)
{
    public string Singular { get; init; } = Kind.ToLowerInvariant();

    public string ListKind { get; init; } = Kind + "List";

    public IReadOnlyList<string> ShortNames { get; init; } = [];

    public IReadOnlyList<string> Categories { get; init; } = [];

    public bool HasStatus { get; init; }

    /// <summary>Paths of the scale subresource, or null when there is none.</summary>
    public ScalePaths? Scale { get; init; }

    /// <summary>Whether <c>metadata.generation</c> counts changes of the specification.</summary>
    public bool CountsGenerations { get; init; }

    /// <summary>Whether a PUT may leave out <c>metadata.resourceVersion</c>.</summary>
    public bool UnconditionalUpdate { get; init; } = true;

    /// <summary>Whether such an object is only answered, never stored.</summary>
    public bool IsQuestion { get; init; }

    /// <summary>Whether a PUT creates what is not there.</summary>
    public bool CreatesOnUpdate { get; init; }

    public IReadOnlyList<string> FieldLabels { get; init; } = [];

    public JsonObject Schema { get; init; } = BuiltInTypes.Of(Group.Length == 0 ? Version : $"{Group}/{Version}", Kind);

    public JsonArray? PrinterColumns { get; init; }

    /// <summary>Whether a CustomResourceDefinition adds the kind.</summary>
    public bool IsCustom { get; init; }

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>Names the stored collection: versions of one kind share it.</summary>
    public string Key { get; } = Group.Length == 0 ? Plural : $"{Plural}.{Group}";

    public string QualifiedName => Key;
}

/// <summary>Where a kind keeps what the scale subresource shows.</summary>
internal sealed record ScalePaths(string Spec, string Status, string? Selector);
