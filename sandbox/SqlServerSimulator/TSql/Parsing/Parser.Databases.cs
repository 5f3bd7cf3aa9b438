using SqlServerSimulator.Engine;
using SqlServerSimulator.TSql.Syntax;

namespace SqlServerSimulator.TSql.Parsing;

internal sealed partial class Parser
{
    private CreateDatabase ParseCreateDatabase()
    {
        var create = new CreateDatabase(TakeName());
        if (Accept("CONTAINMENT"))
        {
            Expect("=");
            if (!At("NONE")) throw NotSimulated("CONTAINMENT other than NONE");
            Take();
        }

        var files = new List<DatabaseFile>();
        if (Accept("ON"))
        {
            Accept("PRIMARY");
            ParseFiles(files, log: false);
        }

        if (Accept("LOG"))
        {
            Expect("ON");
            ParseFiles(files, log: true);
        }

        create = create with { Files = files };
        if (Accept("COLLATE")) create = create with { Collation = ParseCollation() };
        return At("WITH") || At("FOR") || At("AS") ? throw NotSimulated($"CREATE DATABASE … {Current.Text.ToUpperInvariant()}") : create;
    }

    /// <summary>Comparison here ignores case and minds accents, whatever the collation: others are not simulated.</summary>
    private string ParseCollation()
    {
        var name = TakeName();
        if (!name.Contains("_CI_AS", StringComparison.OrdinalIgnoreCase))
        {
            throw name.Contains("_C", StringComparison.OrdinalIgnoreCase) || name.Contains("_BIN", StringComparison.OrdinalIgnoreCase)
                ? NotSimulated($"Collation {name}")
                : Fail(448, 16, $"Invalid collation '{name}'.");
        }

        return name;
    }

    private void ParseFiles(List<DatabaseFile> files, bool log)
    {
        do
        {
            if (At("FILEGROUP")) throw NotSimulated("FILEGROUP");
            Expect("(");
            string? logical = null, physical = null;
            do
            {
                if (Accept("NAME"))
                {
                    Expect("=");
                    logical = Current.Kind is TokenKind.Text or TokenKind.NationalText ? TakeText() : TakeName();
                }
                else if (Accept("FILENAME"))
                {
                    Expect("=");
                    physical = TakeText();
                }
                else
                {
                    var growth = TakeOneOf("SIZE", "MAXSIZE", "FILEGROWTH") == 2;
                    Expect("=");
                    if (Accept("UNLIMITED")) continue;
                    TakeInt();
                    _ = Accept("KB") || Accept("MB") || Accept("GB") || Accept("TB") || (growth && Accept("%"));
                }
            }
            while (Accept(","));
            Expect(")");
            files.Add(logical is not null && physical is not null ? new DatabaseFile(logical, physical, log) : throw Wrong());
        }
        while (Accept(","));
    }

    private Statement ParseDropDatabase(int line)
    {
        var exists = AcceptIfExists();
        var drops = new List<Statement>();
        do
        {
            var name = TakeName();
            drops.Add(exists
                ? new DropIfExistsStatement(new DropDatabase(name), "databases", name, line)
                : Engine(new DropDatabase(name), line, "DROP DATABASE"));
        }
        while (Accept(","));
        return drops.Count == 1 ? drops[0] : new BlockStatement(drops, line);
    }

