using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Execution;

/// <summary>What a statement changed.</summary>
internal sealed record ChangedRows(long Count, IReadOnlyList<(object?[]? Before, object?[]? After)> Rows, object? Identity);

/// <summary>
/// The #tables of one session. Nobody else sees them, so they need no locks and no log; a rollback takes back what was done to them.
/// One that was made inside EXECUTE goes with the end of that.
/// </summary>
internal sealed class TemporaryTables
{
    private readonly List<Entry> _tables = [];
    private readonly List<Action> _undo = [];
    private readonly List<(string Name, int Undo)> _savepoints = [];
    private int _level;
    private int _lastId;

    private sealed class Entry(int id, int level, string name, IReadOnlyList<ColumnDefinition> columns, IReadOnlyList<int> key)
    {
        public int Id => id;

        public int Level => level;

        public string Name => name;

        public IReadOnlyList<ColumnDefinition> Columns => columns;

        public IReadOnlyList<int> Key => key;

        public int IdentityColumn { get; } = columns.ToList().FindIndex(column => column.Identity);

        /// <summary>Never changed, only replaced.</summary>
        public IReadOnlyList<object?[]> Rows { get; set; } = [];

        public long? LastIdentity { get; set; }
    }

    public static bool Is(TableName name) => name.Name.StartsWith('#');

    public int? ObjectId(TableName name) => Find(name)?.Id;

    public TableView Describe(TableName name)
    {
        var table = Require(name);
        return new TableView(table.Columns, table.Key, table.IdentityColumn)
        {
            Scan = () => table.Rows,
            Find = key => table.Rows.Where(row => Operators.RowComparer.Equals(KeyOf(table, row), key)).ToList(),
        };
    }

    /// <summary>Runs a command about a #table.</summary>
    /// <param name="command">The command.</param>
    /// <param name="transaction">Whether a transaction is open, so that the change may have to be taken back.</param>
    public ChangedRows Execute(EngineCommand command, bool transaction)
    {
        var before = _undo.Count;
        var changed = command switch
        {
            InsertRows insert => Insert(Require(insert.Table), insert),
            ModifyRows modify => Modify(Require(modify.Table), modify),
            CreateTable create => Create(create),
            DropTable drop => Drop(drop.Name),
            _ => throw new InvalidOperationException(command.GetType().Name),
        };
        if (!transaction) _undo.RemoveRange(before, _undo.Count - before);
        return changed;
    }

    public void EnterScope() => _level++;

    public void LeaveScope()
    {
        _tables.RemoveAll(table => table.Level >= _level);
        _level--;
    }

    public void Save(string name) => _savepoints.Add((name, _undo.Count));

    public void RollBackTo(string name)
    {
        var place = _savepoints.FindLastIndex(savepoint => savepoint.Name == name);
        var keep = _savepoints[place].Undo;
        _savepoints.RemoveRange(place + 1, _savepoints.Count - place - 1);
        Undo(keep);
    }

    public void Commit()
    {
        _undo.Clear();
        _savepoints.Clear();
    }

    public void RollBack()
    {
        Undo(0);
        _savepoints.Clear();
    }

    public void Clear()
    {
        Commit();
        _tables.Clear();
        _level = 0;
    }

    private void Undo(int keep)
    {
        for (var i = _undo.Count - 1; i >= keep; i--) _undo[i]();
        _undo.RemoveRange(keep, _undo.Count - keep);
    }

    /// <summary>The innermost of that name; a database in front of it counts for nothing.</summary>
    private Entry? Find(TableName name) => _tables.FindLast(table => table.Name.Equals(name.Name, StringComparison.OrdinalIgnoreCase));

    private Entry Require(TableName name) => Find(name) ?? throw new SqlErrorException(208, 16, $"Invalid object name '{name.Name}'.");

    private static object?[] KeyOf(Entry table, object?[] row) => table.Key.Select(place => row[place]).ToArray();

    private ChangedRows Create(CreateTable create)
    {
        if (Find(create.Name) is { } there && there.Level == _level)
            throw new SqlErrorException(2714, 16, $"There is already an object named '{create.Name.Name}' in the database.");
        var columns = create.Columns.ToList();
        var key = create.PrimaryKey.Select(name => columns.FindIndex(column => column.Name.Equals(name, StringComparison.OrdinalIgnoreCase))).ToList();
        foreach (var place in key) columns[place] = columns[place] with { Type = columns[place].Type with { Nullable = false } };
        var table = new Entry(--_lastId, _level, create.Name.Name, columns, key);
        _tables.Add(table);
        _undo.Add(() => _tables.Remove(table));
        return new ChangedRows(0, [], null);
    }

    private ChangedRows Drop(TableName name)
    {
        var table = Find(name) ?? throw new SqlErrorException(
            3701, 11, $"Cannot drop the table '{name.Name}', because it does not exist or you do not have permission.");
        _tables.Remove(table);
        _undo.Add(() => _tables.Add(table));
        return new ChangedRows(0, [], null);
    }

    private ChangedRows Insert(Entry table, InsertRows insert)
    {
        var rows = insert.Rows.Select(row => row.ToArray()).ToList();
        object? identity = null;
        if (table.IdentityColumn >= 0)
        {
            var column = table.Columns[table.IdentityColumn];
            foreach (var row in rows)
            {
                var next = table.LastIdentity is { } last ? last + column.IdentityIncrement : column.IdentitySeed;
                if (insert.IdentityInsert) next = (long)Conversion.Convert(row[table.IdentityColumn], column.Type, Types.BigInt)!;
                else row[table.IdentityColumn] = Conversion.Convert(next, Types.BigInt, column.Type);
                var forward = column.IdentityIncrement > 0 ? next > (table.LastIdentity ?? long.MinValue) : next < (table.LastIdentity ?? long.MaxValue);
                if (forward) table.LastIdentity = next;
                identity = row[table.IdentityColumn];
            }
        }

        Replace(table, [.. table.Rows, .. rows]);
        return new ChangedRows(rows.Count, rows.ConvertAll(row => ((object?[]?)null, (object?[]?)row)), identity);
    }

    private ChangedRows Modify(Entry table, ModifyRows modify)
    {
        var matches = table.Rows.Where(modify.Where).Take((int)Math.Min(modify.Top ?? int.MaxValue, int.MaxValue)).ToList();
        var changed = matches.ToDictionary(row => row, row => (modify as UpdateRows)?.Change(row), (IEqualityComparer<object?[]>)ReferenceEqualityComparer.Instance);
        Replace(table, table.Rows.Select(row => changed.TryGetValue(row, out var after) ? after : row).OfType<object?[]>().ToList());
        return new ChangedRows(matches.Count, matches.ConvertAll(row => ((object?[]?)row, changed[row])), null);
    }

    /// <summary>Takes the rows if no key is there twice.</summary>
    private void Replace(Entry table, IReadOnlyList<object?[]> rows)
    {
        if (table.Key.Count > 0)
        {
            var keys = new HashSet<IReadOnlyList<object?>>(Operators.RowComparer);
            foreach (var row in rows)
            {
                if (keys.Add(KeyOf(table, row))) continue;
                throw new SqlErrorException(
                    2627, 14, $"Violation of PRIMARY KEY constraint 'PK_{table.Name}'. Cannot insert duplicate key in object 'dbo.{table.Name}'. The duplicate key value is ({
                        string.Join(", ", KeyOf(table, row).Select(value => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)))}).");
            }
        }

        var old = table.Rows;
        table.Rows = rows;
        _undo.Add(() => table.Rows = old);
    }
}
