using System.Globalization;
using System.Text;

namespace SqlServerSimulator.Engine;

/// <summary>A user table with its committed rows.</summary>
internal sealed class Table(NewTable definition)
{
    private readonly Dictionary<string, long> _keys = [];

    public int Id => definition.Id;

    public string Schema => definition.Schema;

    public string Name => definition.Name;

    public DateTime Created => definition.Created;

    public IReadOnlyList<ColumnDefinition> Columns => definition.Columns;

    public IReadOnlyList<int> Key => definition.Key;

    public int IdentityColumn { get; } = definition.Columns.ToList().FindIndex(column => column.Identity);

    public SortedDictionary<long, object?[]> Rows { get; } = [];

    public long NextRow { get; set; } = 1;

    /// <summary>Last identity value given out, or null before the first.</summary>
    public long? LastIdentity { get; set; }

    public void Put(long row, object?[] values)
    {
        Remove(row);
        Rows[row] = values;
        NextRow = Math.Max(NextRow, row + 1);
        if (KeyOf(values) is { } key)
        {
            _keys[key] = row;
        }

        if (IdentityColumn >= 0)
        {
            SeeIdentity(Convert.ToInt64(values[IdentityColumn], CultureInfo.InvariantCulture));
        }
    }

    public void Remove(long row)
    {
        if (Rows.Remove(row, out var values) && KeyOf(values) is { } key)
        {
            _keys.Remove(key);
        }
    }

    public long? Find(string key) => _keys.TryGetValue(key, out var row) ? row : null;

    public long NextIdentity()
    {
        var column = Columns[IdentityColumn];
        return LastIdentity is { } last ? last + column.IdentityIncrement : column.IdentitySeed;
    }

    public void SeeIdentity(long value)
    {
        var ascending = Columns[IdentityColumn].IdentityIncrement > 0;
        if (LastIdentity is not { } last || (ascending ? value > last : value < last))
        {
            LastIdentity = value;
        }
    }

    /// <summary>As <see cref="KeyOf"/>, from the key's values in its own order; null when they cannot be a key.</summary>
    public string? KeyOfValues(IReadOnlyList<object?> key)
    {
        if (key.Count != Key.Count || key.Contains(null))
        {
            return null;
        }

        var values = new object?[Columns.Count];
        for (var i = 0; i < key.Count; i++)
        {
            values[Key[i]] = key[i];
        }

        return KeyOf(values);
    }

    /// <summary>The primary key as one string, equal when the collation (case-insensitive) calls the keys equal; null without a key.</summary>
    public string? KeyOf(object?[] values)
    {
        if (Key.Count == 0)
        {
            return null;
        }

        var text = new StringBuilder();
        foreach (var ordinal in Key)
        {
            var part = values[ordinal] switch
            {
                string value => value.TrimEnd(' ').ToUpperInvariant(),
                byte[] value => Convert.ToHexString(value),
                DateTime value => value.Ticks.ToString(CultureInfo.InvariantCulture),
                DateTimeOffset value => value.UtcTicks.ToString(CultureInfo.InvariantCulture),
                var value => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
            };
            text.Append(part.Length).Append(':').Append(part);
        }

        return text.ToString();
    }
}