    private Statement ParseAlterDatabase(int line)
    {
        // An empty name is the current database.
        var name = Accept("CURRENT") ? "" : TakeName();
        if (Accept("MODIFY"))
        {
            if (!At("NAME")) throw NotSimulated($"ALTER DATABASE … MODIFY {Current.Text.ToUpperInvariant()}");
            Take();
            Expect("=");
            return Engine(new RenameDatabase(name, TakeName()), line, "ALTER DATABASE");
        }

        if (!Accept("SET"))
        {
            throw At("ADD") || At("REMOVE") || At("COLLATE") || At("REBUILD") ? NotSimulated($"ALTER DATABASE … {Current.Text.ToUpperInvariant()}") : Wrong();
        }

        if (Accept("HADR")) return Engine(ParseHadr(name), line, "ALTER DATABASE");
        var changes = new List<AlterDatabase>();
        do
        {
            changes.Add(ParseDatabaseOption(name));
        }
        while (Accept(","));
        var termination = ParseTermination();
        var statements = changes.ConvertAll<Statement>(change => Engine(
            change switch
            {
                SetReadOnly set => set with { Termination = termination },
                SetUserAccess set => set with { Termination = termination },
                SetDatabaseState set => set with { Termination = termination },
                SetDatabaseOption set => set with { Termination = termination },
                _ => change,
            },
            line,
            "ALTER DATABASE"));
        return statements.Count == 1 ? statements[0] : new BlockStatement(statements, line);
    }

    private SetHadr ParseHadr(string name)
    {
        if (Accept("AVAILABILITY"))
        {
            Expect("GROUP", "=");
            return new SetHadr(name, HadrAction.Join, TakeName());
        }

        return new SetHadr(name, TakeOneOf("OFF", "SUSPEND", "RESUME") switch
        {
            0 => HadrAction.Off,
            1 => HadrAction.Suspend,
            _ => HadrAction.Resume,
        });
    }

    private AlterDatabase ParseDatabaseOption(string name)
    {
        var word = Current;
        if (word.Kind != TokenKind.Name) throw Wrong();
        Take();
        var option = word.Text.ToUpperInvariant();
        switch (option)
        {
            case "RECOVERY":
                return new SetRecovery(name, TakeOneOf("FULL", "BULK_LOGGED", "SIMPLE") switch
                {
                    0 => RecoveryModel.Full,
                    1 => RecoveryModel.BulkLogged,
                    _ => RecoveryModel.Simple,
                });
            case "READ_ONLY" or "READ_WRITE":
                return new SetReadOnly(name, option == "READ_ONLY");
            case "SINGLE_USER":
                return new SetUserAccess(name, UserAccess.SingleUser);
            case "RESTRICTED_USER":
                return new SetUserAccess(name, UserAccess.RestrictedUser);
            case "MULTI_USER":
                return new SetUserAccess(name, UserAccess.MultiUser);
            case "ONLINE":
                return new SetDatabaseState(name, DatabaseState.Online);
            case "OFFLINE":
                return new SetDatabaseState(name, DatabaseState.Offline);
            case "EMERGENCY":
                return new SetDatabaseState(name, DatabaseState.Emergency);
            case "AUTO_CLOSE" or "AUTO_SHRINK" or "AUTO_CREATE_STATISTICS" or "AUTO_UPDATE_STATISTICS" or "AUTO_UPDATE_STATISTICS_ASYNC"
                or "ALLOW_SNAPSHOT_ISOLATION" or "READ_COMMITTED_SNAPSHOT" or "TRUSTWORTHY" or "DB_CHAINING":
                return new SetDatabaseOption(name, option, TakeOnOff() ? 1 : 0);
            case "PAGE_VERIFY":
                return new SetDatabaseOption(name, option, TakeOneOf("NONE", "TORN_PAGE_DETECTION", "CHECKSUM"));
            case "COMPATIBILITY_LEVEL":
                Expect("=");
                return new SetDatabaseOption(name, option, TakeInt());
            case "TARGET_RECOVERY_TIME":
                Expect("=");
                var time = TakeInt();
                return new SetDatabaseOption(name, option, TakeOneOf("SECONDS", "MINUTES") == 0 ? time : time * 60);
            case "DELAYED_DURABILITY":
                Expect("=");
                if (!At("DISABLED")) throw NotSimulated("DELAYED_DURABILITY other than DISABLED");
                Take();
                return new SetDatabaseOption(name, option, 0);
            case "QUERY_STORE" or "ENABLE_BROKER" or "DISABLE_BROKER" or "NEW_BROKER" or "ENCRYPTION" or "CHANGE_TRACKING" or "ANSI_NULLS"
                or "ANSI_NULL_DEFAULT" or "ANSI_PADDING" or "ANSI_WARNINGS" or "ARITHABORT" or "CONCAT_NULL_YIELDS_NULL" or "QUOTED_IDENTIFIER"
                or "NUMERIC_ROUNDABORT" or "RECURSIVE_TRIGGERS" or "PARAMETERIZATION" or "CURSOR_CLOSE_ON_COMMIT" or "CURSOR_DEFAULT"
                or "CONTAINMENT" or "FILESTREAM" or "MIXED_PAGE_ALLOCATION" or "ACCELERATED_DATABASE_RECOVERY" or "DATE_CORRELATION_OPTIMIZATION"
                or "HONOR_BROKER_PRIORITY" or "PARTNER" or "WITNESS" or "DEFAULT_LANGUAGE" or "TEMPORAL_HISTORY_RETENTION":
                throw NotSimulated($"ALTER DATABASE … SET {option}");
            default:
                throw Wrong(word);
        }
    }

