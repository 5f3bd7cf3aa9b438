using System.Globalization;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

public sealed partial class SqlInstance
{
    /// <summary>A user table for reading. Throws <see cref="SqlErrorException"/> (208, 976, 978, 983, 229 ...).</summary>
    public TableView Read(EngineSession session, TableName table)
    {
        var database = OpenForReading(session, DatabaseOf(session, table));
        var found = Find(database, table);
        RequireInDatabase(session, database, "SELECT", found);
        RequireGoodPages(database, found);
        var transaction = session.Transaction is { Ended: false } own && own.Database == database ? own : null;
        return new TableView(found.Columns, found.Key, found.IdentityColumn)
        {
            Scan = () => transaction is null ? [.. found.Rows.Values] : [.. transaction.Rows(found).Select(row => row.Value)],
            Find = values => found.KeyOfValues(values) is not { } key ? []
                : [.. (transaction ?? new Transaction()).Seek(found, key).Select(row => row.Value)],
        };
    }

    /// <summary>DB_ID(name), or null.</summary>
    public int? DatabaseId(string name)
    {
        var system = Array.FindIndex(SystemDatabases, database => database.Equals(name, StringComparison.OrdinalIgnoreCase));
        return system >= 0 ? system + 1 : FindDatabase(name)?.Entry.Id;
    }

    /// <summary>DB_NAME(id), or null.</summary>
    public string? DatabaseName(int id) =>
        id is >= 1 and <= 4 ? SystemDatabases[id - 1] : Databases.Values.FirstOrDefault(database => database.Entry.Id == id)?.Name;

    /// <summary>OBJECT_ID(name) of a user table in a database, or null.</summary>
    public int? ObjectId(EngineSession session, TableName name) =>
        FindTables(name.Database.Length > 0 ? name.Database : session.Database)?.Find(name.Schema.Length > 0 ? name.Schema : "dbo", name.Name)?.Id;

    internal Database? FindDatabase(string name) => Databases.GetValueOrDefault(name);

    private static bool IsSystem(string name) => SystemDatabases.Contains(name, StringComparer.OrdinalIgnoreCase);

    private static Table Find(Database database, TableName name) =>
        database.Find(name.Schema.Length > 0 ? name.Schema : "dbo", name.Name)
        ?? throw new SqlErrorException(Errors.NoObject(name.ToString()));

    // Transactions

    private static void Begin(EngineSession session)
    {
        if (session.Transaction is not null)
        {
            throw new SqlErrorException(3988, 16, "New transaction is not allowed because there are other threads running in the session.");
        }

        session.Transaction = new Transaction { Explicit = true };
    }

    private bool Commit(EngineSession session, Operation operation)
    {
        var transaction = session.Transaction
            ?? throw new SqlErrorException(3902, 16, "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.");
        session.Transaction = null;
        return Commit(transaction, operation);
    }

    private bool Commit(Transaction transaction, Operation operation)
    {
        if (transaction.Database is not { } database || transaction.Changes.Count == 0)
        {
            Release(transaction);
            return true;
        }

        if (IsLogFull)
        {
            Release(transaction);
            throw new SqlErrorException(LogFull(database.Name));
        }

        if (database.Entry.Group is { } id && Groups.TryGetValue(id, out var group))
        {
            if (group.Role != ReplicaRole.Primary || !group.IsLeaseValid)
            {
                Release(transaction);
                throw new SqlErrorException(group.Role != ReplicaRole.Primary ? Errors.NoRole(database.Name) : Errors.LeaseExpired(group.Name));
            }

            var record = database.Append(group.File.Promised, transaction.Changes);
            var commit = new PendingCommit(record.Lsn, transaction, operation, Environment.Now) { Flushed = Flushes.AreFast };
            database.Pending.Enqueue(commit);
            if (!commit.Flushed)
            {
                Flushes.After(() =>
                {
                    commit.Flushed = true;
                    group.CheckCommits();
                });
            }

            group.AfterAppend(database);
            return false;
        }

        var lsn = database.Append(0, transaction.Changes).Lsn;
        if (!Flushes.AreFast)
        {
            Flushes.After(() =>
            {
                if (!transaction.Ended)
                {
                    Acknowledge(database, lsn, transaction, operation);
                    CheckpointIfDue(database);
                }
            });
            return false;
        }

        database.Apply(lsn);
        CheckpointIfDue(database);
        Release(transaction);
        return true;
    }

    internal static void Acknowledge(Database database, PendingCommit commit) =>
        Acknowledge(database, commit.Lsn, commit.Transaction, commit.Operation);

    private static void Acknowledge(Database database, long lsn, Transaction transaction, Operation operation)
    {
        database.Apply(lsn);
        Release(transaction);
        operation.Succeed();
    }

