namespace SqlServerSimulator.Engine;

/// <summary>Changes of a session that are not committed. They live in memory only; the log sees them at commit.</summary>
internal sealed class Transaction
{
    private readonly List<(string Name, int Changes, Dictionary<(int Table, long Row), object?[]?> Own)> _savepoints = [];

    public bool Explicit { get; init; }

    public Database? Database { get; set; }

    public List<Change> Changes { get; } = [];

    /// <summary>Rows as the session itself sees them; null is deleted.</summary>
    public Dictionary<(int Table, long Row), object?[]?> Own { get; } = [];

    /// <summary>The lock it waits for, if any: a transaction waits for one at a time.</summary>
    public Transaction? WaitsFor { get; set; }

    public bool Ended { get; set; }

    /// <summary>Sets a savepoint; a name may be used again, and the last one counts.</summary>
    public void Save(string name) => _savepoints.Add((name, Changes.Count, new(Own)));

    /// <summary>Takes back what came after a savepoint, which stays.</summary>
    /// <returns>False when there is none of that name.</returns>
    public bool RollBackTo(string name)
    {
        var place = _savepoints.FindLastIndex(savepoint => savepoint.Name == name);
        if (place < 0)
        {
            return false;
        }

        var (_, changes, own) = _savepoints[place];
        _savepoints.RemoveRange(place + 1, _savepoints.Count - place - 1);
        Changes.RemoveRange(changes, Changes.Count - changes);
        Own.Clear();
        foreach (var (row, values) in own)
        {
            Own.Add(row, values);
        }

        return true;
    }

    /// <summary>The rows with a primary key, as the session itself sees them: one at most.</summary>
    public IEnumerable<KeyValuePair<long, object?[]>> Seek(Table table, string key)
    {
        if (table.Find(key) is { } row && !Own.ContainsKey((table.Id, row)))
        {
            yield return new(row, table.Rows[row]);
        }

        foreach (var ((id, changed), values) in Own)
        {
            if (id == table.Id && values is not null && table.KeyOf(values) == key)
            {
                yield return new(changed, values);
            }
        }
    }

    public IEnumerable<KeyValuePair<long, object?[]>> Rows(Table table)
    {
        foreach (var (row, values) in table.Rows)
        {
            if (!Own.TryGetValue((table.Id, row), out var own))
            {
                yield return new(row, values);
            }
            else if (own is not null)
            {
                yield return new(row, own);
            }
        }

        foreach (var ((id, row), values) in Own)
        {
            if (id == table.Id && values is not null && !table.Rows.ContainsKey(row))
            {
                yield return new(row, values);
            }
        }
    }
}

/// <summary>Exclusive locks on rows and keys of one database, held to the end of the transaction.</summary>
internal sealed class LockTable
{
    private readonly Dictionary<(int Table, string Resource), Transaction> _owners = [];

    public List<LockWait> Waits { get; } = [];

    public Transaction? Owner(int table, string resource, Transaction asking) =>
        _owners.TryGetValue((table, resource), out var owner) && owner != asking ? owner : null;

    public void Take(int table, string resource, Transaction owner) => _owners[(table, resource)] = owner;

    public void Release(Transaction owner)
    {
        foreach (var resource in _owners.Where(pair => pair.Value == owner).Select(pair => pair.Key).ToList())
        {
            _owners.Remove(resource);
        }
    }

    public void Clear()
    {
        _owners.Clear();
        Waits.Clear();
    }

    public static string Row(long row) => $"r{row}";

    public static string Key(string key) => $"k{key}";
}

/// <summary>A statement that waits for a lock; it is tried again from its start when locks become free.</summary>
internal sealed record LockWait(Transaction Transaction, Operation Operation, Action Retry, TimeSpan? Deadline);