    private Termination ParseTermination()
    {
        if (!Accept("WITH")) return Termination.Wait;
        if (Accept("NO_WAIT")) return new Termination(NoWait: true);
        Expect("ROLLBACK");
        if (Accept("IMMEDIATE")) return new Termination(RollbackAfter: TimeSpan.Zero);
        Expect("AFTER");
        var seconds = TakeInt();
        Accept("SECONDS");
        return new Termination(RollbackAfter: TimeSpan.FromSeconds(seconds));
    }

    private EngineStatement ParseBackup(int line)
    {
        var log = false;
        if (Accept("LOG")) log = true;
        else if (At("CERTIFICATE") || At("MASTER") || At("SERVICE")) throw NotSimulated($"BACKUP {Current.Text.ToUpperInvariant()}");
        else Expect("DATABASE");
        if (Current.Kind == TokenKind.Variable) throw NotSimulated("BACKUP of a database named by a variable");
        var database = TakeName();
        Expect("TO");
        var (devices, url) = ParseDevices();
        var backup = new Backup(database, log) { Devices = devices, Url = url };
        if (Accept("WITH"))
        {
            do
            {
                backup = ParseBackupOption(backup);
            }
            while (Accept(","));
        }

        return Engine(backup, line, log ? "BACKUP LOG" : "BACKUP DATABASE");
    }

    private Backup ParseBackupOption(Backup backup)
    {
        if (At("DIFFERENTIAL") || At("ENCRYPTION") || At("NORECOVERY") || At("STANDBY") || At("NO_TRUNCATE") || At("CONTINUE_AFTER_ERROR"))
            throw NotSimulated($"BACKUP WITH {Current.Text.ToUpperInvariant()}");
        if (Accept("COPY_ONLY")) return backup with { CopyOnly = true };
        if (Accept("INIT") || Accept("FORMAT")) return backup with { Overwrite = true };
        if (Accept("CHECKSUM")) return backup with { Checksum = true };
        if (Accept("COMPRESSION")) return backup with { Compression = true };
        if (Accept("STATS")) return backup with { Stats = Accept("=") ? TakeInt(100) : 10 };
        if (Accept("NAME"))
        {
            Expect("=");
            return backup with { Name = TakeText() };
        }

        if (Accept("DESCRIPTION"))
        {
            Expect("=");
            return backup with { Description = TakeText() };
        }

        if (TakeOneOf(
            "NOINIT", "NOFORMAT", "NO_COMPRESSION", "NO_CHECKSUM", "SKIP", "NOSKIP", "STOP_ON_ERROR", "REWIND", "NOREWIND", "UNLOAD", "NOUNLOAD",
            "MAXTRANSFERSIZE", "BUFFERCOUNT", "BLOCKSIZE") >= 11)
        {
            Expect("=");
            TakeInt();
        }

        return backup;
    }