    private static void Rollback(EngineSession session)
    {
        if (session.Transaction is { } transaction)
        {
            session.Transaction = null;
            Release(transaction);
        }
    }

    private static void Release(Transaction transaction)
    {
        transaction.Ended = true;
        if (transaction.Database is not { } database)
        {
            return;
        }

        database.Locks.Release(transaction);
        foreach (var wait in database.Locks.Waits.Where(wait => wait.Transaction == transaction).ToList())
        {
            database.Locks.Waits.Remove(wait);
            wait.Operation.Fail(Errors.Cancelled);
        }

        foreach (var wait in database.Locks.Waits.ToList())
        {
            if (wait.Transaction.WaitsFor is { Ended: true } && database.Locks.Waits.Remove(wait))
            {
                wait.Transaction.WaitsFor = null;
                wait.Retry();
            }
        }
    }

    /// <summary>Runs a change in the session's transaction, or in one of its own; waits for locks as often as it must.</summary>
    private bool Change(EngineSession session, Database database, Operation operation, Func<Transaction, Transaction?> attempt)
    {
        var own = session.Transaction is null;
        var transaction = session.Transaction ?? new Transaction();
        if (transaction.Database is not null && transaction.Database != database)
        {
            throw new SqlErrorException(
                40515, 16, "This simulator does not support transactions that change more than one database.");
        }

        transaction.Database = database;
        var deadline = session.LockTimeout is { } timeout ? Environment.Now + timeout : (TimeSpan?)null;

        bool Try()
        {
            try
            {
                if (attempt(transaction) is { } owner)
                {
                    for (var other = owner; other is not null; other = other.WaitsFor)
                    {
                        if (other == transaction)
                        {
                            if (session.Transaction == transaction)
                            {
                                session.Transaction = null;
                            }

                            Release(transaction);
                            throw new SqlErrorException(
                                1205,
                                13,
                                $"Transaction (Process ID {session.Id}) was deadlocked on lock resources with another process and has been chosen as the deadlock victim. Rerun the transaction.");
                        }
                    }

                    if (deadline <= Environment.Now)
                    {
                        throw new SqlErrorException(1222, 16, "Lock request time out period exceeded.");
                    }

                    transaction.WaitsFor = owner;
                    var wait = new LockWait(transaction, operation, Retry, deadline);
                    database.Locks.Waits.Add(wait);
                    operation.Cancelled = () =>
                    {
                        database.Locks.Waits.Remove(wait);
                        transaction.WaitsFor = null;
                        if (own)
                        {
                            Release(transaction);
                        }
                    };
                    return false;
                }

                operation.Cancelled = null;
                return !own || Commit(transaction, operation);
            }
            catch (SqlErrorException)
            {
                if (own && !transaction.Ended)
                {
                    Release(transaction);
                }

                throw;
            }
        }

        void Retry()
        {
            try
            {
                if (Try())
                {
                    operation.Succeed();
                }
            }
            catch (SqlErrorException error)
            {
                operation.Fail(error.Error);
            }
        }

        return Try();
    }

    private bool LogChanges(EngineSession session, Database database, IReadOnlyList<Change> changes, Operation operation)
    {
        RefuseInTransaction(session, "DDL");
        var transaction = new Transaction { Database = database };
        transaction.Changes.AddRange(changes);
        return Commit(transaction, operation);
    }

    // Rows

    private bool Insert(EngineSession session, InsertRows insert, Operation operation)
    {
        var database = OpenForWriting(session, DatabaseOf(session, insert.Table), null);
        RequireInDatabase(session, database, "INSERT", Find(database, insert.Table));
        RequireMemory();
        RequireDataSpace(database, Find(database, insert.Table));
        return Change(session, database, operation, transaction =>
        {
            var table = Find(database, insert.Table);
            var rows = insert.Rows.Select(row => (object?[])row.Clone()).ToList();
            object? last = null;
            if (table.IdentityColumn >= 0)
            {
                foreach (var row in rows)
                {
                    if (!insert.IdentityInsert)
                    {
                        var next = table.NextIdentity();
                        table.SeeIdentity(next);
                        row[table.IdentityColumn] = ToType(next, table.Columns[table.IdentityColumn].Type);
                    }
                    else
                    {
                        table.SeeIdentity(Convert.ToInt64(row[table.IdentityColumn], CultureInfo.InvariantCulture));
                    }

                    last = row[table.IdentityColumn];
                }
            }

            HashSet<string> added = [];
            foreach (var row in rows)
            {
                CheckNulls(table, row);
                if (table.KeyOf(row) is { } key)
                {
                    if (database.Locks.Owner(table.Id, LockTable.Key(key), transaction) is { } owner)
                    {
                        return owner;
                    }

                    if (KeyExists(table, transaction, key, null) || !added.Add(key))
                    {
                        throw DuplicateKey(table, row);
                    }
                }
            }

            foreach (var row in rows)
            {
                Put(database, transaction, table, table.NextRow++, row);
            }

            operation.RowCount = rows.Count;
            operation.Rows = rows.ConvertAll(row => ((object?[]?)null, (object?[]?)row));
            operation.Value = last;
            return null;
        });
    }

