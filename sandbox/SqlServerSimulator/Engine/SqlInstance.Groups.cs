using System.Text.Json;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

public sealed partial class SqlInstance
{
    /// <summary>sys.fn_hadr_is_primary_replica(database): null when it is in no group.</summary>
    public bool? IsPrimaryReplica(string database) =>
        FindDatabase(database)?.Entry.Group is { } id && Groups.TryGetValue(id, out var group) ? group.Role == ReplicaRole.Primary : null;

    /// <summary>sys.fn_hadr_backup_is_preferred_replica(database): null when there is no such database.</summary>
    public bool? IsPreferredBackupReplica(string database) =>
        IsSystem(database) ? true
        : FindDatabase(database) is not { } found ? null
        : found.Entry.Group is not { } id || !Groups.TryGetValue(id, out var group) || group.IsPreferredForBackups();

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
        entry.Family = seeding.Family;
        entry.Fork = seeding.Fork;
        entry.Group = group.Id;
        entry.GroupDatabase = groupDatabase;
        entry.Seeding = true;
        return Add(entry);
    }

    /// <summary>Whether another database may be sent; one that is on its way elsewhere needs no place of its own.</summary>
    internal bool MaySeed(Database database)
    {
        var sent = Groups.Values.SelectMany(group => group.DatabasesSent).ToHashSet();
        return sent.Count < Group.MostSeedings || sent.Contains(database.Entry.GroupDatabase!.Value);
    }

    internal void StartSeedings()
    {
        foreach (var group in Groups.Values)
        {
            group.StartSeedings();
        }
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

            var group = new Group(this, file);
            Groups.Add(id, group);
            foreach (var database in group.Databases)
            {
                Log($"Skipping the default startup of database '{database.Name}' because the database belongs to an availability group (Group ID:  {GroupNumber(group)}). The database will be started by the availability group.");
            }
        }
    }

    /// <summary>The number that stands for a group on this instance.</summary>
    internal int GroupNumber(Group group) => 65537 + Master.Groups.IndexOf(group.Id);

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

        if (create.Options.Contained || create.Options.Distributed)
        {
            throw new SqlErrorException(50505, 16, $"A {(create.Options.Contained ? "contained" : "distributed")} availability group is not simulated.");
        }

        var type = create.Options.ClusterType ?? ClusterType.Wsfc;
        if (type != ClusterType.External && create.Options.WriteLeaseValidity is not null)
        {
            throw new SqlErrorException(47115, 16, $"The 'WRITE_LEASE_VALIDITY' option is not valid for WSFC availability group '{create.Name}'.");
        }

        if (type == ClusterType.Wsfc)
        {
            throw new SqlErrorException(35220, 16, "Could not process the operation. Always On Availability Groups replica manager is waiting for the host computer to start a Windows Server Failover Clustering (WSFC) cluster and join it.");
        }

        if (create.Name.Length > 64)
        {
            throw new SqlErrorException(19544, 16, $"The availability group name '{create.Name}' is too long: at most 64 characters.");
        }

        if (Options.Edition.StartsWith("Express", StringComparison.OrdinalIgnoreCase) || Options.Edition.StartsWith("Web", StringComparison.OrdinalIgnoreCase))
        {
            throw new SqlErrorException(Errors.EditionLacksGroups);
        }

        if (create.Options.WriteLeaseValidity is { } validity)
        {
            Check(Group.CheckLeaseTime(create.Name, validity));
        }

        var replicas = create.Replicas.Select(spec => NewReplica(create.Name, type, spec)).ToList();
        CheckNames(replicas);
        var local = replicas.FirstOrDefault(replica => replica.Name.Equals(ServerName, StringComparison.OrdinalIgnoreCase))
            ?? throw new SqlErrorException(
                35237, 16, $"None of the specified replicas for availability group {create.Name} maps to the instance of SQL Server to which you are connected.");
        if (local.Mode == AvailabilityMode.ConfigurationOnly)
        {
            throw new SqlErrorException(47121, 16, $"The replica spec for the local replica of availability group '{create.Name}' has an invalid availability mode. Valid values are SYNCHRONOUS_COMMIT and ASYNCHRONOUS_COMMIT.");
        }

        CheckDatabaseNames(create.Databases);
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
                ClusterType = type,
                Basic = create.Options.Basic,
                WriteLease = create.Options.WriteLeaseValidity is not null,
                Listener = create.Listener is { } listener ? NewListener(listener) : null,
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
        foreach (var replica in configuration.Replicas)
        {
            CheckRouting(configuration, replica);
        }

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

    private ReplicaConfiguration NewReplica(string group, ClusterType type, ReplicaSpec spec)
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
            if (type != ClusterType.External)
            {
                throw new SqlErrorException(
                    47114, 16, $"The availability group '{group}' cannot have the configuration-only replica '{spec.Name}': that needs cluster type EXTERNAL.");
            }

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
            CheckFailoverMode(group, type, options.FailoverMode
                ?? throw new SqlErrorException(41197, 15, $"The FAILOVER_MODE option has not been specified for the replica '{spec.Name}'."));
        }

        return Apply(new ReplicaConfiguration { Id = Environment.NewGuid(), Name = spec.Name, Created = Environment.UtcNow }, options);
    }

    private static void CheckFailoverMode(string group, ClusterType type, FailoverMode mode)
    {
        if (type == ClusterType.External && mode != FailoverMode.External)
        {
            throw new SqlErrorException(
                47102, 16, $"The cluster type of availability group '{group}' only supports EXTERNAL failover mode.");
        }

        if (type == ClusterType.None && mode != FailoverMode.Manual)
        {
            throw new SqlErrorException(
                47101, 16, $"The cluster type of availability group '{group}' only supports MANUAL failover mode.");
        }
    }

    /// <summary>The replicas of a new routing list must be there, once each, and have a URL.</summary>
    private static void CheckRouting(GroupConfiguration configuration, ReplicaConfiguration replica)
    {
        var names = replica.ReadOnlyRoutingList.SelectMany(set => set).ToList();
        if (Twice(names) is { } twice)
        {
            throw new SqlErrorException(
                19402, 16, $"A duplicate availability replica '{twice}' was specified in the READ_ONLY_ROUTING_LIST for availability replica '{replica.Name}'.");
        }

        foreach (var name in names)
        {
            var target = configuration.Replica(name) ?? throw new SqlErrorException(
                19403, 16, $"The availability replica '{name}' specified in the READ_ONLY_ROUTING_LIST for availability replica '{replica.Name}' does not exist.");
            if (string.IsNullOrEmpty(target.ReadOnlyRoutingUrl))
            {
                throw new SqlErrorException(
                    19404, 16, $"An availability replica '{name}' that is specified in the READ_ONLY_ROUTING_LIST for availability replica '{replica.Name}' does not have a value set for READ_ONLY_ROUTING_URL.");
            }
        }
    }

    private static bool IsTcpUrl(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme.Equals("tcp", StringComparison.OrdinalIgnoreCase) && parsed.Port > 0;

    private static ReplicaConfiguration Apply(ReplicaConfiguration replica, ReplicaOptions options)
    {
        foreach (var url in (IEnumerable<string?>)[options.EndpointUrl, options.ReadOnlyRoutingUrl is "" ? null : options.ReadOnlyRoutingUrl])
        {
            if (url is not null && !IsTcpUrl(url))
            {
                throw new SqlErrorException(35232, 16, $"The specified endpoint URL '{url}' is invalid.");
            }
        }

        if (options.ReadWriteRoutingUrl is { Length: > 0 } route && !IsTcpUrl(route))
        {
            throw new SqlErrorException(47120, 16, $"The specified READ_WRITE_ROUTING_URL '{route}' is invalid.");
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
    private void Check(string operation, GroupConfiguration configuration)
    {
        var synchronous = configuration.Replicas.Count(replica => replica.Mode == AvailabilityMode.SynchronousCommit);
        var configurationOnly = configuration.Replicas.Count(replica => replica.Mode == AvailabilityMode.ConfigurationOnly);
        if (configurationOnly > 1)
        {
            throw new SqlErrorException(
                47107, 16, $"The {operation} operation is not allowed by the current availability group configuration.  The availability group '{configuration.Name}' supports only one configuration-only replica.");
        }

        if (configurationOnly == 1 && (synchronous > 2 || (configuration.Required != 0 && !Options.Facts.RequiredBesideConfigurationOnly)))
        {
            throw new SqlErrorException(
                47108, 16, $"The {operation} operation is not allowed by the current availability group configuration.  A configuration-only replica allows at most two synchronous-commit replicas and no required synchronized secondaries in availability group '{configuration.Name}'.");
        }

        if (synchronous > 5)
        {
            throw new SqlErrorException(
                35212, 16, $"The {operation} operation is not allowed by the current availability group configuration.  This operation would exceed the maximum number of 5 synchronous-commit availability replicas in availability group '{configuration.Name}'.");
        }

        var isStandard = Options.Edition.StartsWith("Standard", StringComparison.OrdinalIgnoreCase);
        var most = configuration.Basic ? 2 : isStandard ? 3 : 9;
        if (configuration.Replicas.Count - configurationOnly > most)
        {
            throw new SqlErrorException(
                35233,
                16,
                $"Cannot create an availability group containing {configuration.Replicas.Count - configurationOnly} availability replica(s).  The maximum number of availability replicas in an availability group is {most}.");
        }

        if ((configuration.Basic || isStandard) && configuration.Databases.Count > 1)
        {
            throw new SqlErrorException(
                35200,
                16,
                $"Failed to add database '{configuration.Databases[^1].Name}' to availability group '{configuration.Name}'. The specified availability group is created with basic functionality and supports 1 database.");
        }

        if (configuration.Basic && configuration.Replicas.Any(replica => replica.SecondaryConnections != SecondaryConnections.No))
        {
            throw new SqlErrorException(
                41199, 16, "The specified command is invalid because a secondary replica of a basic availability group cannot be read.");
        }

        if (configuration.Required > Math.Max(0, synchronous - 1) || configuration.Required < 0)
        {
            throw new SqlErrorException(
                35248,
                16,
                $"The {operation} operation is not allowed by the current availability group configuration.  The required_synchronized_secondaries_to_commit {configuration.Required} is greater than the {Math.Max(0, synchronous - 1)} possible secondary synchronous-commit availability replicas in availability group '{configuration.Name}'.");
        }
    }

    private static void CheckNames(IReadOnlyList<ReplicaConfiguration> replicas)
    {
        if (Twice(replicas.Select(replica => replica.Name)) is { } name)
        {
            throw new SqlErrorException(
                35235, 16, $"The system name '{name}' was specified more than once in the REPLICA ON clause of this command.");
        }

        if (Twice(replicas.Select(replica => replica.EndpointUrl)) is { } url)
        {
            throw new SqlErrorException(35232, 16, $"The specified endpoint URL '{url}' is invalid. Another replica has it.");
        }
    }

    private static void CheckDatabaseNames(IEnumerable<string> names)
    {
        if (Twice(names) is { } name)
        {
            throw new SqlErrorException(35234, 16, $"Database name '{name}' was specified more than once.");
        }
    }

    private static string? Twice(IEnumerable<string> names) =>
        names.GroupBy(name => name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(same => same.Count() > 1)?.Key;

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

        RequireFitForGroup(database);
        return database;
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
        if (!Has(session.Login, "ALTER ANY AVAILABILITY GROUP", SecurableClass.Server, "")
            && !Has(session.Login, "CREATE AVAILABILITY GROUP", SecurableClass.Server, "")
            && !Has(session.Login, "ALTER", SecurableClass.AvailabilityGroup, join.Name))
        {
            throw new SqlErrorException(Errors.Missing("alter", "availability group", join.Name));
        }

        if (FindGroup(join.Name) is not null)
        {
            throw new SqlErrorException(
                41106, 16, $"Cannot create an availability replica for availability group '{join.Name}'.  An availability replica of the specified availability group already exists on this instance of SQL Server.");
        }

        // Left out, the type is WSFC, which no primary here has.
        if (join.ClusterType is null or ClusterType.Wsfc)
        {
            throw new SqlErrorException(Errors.OtherClusterType(join.Name));
        }

        var wait = new JoinWait(join.Name, join.ClusterType.Value, operation, Environment.Now + Options.JoinTimeout, session.LoginName);
        _joins.Add(wait);
        operation.Cancelled = () => _joins.Remove(wait);
        AskToJoin();
        return false;
    }

    private void AskToJoin()
    {
        foreach (var join in _joins.ToList())
        {
            foreach (var (link, hello) in _announcements.Values.Select(announcement => (announcement.Link, announcement.Hello)).ToList())
            {
                if (!hello.Name.Equals(join.Name, StringComparison.OrdinalIgnoreCase))
                {
                    continue;
                }

                if (hello.ClusterType != join.ClusterType)
                {
                    _joins.Remove(join);
                    join.Operation.Fail(Errors.OtherClusterType(join.Name));
                }
                else
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

        // The endpoint is this instance's, the name in the configuration another's; or the edition may not hold databases of a group.
        int? inner = !local.Name.Equals(ServerName, StringComparison.OrdinalIgnoreCase)
            ? 41044
            : Options.Edition.StartsWith("Express", StringComparison.OrdinalIgnoreCase) && local.Mode != AvailabilityMode.ConfigurationOnly ? 41199 : null;
        if (inner is not null)
        {
            _joins.Remove(wait);
            wait.Operation.Fail(Errors.Make(
                41158, 16, $"Failed to join local availability replica to availability group '{wait.Name}'.  The operation encountered SQL Server error {inner} and has been rolled back."));
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
                if (group.Configuration.ClusterType == ClusterType.None)
                {
                    if (!failover.Force)
                    {
                        throw new SqlErrorException(
                            47122, 16, $"Cannot failover an availability replica for availability group '{group.Name}' since it has CLUSTER_TYPE = NONE. Only force failover is supported in this version of SQL Server.");
                    }
                }
                else if (!session.IsExternalCluster)
                {
                    throw new SqlErrorException(Errors.ExternalOnly(group.Name, Options.Facts.MissingContextError));
                }

                Check(group.FailOver(failover.Force));
                return true;
            case GrantCreateAnyDatabase grant:
                if (group.Local.Mode == AvailabilityMode.ConfigurationOnly)
                {
                    throw new SqlErrorException(
                        47111, 16, $"Local availability replica for availability group '{group.Name}' cannot be granted permission to create databases. The replica is a configuration-only replica and cannot host databases inside the availability group.");
                }

                var wasGranted = group.File.MayCreateDatabases;
                group.File.MayCreateDatabases = !grant.Deny;
                if (!grant.Deny)
                {
                    group.File.GrantedBy = session.LoginName;
                }

                group.Save();
                if (wasGranted != group.File.MayCreateDatabases)
                {
                    group.MayCreateChanged();
                }

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
                var added = add.Replicas.Select(spec => NewReplica(group.Name, group.Configuration.ClusterType, spec)).ToList();
                foreach (var replica in added.Where(replica => group.File.Accepted.Replica(replica.Name) is not null))
                {
                    throw new SqlErrorException(
                        35282, 16, $"Availability replica '{replica.Name}' cannot be added to availability group '{group.Name}'.  The availability group already contains an availability replica with the specified name.");
                }

                GroupConfiguration With(GroupConfiguration configuration) => configuration with { Replicas = [.. configuration.Replicas, .. added] };
                CheckNames(With(group.File.Accepted).Replicas);
                Check("ADD REPLICA", With(group.File.Accepted));
                foreach (var replica in added)
                {
                    CheckRouting(With(group.File.Accepted), replica);
                }

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
            case AddListener or ModifyListener or RemoveListener:
                RequirePrimary(alter switch { AddListener => "ADD", ModifyListener => "MODIFY", _ => "REMOVE" }, "LISTENER");
                Alter(group, alter, operation);
                return false;
            case AddGroupDatabases add:
                RequirePrimary("ADD", "DATABASE");
                CheckDatabaseNames(add.Databases);
                var joining = add.Databases.Select(name => ForGroup(session, group.Name, name)).ToList();
                var members = joining.Select(database => new GroupDatabase(Environment.NewGuid(), database.Name)).ToList();
                Check("ADD DATABASE", group.File.Accepted with { Databases = [.. group.File.Accepted.Databases, .. members] });
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
                        ?? throw (FindDatabase(name) is null
                            ? new SqlErrorException(
                                41133, 16, $"Cannot remove database '{name}' from availability group '{group.Name}'.  The database does not belong to the availability group.")
                            : new SqlErrorException(
                                35281, 16, $"Database '{name}' cannot be removed from availability group '{group.Name}'.  The database is not joined to the specified availability group.")))
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
            35210, 16, $"Failed to modify options for availability replica '{name}' in availability group '{group.Name}'.  The availability group does not contain the replica.");
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
            CheckFailoverMode(group.Name, group.Configuration.ClusterType, mode);
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
        if (options.ReadOnlyRoutingList is not null)
        {
            CheckRouting(group.File.Accepted, changed);
        }

        if (options.EndpointUrl is not null || options.SeedingMode is not null)
        {
            operation.OnCompleted(done =>
            {
                if (done.Error is null && options.EndpointUrl is not null)
                {
                    group.Redial(replica.Id);
                }
                else if (done.Error is null)
                {
                    group.RetrySeeding(replica.Id);
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

            var member = group.Configuration.Databases.FirstOrDefault(member => member.Name.Equals(database.Name, StringComparison.OrdinalIgnoreCase))
                ?? throw new SqlErrorException(
                    41132, 16, $"Cannot join database '{database.Name}' to availability group '{group.Name}'.  The specified database does not belong to the availability group.");
            if (!database.Entry.Restoring)
            {
                throw new SqlErrorException(
                    1464, 16, $"Database \"{database.Name}\" is not in a recovering state which is required for a mirror database or secondary database. The remote database must be restored using WITH NORECOVERY.");
            }

            if (group.WhyNotJoin(database, member) is { } reason)
            {
                throw new SqlErrorException(reason);
            }

            database.Entry.GroupDatabase = member.Id;
            database.Entry.BackedUp = true;
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

        if (set.Action != HadrAction.Off && (group.Role == ReplicaRole.Resolving || database.Entry.Seeding))
        {
            throw new SqlErrorException(
                35239,
                16,
                $"The ALTER DATABASE <database-name> SET HADR SUSPEND (or SET HADR RESUME) statement failed on database '{database.Name}' of availability group '{group.Name}'.  The database has not yet started.");
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
