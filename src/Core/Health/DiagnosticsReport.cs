using Agents.Sql;

namespace Agents.Health;

/// <summary>One result set of <c>sp_server_diagnostics</c>: the state of each component of the instance that was reported.</summary>
public sealed record DiagnosticsReport
{
    private readonly Dictionary<string, ComponentState> components;

    /// <summary>Makes a report.</summary>
    /// <param name="components">States by component, in lower case.</param>
    public DiagnosticsReport(IReadOnlyDictionary<string, ComponentState> components) =>
        this.components = new Dictionary<string, ComponentState>(components, StringComparer.OrdinalIgnoreCase);

    /// <summary>The state of a component; <see cref="ComponentState.Missing"/> when the report does not tell.</summary>
    /// <param name="component">Name, such as <c>system</c>.</param>
    public ComponentState this[string component] => components.GetValueOrDefault(component, ComponentState.Missing);

    /// <summary>Reads a result set. Rows and values that make no sense are left out, so that their components count as missing.</summary>
    /// <param name="set">The result set.</param>
    public static DiagnosticsReport Read(SqlResultSet set)
    {
        var components = new Dictionary<string, ComponentState>(StringComparer.OrdinalIgnoreCase);
        foreach (var row in set.Rows)
        {
            var state = StateOf(row, out var name);
            if (name is null)
                continue;

            // Of two rows the worse one tells.
            if (!components.TryGetValue(name, out var present) || Badness(state) > Badness(present))
                components[name] = state;
        }

        return new DiagnosticsReport(components);
    }

    private static ComponentState StateOf(SqlRow row, out string? name)
    {
        name = null;
        try
        {
            // Availability groups have rows of their own, and one may be named like a component.
            if (row.TextOrNull("component_type") is { } type && type.Contains("AvailabilityGroup", StringComparison.OrdinalIgnoreCase))
                return ComponentState.Missing;
            name = row.TextOrNull("component_name");
            return row.NumberOrNull("state") switch
            {
                0 => ComponentState.Unknown,
                1 => ComponentState.Clean,
                2 => ComponentState.Warning,
                3 => ComponentState.Error,
                _ => ComponentState.Missing,
            };
        }
        catch (Exception error) when (error is KeyNotFoundException or FormatException or InvalidCastException or OverflowException)
        {
            return ComponentState.Missing;
        }
    }

    private static int Badness(ComponentState state) => state switch
    {
        ComponentState.Error => 4,
        ComponentState.Missing => 3,
        ComponentState.Warning => 2,
        ComponentState.Clean => 1,
        _ => 0,
    };
}

/// <summary>State of a component.</summary>
public enum ComponentState
{
    /// <summary>Not reported, or reported in a way that makes no sense.</summary>
    Missing,

    /// <summary>Reported as unknown, as shortly after start.</summary>
    Unknown,

    /// <summary>Clean.</summary>
    Clean,

    /// <summary>Warning.</summary>
    Warning,

    /// <summary>Error.</summary>
    Error,
}