    private bool Modify(
        EngineSession session, ModifyRows command, string permission, Func<object?[], object?[]>? change, Operation operation)
    {
        var database = OpenForWriting(session, DatabaseOf(session, command.Table), null);
        RequireInDatabase(session, database, permission, Find(database, command.Table));
        RequireMemory();
        RequireGoodPages(database, Find(database, command.Table));
        return Change(session, database, operation, transaction =>
        {
            var table = Find(database, command.Table);
            var candidates = command.Key is null ? transaction.Rows(table)
                : table.KeyOfValues(command.Key) is { } wanted ? transaction.Seek(table, wanted) : [];
            var matches = candidates.Where(row => command.Where(row.Value)).Take((int)Math.Min(command.Top ?? int.MaxValue, int.MaxValue)).ToList();
            foreach (var (row, values) in matches)
            {
                if (database.Locks.Owner(table.Id, LockTable.Row(row), transaction) is { } owner
                    || (table.KeyOf(values) is { } key && (owner = database.Locks.Owner(table.Id, LockTable.Key(key), transaction)) is not null))
                {
                    return owner;
                }
            }

            if (change is null)
            {
                operation.Rows = matches.ConvertAll(match => ((object?[]?)match.Value, (object?[]?)null));
                foreach (var (row, values) in matches)
                {
                    Remove(database, transaction, table, row, values);
                }
            }
            else
            {
                var changed = matches.Select(match => (match.Key, Old: match.Value, New: change(match.Value))).ToList();
                operation.Rows = changed.ConvertAll(row => ((object?[]?)row.Old, (object?[]?)row.New));
                var leaving = changed.Select(row => table.KeyOf(row.Old)).OfType<string>().ToHashSet();
                HashSet<string> added = [];
                foreach (var (row, old, values) in changed)
                {
                    CheckNulls(table, values);
                    if (table.KeyOf(values) is { } key)
                    {
                        if (!added.Add(key) || (!leaving.Contains(key) && KeyExists(table, transaction, key, row)))
                        {
                            throw DuplicateKey(table, values);
                        }

                        if (database.Locks.Owner(table.Id, LockTable.Key(key), transaction) is { } owner)
                        {
                            return owner;
                        }
                    }
                }

                foreach (var (row, old, values) in changed)
                {
                    if (table.KeyOf(old) is { } key)
                    {
                        database.Locks.Take(table.Id, LockTable.Key(key), transaction);
                    }

                    Put(database, transaction, table, row, values);
                }
            }

            operation.RowCount = matches.Count;
            return null;
        });
    }

    private static bool KeyExists(Table table, Transaction transaction, string key, long? except)
    {
        if (table.Find(key) is { } row && row != except
            && (!transaction.Own.TryGetValue((table.Id, row), out var own) || (own is not null && table.KeyOf(own) == key)))
        {
            return true;
        }

        return transaction.Own.Any(pair => pair.Key.Table == table.Id && pair.Key.Row != except && pair.Value is not null && table.KeyOf(pair.Value) == key);
    }

    private static void Put(Database database, Transaction transaction, Table table, long row, object?[] values)
    {
        database.Locks.Take(table.Id, LockTable.Row(row), transaction);
        if (table.KeyOf(values) is { } key)
        {
            database.Locks.Take(table.Id, LockTable.Key(key), transaction);
        }

        transaction.Own[(table.Id, row)] = values;
        transaction.Changes.Add(new PutRow(table.Id, row, values));
    }

    private static void Remove(Database database, Transaction transaction, Table table, long row, object?[] values)
    {
        database.Locks.Take(table.Id, LockTable.Row(row), transaction);
        if (table.KeyOf(values) is { } key)
        {
            database.Locks.Take(table.Id, LockTable.Key(key), transaction);
        }

        transaction.Own[(table.Id, row)] = null;
        transaction.Changes.Add(new RemoveRow(table.Id, row));
    }

    private static void CheckNulls(Table table, object?[] values)
    {
        for (var index = 0; index < values.Length; index++)
        {
            if (values[index] is null && !table.Columns[index].Type.Nullable)
            {
                throw new SqlErrorException(
                    515,
                    16,
                    $"Cannot insert the value NULL into column '{table.Columns[index].Name}', table '{table.Schema}.{table.Name}'; column does not allow nulls. INSERT fails.");
            }
        }
    }

