using System.Text.Json;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

public sealed partial class SqlInstance
{
    /// <summary>sys.fn_hadr_is_primary_replica(database): null when it is in no group.</summary>
    public bool? IsPrimaryReplica(string database) =>
        FindDatabase(database)?.Entry.Group is { } id && Groups.TryGetValue(id, out var group) ? group.Role == ReplicaRole.Primary : null;

    internal Group? FindGroup(string name) => Groups.Values.FirstOrDefault(group => group.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    internal void SaveGroup(Group group) =>
        Environment.Replace($"ag-{group.Id:N}.json", JsonSerializer.SerializeToUtf8Bytes(group.File, EngineJson.Default.GroupFile));

    internal void RemoveGroup(Group group, bool restoring)
    {
        group.Leave(restoring);
        Groups.Remove(group.Id);
        Master.Groups.Remove(group.Id);
        Master.Permissions.RemoveAll(permission =>
            permission.Class == SecurableClass.AvailabilityGroup && permission.Securable.Equals(group.Name, StringComparison.OrdinalIgnoreCase));
        SaveMaster();
        Environment.Delete($"ag-{group.Id:N}.json");
        Log($"The availability group '{group.Name}' has left this instance.");
    }

    internal Database BeginSeeding(Group group, Guid groupDatabase, SeedingStart seeding)
    {
        if (group.Database(groupDatabase) is { } old)
        {
            Discard(old);
        }

        var entry = NewEntry(seeding.Name, group.File.GrantedBy);
        entry.Recovery = seeding.Recovery;
        entry.BackedUp = true;
        entry.Group = group.Id;
        entry.GroupDatabase = groupDatabase;
        entry.Seeding = true;
        return Add(entry);
    }

    private void LoadGroups()
    {
        foreach (var id in Master.Groups.ToList())
        {
            if (!Options.HadrEnabled || Environment.Read($"ag-{id:N}.json") is not { } content)
            {
                continue;
            }

            var file = JsonSerializer.Deserialize(content, EngineJson.Default.GroupFile)!;
            if (file.Accepted.Replica(file.LocalReplica) is not { } local || !local.Name.Equals(ServerName, StringComparison.OrdinalIgnoreCase))
            {
                Log($"Always On: AG integrity check failed for AG '{file.Accepted.Name}' with error 41041, severity 16, state 1.");
                Master.Groups.Remove(id);
                foreach (var entry in Master.Databases.Where(entry => entry.Group == id))
                {
                    entry.Group = null;
                    entry.Restoring = true;
                }

                SaveMaster();
                continue;
            }

            Groups.Add(id, new Group(this, file));
        }
    }

    private bool DispatchGroup(EngineSession session, EngineCommand command, Operation operation)
    {
        if (!Options.HadrEnabled)
        {
            throw new SqlErrorException(Errors.HadrDisabled);
        }

        if (!session.Database.Equals("master", StringComparison.OrdinalIgnoreCase))
        {
            throw new SqlErrorException(
                35208,
                16,
                "Availability group DDL operations are permitted only when you are using the master database.  Run the 'USE master' statement, and retry your availability group DDL statement.");
        }

        return command switch
        {
            CreateGroup create => Create(session, create, operation),
            JoinGroup join => Join(session, join, operation),
            DropGroup drop => Drop(session, drop),
            AlterGroup alter => Alter(session, alter, operation),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    private Group RequireGroup(EngineSession session, string name, string verb = "alter")
    {
        if (!Has(session.Login, "ALTER", SecurableClass.AvailabilityGroup, name))
        {
            throw new SqlErrorException(Errors.Missing(verb, "availability group", name));
        }

        return FindGroup(name) ?? throw new SqlErrorException(verb == "drop" ? Errors.Missing(verb, "availability group", name) : Errors.NoGroup(name));
    }

    private void OwnGroup(EngineSession session, string name)
    {
        if (!session.Login.Roles.Contains("sysadmin"))
        {
            PermissionList.Change(
                Master.Permissions,
                new Permission(session.LoginName, "CONTROL", SecurableClass.AvailabilityGroup, name, false, true),
                remove: false);
        }
    }

    private bool Create(EngineSession session, CreateGroup create, Operation operation)
    {
        if (!Has(session.Login, "CREATE AVAILABILITY GROUP", SecurableClass.Server, ""))
        {
            throw new SqlErrorException(Errors.NoPermission);
        }

        if (FindGroup(create.Name) is not null)
        {
            throw new SqlErrorException(41042, 16, $"The availability group '{create.Name}' already exists.");
        }

        if (create.Options.ClusterType is not ClusterType.External)
        {
            throw create.Options.ClusterType is ClusterType.None
                ? new SqlErrorException(41199, 16, "The specified command is invalid because the Always On Availability Groups feature of this simulator supports CLUSTER_TYPE = EXTERNAL only.")
                : new SqlErrorException(35220, 16, "Could not process the operation. Always On Availability Groups replica manager is waiting for the host computer to start a Windows Server Failover Clustering (WSFC) cluster and join it.");
        }

        if (create.Options.Basic || create.Options.Contained || create.Options.Distributed)
        {
            throw new SqlErrorException(41199, 16, "This simulator does not support BASIC, CONTAINED and DISTRIBUTED availability groups.");
        }

        if (create.Name.Length > 64)
        {
            throw new SqlErrorException(19544, 16, $"The availability group name '{create.Name}' is too long: at most 64 characters.");
        }

        if (Options.Edition.StartsWith("Express", StringComparison.OrdinalIgnoreCase))
        {
            throw new SqlErrorException(41199, 16, "The specified command is invalid because the Always On Availability Groups feature is not supported by this edition of SQL Server.");
        }

        if (create.Options.WriteLeaseValidity is <= 0 or > int.MaxValue)
        {
            throw new SqlErrorException(47117, 16, $"The 'WRITE_LEASE_VALIDITY' option must be specified with a valid time value when updating the Availability Group's external write lease status on availability group '{create.Name}'.");
        }

        var replicas = create.Replicas.Select(spec => NewReplica(create.Name, spec)).ToList();
        CheckNames(create.Name, replicas);
        var local = replicas.FirstOrDefault(replica => replica.Name.Equals(ServerName, StringComparison.OrdinalIgnoreCase))
            ?? throw new SqlErrorException(
                35237, 16, $"None of the specified replicas for availability group {create.Name} maps to the instance of SQL Server to which you are connected.");
        if (local.Mode == AvailabilityMode.ConfigurationOnly)
        {
            throw new SqlErrorException(47121, 16, $"The replica spec for the local replica of availability group '{create.Name}' has an invalid availability mode. Valid values are SYNCHRONOUS_COMMIT and ASYNCHRONOUS_COMMIT.");
        }

        var databases = create.Databases.Select(name => ForGroup(session, create.Name, name)).ToList();
        var members = databases.Select(database => new GroupDatabase(Environment.NewGuid(), database.Name)).ToList();
        var configuration = Apply(
            create.Name,
            new GroupConfiguration
            {
                Id = Environment.NewGuid(),
                Name = create.Name,
                Epoch = 1,
                Sequence = (1L << 32) | 1,
                Primary = local.Id,
                ClusterType = ClusterType.External,
                WriteLease = create.Options.WriteLeaseValidity is not null,
                Databases = members,
                Replicas =
                [
                    .. replicas.Select(replica => replica == local
                        ? replica with { Joined = true, Synchronized = [.. members.Select(member => member.Id)] }
                        : replica),
                ],
            },
            create.Options);
        Check("CREATE AVAILABILITY GROUP", configuration);
        var group = new Group(
            this,
            new GroupFile { LocalReplica = local.Id, Accepted = configuration, Promised = 1, PromisedTo = local.Id, GrantedBy = session.LoginName });
        foreach (var (database, member) in databases.Zip(members))
        {
            database.Entry.Group = group.Id;
            database.Entry.GroupDatabase = member.Id;
        }

        Groups.Add(group.Id, group);
        Master.Groups.Add(group.Id);
        OwnGroup(session, create.Name);
        SaveGroup(group);
        SaveMaster();
        if (create.Options.WriteLeaseValidity is { } seconds)
        {
            group.ExtendLease(seconds);
        }

        group.StartAsPrimary();
        return true;
    }

    private ReplicaConfiguration NewReplica(string group, ReplicaSpec spec)
    {
        var options = spec.Options;
        if (options.EndpointUrl is null)
        {
            throw new SqlErrorException(
                35236, 15, $"The endpoint URL was not specified for the availability replica hosted by server instance '{spec.Name}'.");
        }

        if (options.AvailabilityMode is null)
        {
            throw new SqlErrorException(41198, 15, $"The AVAILABILITY_MODE option has not been specified for the replica '{spec.Name}'.");
        }

        if (options.AvailabilityMode == AvailabilityMode.ConfigurationOnly)
        {
            var wrong = options switch
            {
                { FailoverMode: not null } => "FAILOVER_MODE",
                { SeedingMode: not null } => "SEEDING_MODE",
                { BackupPriority: not null } => "BACKUP_PRIORITY",
                { SecondaryConnections: not null } => "SECONDARY_ROLE",
                { PrimaryConnections: not null } => "PRIMARY_ROLE",
                _ => null,
            };
            if (wrong is not null)
            {
                throw new SqlErrorException(
                    47110, 15, $"The '{wrong}' option is not valid for the '{spec.Name}' replica as it is a configuration-only. Remove this option and retry the operation.");
            }
        }
        else
        {
            CheckFailoverMode(group, spec.Name, options.FailoverMode
                ?? throw new SqlErrorException(41197, 15, $"The FAILOVER_MODE option has not been specified for the replica '{spec.Name}'."));
        }

        return Apply(new ReplicaConfiguration { Id = Environment.NewGuid(), Name = spec.Name, Created = Environment.UtcNow }, options);
    }

    private static void CheckFailoverMode(string group, string replica, FailoverMode mode)
    {
        _ = replica;
        if (mode != FailoverMode.External)
        {
            throw new SqlErrorException(
                47102, 16, $"The cluster type of availability group '{group}' only supports EXTERNAL failover mode.");
        }
    }

    private static ReplicaConfiguration Apply(ReplicaConfiguration replica, ReplicaOptions options)
    {
        if (options.EndpointUrl is { } url
            && !(Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme.Equals("tcp", StringComparison.OrdinalIgnoreCase) && parsed.Port > 0))
        {
            throw new SqlErrorException(35232, 16, $"The specified endpoint URL '{url}' is invalid.");
        }

        if (options.SessionTimeout is < 5)
        {
            throw new SqlErrorException(
                35214, 16, $"The set session timeout operation failed for availability replica '{replica.Name}'.  The minimum value for session timeout is 5.");
        }

        return replica with
        {
            EndpointUrl = options.EndpointUrl ?? replica.EndpointUrl,
            Mode = options.AvailabilityMode ?? replica.Mode,
            FailoverMode = options.FailoverMode ?? replica.FailoverMode,
            SeedingMode = options.SeedingMode ?? replica.SeedingMode,
            BackupPriority = options.BackupPriority ?? replica.BackupPriority,
            SecondaryConnections = options.SecondaryConnections ?? replica.SecondaryConnections,
            PrimaryConnections = options.PrimaryConnections ?? replica.PrimaryConnections,
            ReadOnlyRoutingUrl = options.ReadOnlyRoutingUrl ?? replica.ReadOnlyRoutingUrl,
            ReadWriteRoutingUrl = options.ReadWriteRoutingUrl ?? replica.ReadWriteRoutingUrl,
            ReadOnlyRoutingList = options.ReadOnlyRoutingList ?? replica.ReadOnlyRoutingList,
            SessionTimeout = options.SessionTimeout ?? replica.SessionTimeout,
        };
    }

    private static GroupConfiguration Apply(string name, GroupConfiguration group, GroupOptions options)
    {
        if (options.FailureConditionLevel is < 1 or > 5)
        {
            throw new SqlErrorException(
                35228, 16, $"The attempt to set the failure condition level for availability group '{name}' failed.  The specified level value is out of the valid range [1, 5].");
        }

        if (options.HealthCheckTimeout is < 15000)
        {
            throw new SqlErrorException(
                35229, 16, $"The attempt to set the health check timeout value for availability group '{name}' failed.  The specified timeout value is less than 15000 milliseconds.");
        }

        return group with
        {
            AutomatedBackupPreference = options.AutomatedBackupPreference ?? group.AutomatedBackupPreference,
            FailureConditionLevel = options.FailureConditionLevel ?? group.FailureConditionLevel,
            HealthCheckTimeout = options.HealthCheckTimeout ?? group.HealthCheckTimeout,
            DbFailover = options.DbFailover ?? group.DbFailover,
            DtcSupport = options.DtcSupport ?? group.DtcSupport,
            Required = options.RequiredSynchronizedSecondariesToCommit ?? group.Required,
        };
    }

    /// <summary>What the engine refuses whatever the statement was.</summary>
    private static void Check(string operation, GroupConfiguration configuration)
    {
        var synchronous = configuration.Replicas.Count(replica => replica.Mode == AvailabilityMode.SynchronousCommit);
        var configurationOnly = configuration.Replicas.Count(replica => replica.Mode == AvailabilityMode.ConfigurationOnly);
        if (configurationOnly > 1)
        {
            throw new SqlErrorException(
                47107, 16, $"The {operation} operation is not allowed by the current availability group configuration.  The availability group '{configuration.Name}' supports only one configuration-only replica.");
        }

        if (configurationOnly == 1 && (synchronous > 2 || configuration.Required != 0))
        {
            throw new SqlErrorException(
                47108, 16, $"The {operation} operation is not allowed by the current availability group configuration.  A configuration-only replica allows at most two synchronous-commit replicas and no required synchronized secondaries in availability group '{configuration.Name}'.");
        }

        if (synchronous > 5)
        {
            throw new SqlErrorException(
                35212, 16, $"The {operation} operation is not allowed by the current availability group configuration.  This operation would exceed the maximum number of 5 synchronous-commit availability replicas in availability group '{configuration.Name}'.");
        }

        if (configuration.Replicas.Count - configurationOnly > 9)
        {
            throw new SqlErrorException(35233, 16, $"Cannot create an availability group containing {configuration.Replicas.Count} availability replica(s).");
        }

        if (configuration.Required > Math.Max(0, synchronous - 1) || configuration.Required < 0)
        {
            throw new SqlErrorException(
                35248,
                16,
                $"The {operation} operation is not allowed by the current availability group configuration.  The required_synchronized_secondaries_to_commit {configuration.Required} is greater than the {Math.Max(0, synchronous - 1)} possible secondary synchronous-commit availability replicas in availability group '{configuration.Name}'.");
        }
    }

    private static void CheckNames(string group, IReadOnlyList<ReplicaConfiguration> replicas)
    {
        if (replicas.GroupBy(replica => replica.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new SqlErrorException(41046, 16, $"The replica '{twice.Key}' is specified more than once for availability group '{group}'.");
        }

        if (replicas.GroupBy(replica => replica.EndpointUrl, StringComparer.OrdinalIgnoreCase).FirstOrDefault(same => same.Count() > 1) is { } url)
        {
            throw new SqlErrorException(35234, 16, $"Database mirroring endpoint URL '{url.Key}' is specified for more than one replica.");
        }
    }

    private Database ForGroup(EngineSession session, string group, string name)
    {
        if (IsSystem(name))
        {
            throw new SqlErrorException(35249, 16, $"An attempt to add or join a system database, '{name}', to an availability group failed.");
        }

        var database = FindDatabase(name)
            ?? throw new SqlErrorException(
                35238, 16, $"Database '{name}' cannot be added to availability group '{group}'.  The database does not exist on this SQL Server instance.");
        if (!Owns(session, database) && !Has(session.Login, "CONTROL SERVER", SecurableClass.Server, ""))
        {
            throw new SqlErrorException(Errors.NoPermission);
        }

        if (database.Entry.Group is not null)
        {
            throw new SqlErrorException(
                35244, 16, $"Database '{name}' cannot be added to availability group '{group}'.  The database is currently joined to another availability group.");
        }

        if (database.Entry.Restoring || database.Entry.Seeding)
        {
            throw new SqlErrorException(Errors.Restoring(database.Name));
        }

        if (database.Entry.ReadOnly)
        {
            throw new SqlErrorException(
                1466, 16, $"Database \"{name}\" is in read-only mode. It must be in read-write mode to be added.");
        }

        if (database.Entry.Recovery != RecoveryModel.Full)
        {
            throw new SqlErrorException(1465, 16, $"Database \"{name}\" database is not in full recovery mode on each of the server instances.");
        }

        return database.Entry.BackedUp
            ? database
            : throw new SqlErrorException(
                1475,
                16,
                $"Database \"{name}\" might contain bulk logged changes that have not been backed up. Take a log backup on the principal database or primary database.");
    }

    private bool Drop(EngineSession session, DropGroup drop)
    {
        var group = RequireGroup(session, drop.Name, "drop");
        if (group.Role == ReplicaRole.Primary)
        {
            group.TellRemoved();
            RemoveGroup(group, restoring: false);
        }
        else
        {
            RemoveGroup(group, restoring: true);
        }

        return true;
    }

    private bool Join(EngineSession session, JoinGroup join, Operation operation)
    {
        if (FindGroup(join.Name) is not null)
        {
            throw new SqlErrorException(
                41106, 16, $"Cannot create an availability replica for availability group '{join.Name}'.  An availability replica of the specified availability group already exists on this instance of SQL Server.");
        }

        if (!Has(session.Login, "ALTER ANY AVAILABILITY GROUP", SecurableClass.Server, "")
            && !Has(session.Login, "CREATE AVAILABILITY GROUP", SecurableClass.Server, ""))
        {
            throw new SqlErrorException(Errors.Missing("alter", "availability group", join.Name));
        }

        if (join.ClusterType is not ClusterType.External)
        {
            throw new SqlErrorException(
                47100, 16, $"The cluster type of availability group '{join.Name}' doesn't match its primary configuration. Verify that the specified availability group cluster type is correct, then retry the operation.");
        }

        var wait = new JoinWait(join.Name, join.ClusterType, operation, Environment.Now + Options.JoinTimeout, session.LoginName);
        _joins.Add(wait);
        operation.Cancelled = () => _joins.Remove(wait);
        AskToJoin();
        return false;
    }

    private void AskToJoin()
    {
        foreach (var join in _joins)
        {
            foreach (var (link, hello) in _announcements.Values.Select(announcement => (announcement.Link, announcement.Hello)).ToList())
            {
                if (hello.Name.Equals(join.Name, StringComparison.OrdinalIgnoreCase))
                {
                    Send(link, new JoinRequest(hello.Group, hello.To, hello.From));
                }
            }
        }
    }

    private void FinishJoin(long link, JoinAnswer answer)
    {
        var configuration = answer.Configuration;
        var wait = _joins.FirstOrDefault(join => join.Name.Equals(configuration.Name, StringComparison.OrdinalIgnoreCase));
        if (wait is null || configuration.Replica(answer.To) is not { } local)
        {
            return;
        }

        if (!local.Name.Equals(ServerName, StringComparison.OrdinalIgnoreCase))
        {
            _joins.Remove(wait);
            wait.Operation.Fail(Errors.Make(
                41158, 16, $"Failed to join local availability replica to availability group '{wait.Name}'.  The operation encountered SQL Server error 41045 and has been rolled back."));
            return;
        }

        // What this replica may have held before is gone: its own flags must not let it take over.
        var group = new Group(
            this,
            new GroupFile
            {
                LocalReplica = answer.To,
                Accepted = configuration.WithReplica(answer.To, replica => replica with { Synchronized = [] }),
                Promised = configuration.Epoch,
                PromisedTo = answer.From,
                GrantedBy = wait.Login,
            });
        Groups.Add(group.Id, group);
        Master.Groups.Add(group.Id);
        if (FindLogin(wait.Login) is { } login && !login.Roles.Contains("sysadmin"))
        {
            PermissionList.Change(
                Master.Permissions, new Permission(login.Name, "CONTROL", SecurableClass.AvailabilityGroup, group.Name, false, true), remove: false);
        }

        SaveGroup(group);
        SaveMaster();
        _announcements.Remove(group.Id, out var announcement);
        Send(link, new Joined(group.Id, answer.To, answer.From));
        if (announcement is not null)
        {
            group.Receive(link, announcement.Hello);
        }

        _joins.Remove(wait);
        wait.Operation.Succeed();
    }

    private bool Alter(EngineSession session, AlterGroup alter, Operation operation)
    {
        var group = RequireGroup(session, alter.Name);
        var isPrimary = group.Role == ReplicaRole.Primary;
        void RequirePrimary(string verb, string noun)
        {
            if (!isPrimary)
            {
                throw new SqlErrorException(Errors.CannotProcess(group.Name, verb, noun));
            }
        }

        switch (alter)
        {
            case SetWriteLease set:
                Check(group.ExtendLease(set.Seconds));
                return true;
            case SetRoleSecondary:
                Check(group.BecomeSecondary());
                return true;
            case TakeOffline:
                Check(group.TakeOffline());
                return true;
            case FailOver failover:
                if (!session.IsExternalCluster)
                {
                    throw new SqlErrorException(Errors.ExternalOnly(group.Name));
                }

                Check(group.FailOver(failover.Force));
                return true;
            case GrantCreateAnyDatabase grant:
                if (group.Local.Mode == AvailabilityMode.ConfigurationOnly)
                {
                    throw new SqlErrorException(
                        47111, 16, $"Local availability replica for availability group '{group.Name}' cannot be granted permission to create databases. The replica is a configuration-only replica and cannot host databases inside the availability group.");
                }

                group.File.MayCreateDatabases = !grant.Deny;
                group.File.GrantedBy = session.LoginName;
                group.Save();
                group.FollowAgain();
                return true;
            case SetGroupOptions set:
                if (!isPrimary)
                {
                    throw new SqlErrorException(Errors.NotPrimary(group.Name));
                }

                GroupConfiguration Change(GroupConfiguration configuration) => Apply(group.Name, configuration, set.Options);
                Check("ALTER AVAILABILITY GROUP", Change(group.File.Accepted));
                group.Propose(Change, operation);
                return false;
            case AddReplicas add:
                RequirePrimary("ADD", "REPLICA");
                var added = add.Replicas.Select(spec => NewReplica(group.Name, spec)).ToList();
                foreach (var replica in added.Where(replica => group.File.Accepted.Replica(replica.Name) is not null))
                {
                    throw new SqlErrorException(
                        35282, 16, $"Availability replica '{replica.Name}' cannot be added to availability group '{group.Name}'.  The availability group already contains an availability replica with the specified name.");
                }

                GroupConfiguration With(GroupConfiguration configuration) => configuration with { Replicas = [.. configuration.Replicas, .. added] };
                CheckNames(group.Name, With(group.File.Accepted).Replicas);
                Check("ADD REPLICA", With(group.File.Accepted));
                group.Propose(With, operation);
                return false;
            case ModifyReplica modify:
                RequirePrimary("MODIFY", "REPLICA");
                return Modify(group, modify, operation);
            case RemoveReplicas remove:
                RequirePrimary("REMOVE", "REPLICA");
                List<Guid> gone = [];
                foreach (var name in remove.Replicas)
                {
                    var replica = group.File.Accepted.Replica(name) ?? throw new SqlErrorException(
                        35283, 16, $"Availability replica '{name}' cannot be removed from availability group '{group.Name}'.  The availability group does not contain an availability replica with the specified name.");
                    if (replica.Id == group.File.LocalReplica)
                    {
                        throw new SqlErrorException(
                            35284, 16, $"Availability replica '{name}' cannot be removed from availability group '{group.Name}', because this replica is on the local instance of SQL Server.");
                    }

                    gone.Add(replica.Id);
                }

                GroupConfiguration Without(GroupConfiguration configuration) =>
                    configuration with { Replicas = [.. configuration.Replicas.Where(replica => !gone.Contains(replica.Id))] };
                Check("REMOVE REPLICA", Without(group.File.Accepted));
                group.Propose(Without, operation);
                return false;
            case AddGroupDatabases add:
                RequirePrimary("ADD", "DATABASE");
                var joining = add.Databases.Select(name => ForGroup(session, group.Name, name)).ToList();
                var members = joining.Select(database => new GroupDatabase(Environment.NewGuid(), database.Name)).ToList();
                foreach (var (database, member) in joining.Zip(members))
                {
                    database.Entry.Group = group.Id;
                    database.Entry.GroupDatabase = member.Id;
                    database.Recovered = true;
                }

                SaveMaster();
                group.Propose(
                    configuration => configuration with
                    {
                        Databases = [.. configuration.Databases, .. members],
                        Replicas =
                        [
                            .. configuration.Replicas.Select(replica => replica.Id == group.File.LocalReplica
                                ? replica with { Synchronized = [.. replica.Synchronized, .. members.Select(member => member.Id)] }
                                : replica),
                        ],
                    },
                    operation);
                return false;
            case RemoveGroupDatabases remove:
                RequirePrimary("REMOVE", "DATABASE");
                var leaving = remove.Databases
                    .Select(name => group.File.Accepted.Databases.FirstOrDefault(member => member.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                        ?? throw new SqlErrorException(
                            35242, 16, $"Cannot complete this ALTER DATABASE <database-name> SET HADR operation on database '{name}'.  The database is not joined to an availability group."))
                    .Select(member => member.Id)
                    .ToList();
                group.Propose(
                    configuration => configuration with
                    {
                        Databases = [.. configuration.Databases.Where(member => !leaving.Contains(member.Id))],
                        Replicas =
                        [
                            .. configuration.Replicas.Select(replica =>
                                replica with { Synchronized = [.. replica.Synchronized.Where(id => !leaving.Contains(id))] }),
                        ],
                    },
                    operation);
                return false;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private static void Check(SqlError? error)
    {
        if (error is not null)
        {
            throw new SqlErrorException(error);
        }
    }

    private bool Modify(Group group, ModifyReplica modify, Operation operation)
    {
        var name = modify.Replica.Name;
        var options = modify.Replica.Options;
        var replica = group.File.Accepted.Replica(name) ?? throw new SqlErrorException(
            35285, 16, $"The availability replica '{name}' does not exist in availability group '{group.Name}'.");
        if (replica.Mode == AvailabilityMode.ConfigurationOnly && options != new ReplicaOptions { SessionTimeout = options.SessionTimeout })
        {
            throw new SqlErrorException(47112, 16, "Only the SESSION_TIMEOUT property can be modified for a configuration-only replica.");
        }

        if (replica.Mode != AvailabilityMode.ConfigurationOnly && options.AvailabilityMode == AvailabilityMode.ConfigurationOnly)
        {
            throw new SqlErrorException(47113, 16, $"The 'AVAILABILITY_MODE' option of replica '{name}' cannot be modified to CONFIGURATION_ONLY.");
        }

        if (options.FailoverMode is { } mode)
        {
            CheckFailoverMode(group.Name, name, mode);
        }

        var changed = Apply(replica, options);
        if (changed == replica && options.SeedingMode is null)
        {
            operation.Inform(Errors.Make(41185, 10, $"Replica option specified in ALTER AVAILABILITY GROUP '{group.Name}' MODIFY DDL is same as cached availability group configuration."));
            return true;
        }

        GroupConfiguration Change(GroupConfiguration configuration) => configuration.WithReplica(replica.Id, old =>
        {
            var next = Apply(old, options);
            return next.Mode == AvailabilityMode.SynchronousCommit || next.Id == group.File.LocalReplica ? next : next with { Synchronized = [] };
        });
        Check("MODIFY REPLICA", Change(group.File.Accepted));
        if (options.EndpointUrl is not null || options.SeedingMode is not null)
        {
            operation.OnCompleted(done =>
            {
                if (done.Error is null)
                {
                    group.Redial(replica.Id);
                }
            });
        }

        group.Propose(Change, operation);
        return false;
    }

    private void Alter(EngineSession session, SetHadr set)
    {
        if (!Options.HadrEnabled)
        {
            throw new SqlErrorException(35221, 16, "Could not process the operation. Always On Availability Groups replica manager is disabled on this instance of SQL Server.");
        }

        var database = ForAlter(session, set.Database);
        var group = database.Entry.Group is { } id ? Groups.GetValueOrDefault(id) : null;
        if (set.Action == HadrAction.Join)
        {
            group = FindGroup(set.Group!) ?? throw new SqlErrorException(Errors.NoGroup(set.Group!));
            if (group.Role == ReplicaRole.Primary)
            {
                throw new SqlErrorException(
                    35240, 16, $"Database '{database.Name}' cannot be joined to or unjoined from availability group '{group.Name}'. This operation is not supported on the primary replica of the availability group.");
            }

            if (database.Entry.Group is not null)
            {
                throw new SqlErrorException(35280, 16, $"Database '{database.Name}' cannot be added to availability group '{group.Name}'.  The database is already joined to the specified availability group.");
            }

            if (!group.IsFollowing)
            {
                throw new SqlErrorException(35250, 16, "The connection to the primary replica is not active.  The command cannot be processed.");
            }

            if (!database.Entry.Restoring || group.Configuration.Databases.All(member => member.Id != database.Entry.GroupDatabase))
            {
                throw new SqlErrorException(
                    1408, 16, $"The remote copy of database \"{database.Name}\" is not recovered far enough to enable database mirroring or to join it to the availability group.");
            }

            database.Entry.Restoring = false;
            database.Entry.Group = group.Id;
            database.Recovered = false;
            SaveMaster();
            group.FollowAgain();
            return;
        }

        if (group is null)
        {
            throw new SqlErrorException(
                35242, 16, $"Cannot complete this ALTER DATABASE <database-name> SET HADR operation on database '{database.Name}'.  The database is not joined to an availability group.");
        }

        switch (set.Action)
        {
            case HadrAction.Off:
                if (group.Role == ReplicaRole.Primary)
                {
                    throw new SqlErrorException(
                        35240, 16, $"Database '{database.Name}' cannot be joined to or unjoined from availability group '{group.Name}'. This operation is not supported on the primary replica of the availability group.");
                }

                group.Detach(database, restoring: true);
                SaveMaster();
                group.FollowAgain();
                break;
            case HadrAction.Suspend:
                database.Entry.Suspended = true;
                database.Entry.SuspendReason = 0;
                SaveMaster();
                group.MovementChanged(database);
                break;
            default:
                database.Entry.Suspended = false;
                database.Entry.ResumedAfter = Math.Max(database.Entry.ResumedAfter, group.File.Accepted.Forced);
                SaveMaster();
                group.MovementChanged(database);
                break;
        }
    }
}