    private (List<string> Devices, bool Url) ParseDevices()
    {
        var devices = new List<string>();
        var url = false;
        do
        {
            if (At("TAPE") || At("VIRTUAL_DEVICE") || At("FILE")) throw NotSimulated($"A backup device of the kind {Current.Text.ToUpperInvariant()}");
            url |= TakeOneOf("DISK", "URL") == 1;
            Expect("=");
            if (Current.Kind == TokenKind.Variable) throw NotSimulated("A backup device named by a variable");
            devices.Add(TakeText());
        }
        while (Accept(","));
        return (devices, url);
    }

    private Statement ParseRestore(int line)
    {
        foreach (var kind in Enum.GetValues<BackupInspection>())
        {
            if (Accept(kind.ToString())) return ParseInspection(kind, line);
        }

        if (At("CERTIFICATE") || At("MASTER") || At("SERVICE") || At("REWINDONLY")) throw NotSimulated($"RESTORE {Current.Text.ToUpperInvariant()}");
        var log = TakeOneOf("DATABASE", "LOG") == 1;
        if (Current.Kind == TokenKind.Variable) throw NotSimulated("RESTORE of a database named by a variable");
        var restore = new Restore(TakeName(), log, []);
        if (At("FILE") || At("PAGE") || At("FILEGROUP") || At("READ_WRITE_FILEGROUPS")) throw NotSimulated($"RESTORE of a {Current.Text.ToUpperInvariant()}");
        if (Accept("FROM"))
        {
            if (At("DATABASE_SNAPSHOT")) throw NotSimulated("RESTORE FROM DATABASE_SNAPSHOT");
            var (devices, url) = ParseDevices();
            if (url) throw NotSimulated("RESTORE FROM URL");
            restore = restore with { Devices = devices };
        }

        if (Accept("WITH"))
        {
            do
            {
                restore = ParseRestoreOption(restore);
            }
            while (Accept(","));
        }

        return Engine(restore, line, log ? "RESTORE LOG" : "RESTORE DATABASE");
    }

    private Restore ParseRestoreOption(Restore restore)
    {
        if (At("STANDBY") || At("PARTIAL") || At("STOPAT") || At("STOPATMARK") || At("STOPBEFOREMARK") || At("KEEP_REPLICATION") || At("CONTINUE_AFTER_ERROR")
            || At("RESTRICTED_USER") || At("ENABLE_BROKER") || At("NEW_BROKER") || At("RESTART"))
        {
            throw NotSimulated($"RESTORE WITH {Current.Text.ToUpperInvariant()}");
        }

        if (Accept("RECOVERY")) return restore with { Recovery = true };
        if (Accept("NORECOVERY")) return restore with { Recovery = false };
        if (Accept("REPLACE")) return restore with { Replace = true };
        if (Accept("STATS")) return restore with { Stats = Accept("=") ? TakeInt(100) : 10 };
        if (Accept("MOVE"))
        {
            var logical = TakeText();
            Expect("TO");
            return restore with { Moves = [.. restore.Moves, (logical, TakeText())] };
        }

        if (Accept("FILE"))
        {
            Expect("=");
            return restore with { File = TakeInt() };
        }

        TakeOneOf("CHECKSUM", "NO_CHECKSUM", "STOP_ON_ERROR", "REWIND", "NOREWIND", "UNLOAD", "NOUNLOAD");
        return restore;
    }

    private InspectBackupStatement ParseInspection(BackupInspection kind, int line)
    {
        Expect("FROM");
        var (devices, url) = ParseDevices();
        if (url) throw NotSimulated("RESTORE FROM URL");
        if (devices.Count > 1 && kind != BackupInspection.VerifyOnly) throw NotSimulated($"RESTORE {kind.ToString().ToUpperInvariant()} from several devices");
        int? file = null;
        if (Accept("WITH"))
        {
            do
            {
                if (Accept("FILE"))
                {
                    Expect("=");
                    file = TakeInt();
                }
                else
                {
                    TakeOneOf("CHECKSUM", "NO_CHECKSUM", "NOUNLOAD", "UNLOAD", "LOADHISTORY");
                }
            }
            while (Accept(","));
        }

        return new InspectBackupStatement(kind, devices, file, line);
    }
}
