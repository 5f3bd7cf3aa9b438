namespace SqlServerSimulator.Engine;

/// <summary>The system views.</summary>
public static partial class SystemCatalog
{
    private static readonly Dictionary<string, SystemView> Views = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Finds a view, or null. The schema is normally "sys".</summary>
    public static SystemView? Find(string schema, string name) =>
        schema.Equals("sys", StringComparison.OrdinalIgnoreCase) && Views.TryGetValue(name, out var view) ? view : null;
}