    private static SqlErrorException DuplicateKey(Table table, object?[] values) => new(
        2627,
        14,
        $"Violation of PRIMARY KEY constraint 'PK_{table.Name}'. Cannot insert duplicate key in object '{table.Schema}.{table.Name}'. The duplicate key value is ({string.Join(", ", table.Key.Select(ordinal => Convert.ToString(values[ordinal], CultureInfo.InvariantCulture)))}).");

    private static object ToType(long value, SqlType type) => type.Kind switch
    {
        SqlKind.TinyInt => (object)checked((byte)value),
        SqlKind.SmallInt => (object)checked((short)value),
        SqlKind.Int => (object)checked((int)value),
        SqlKind.Numeric => (object)new System.Numerics.BigInteger(value),
        _ => (object)value,
    };

    private bool Create(EngineSession session, CreateTable create, Operation operation)
    {
        var database = OpenForWriting(
            session,
            DatabaseOf(session, create.Name, Errors.Make(2702, 16, $"Database '{create.Name.Database}' does not exist.", 2)),
            "CREATE TABLE");
        var schema = create.Name.Schema.Length > 0 ? create.Name.Schema : "dbo";
        if (!schema.Equals("dbo", StringComparison.OrdinalIgnoreCase))
        {
            throw new SqlErrorException(2760, 16, $"The specified schema name \"{schema}\" either does not exist or you do not have permission to use it.");
        }

        if (database.Find(schema, create.Name.Name) is not null)
        {
            throw new SqlErrorException(2714, 16, $"There is already an object named '{create.Name.Name}' in the database.");
        }

        var columns = create.Columns.ToList();
        List<int> key = [];
        foreach (var name in create.PrimaryKey)
        {
            var ordinal = columns.FindIndex(column => column.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
            if (ordinal < 0)
            {
                throw new SqlErrorException(1911, 16, $"Column name '{name}' does not exist in the target table or view.");
            }

            columns[ordinal] = columns[ordinal] with { Type = columns[ordinal].Type with { Nullable = false } };
            key.Add(ordinal);
        }

        // The log's end makes ids that no other table of this database has, on any replica.
        var id = 1000000000 + (int)(database.End % 1000000000);
        return LogChanges(session, database, [new NewTable(id, "dbo", create.Name.Name, Environment.UtcNow, columns, key)], operation);
    }

    private bool Drop(EngineSession session, DropTable drop, Operation operation)
    {
        var missing = Errors.Make(3701, 11, $"Cannot drop the table '{drop.Name}', because it does not exist or you do not have permission.", 5);
        var database = OpenForWriting(session, DatabaseOf(session, drop.Name, missing), "ALTER");
        var table = database.Find(drop.Name.Schema.Length > 0 ? drop.Name.Schema : "dbo", drop.Name.Name) ?? throw new SqlErrorException(missing);
        return LogChanges(session, database, [new RemoveTable(table.Id)], operation);
    }

    // Databases

    private void LoadDatabases()
    {
        foreach (var entry in Master.Databases.ToList())
        {
            if (entry.Seeding)
            {
                Environment.Delete(Database.FileOf(entry));
                Master.Databases.Remove(entry);
                continue;
            }

            var database = new Database(entry, Environment) { RecoveryTime = RecoveryTime };
            Databases.Add(entry.Name, database);
            if (database.Damage != Damage.None)
            {
                LogFailedRecovery(database);
            }
            else
            {
                database.Damage = DamageOf(entry.Name);
            }

            if (entry.Group is null && !entry.Restoring)
            {
                database.Apply(database.End);
                database.Recovered = true;
            }
        }
    }

    private Database Add(DatabaseEntry entry)
    {
        Environment.Delete(Database.FileOf(entry));
        Master.Databases.Add(entry);
        var database = new Database(entry, Environment) { RecoveryTime = RecoveryTime };
        Databases.Add(entry.Name, database);
        SaveMaster();
        return database;
    }

    private DatabaseEntry NewEntry(string name, string owner)
    {
        var id = Environment.NewGuid();
        return new DatabaseEntry
        {
            Name = name, Id = Master.NextDatabaseId++, File = id, Family = id, Fork = id, Owner = owner, Created = Environment.UtcNow, Files = FilesOf(name, []),
        };
    }

    internal void Discard(Database database)
    {
        Databases.Remove(database.Name);
        Master.Databases.Remove(database.Entry);
        SaveMaster();
        Environment.Delete(database.File);
    }
}
