using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>Tables of users in the databases of the system. Each has a log of its own; tempdb begins anew with each start.</summary>
public sealed partial class SqlInstance
{
    private readonly Dictionary<string, Database> _systemDatabases = new(StringComparer.OrdinalIgnoreCase);

    private IEnumerable<Database> AllDatabases => Databases.Values.Concat(_systemDatabases.Values);

    /// <summary>The tables of any database, or null when there is no such database.</summary>
    internal Database? FindTables(string database) => IsSystem(database) ? SystemDatabase(database) : FindDatabase(database);

    private Database SystemDatabase(string name)
    {
        if (_systemDatabases.TryGetValue(name, out var known))
        {
            return known;
        }

        var id = DatabaseId(name)!.Value;
        var entry = new DatabaseEntry
        {
            Name = SystemDatabases[id - 1], Id = id, File = new Guid(id, 0, 0, new byte[8]), Created = StartTime, Recovery = RecoveryModel.Simple,
        };
        if (Same(name, "tempdb"))
        {
            Environment.Delete(Database.FileOf(entry));
        }

        var database = new Database(entry, Environment);
        database.Apply(database.End);
        database.Recovered = true;
        _systemDatabases.Add(entry.Name, database);
        return database;
    }

    /// <summary>The database of a table, which may be named before it; 208 when there is none of that name.</summary>
    private string DatabaseOf(EngineSession session, TableName table) => DatabaseOf(session, table, Errors.NoObject(table.ToString()));

    private string DatabaseOf(EngineSession session, TableName table, SqlError missing) =>
        table.Database.Length == 0 ? session.Database : DatabaseId(table.Database) is not null ? table.Database : throw new SqlErrorException(missing);
}
