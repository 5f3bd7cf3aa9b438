namespace Agents.Kubernetes;

/// <summary>Restricts a list or watch on the server's side.</summary>
/// <param name="LabelSelector">Label selector in the API's syntax, or null.</param>
/// <param name="FieldSelector">Field selector in the API's syntax, or null.</param>
public sealed record ListOptions(string? LabelSelector = null, string? FieldSelector = null)
{
    /// <summary>Everything.</summary>
    public static ListOptions All { get; } = new();
}
