using SqlServerSimulator.Engine;
using SqlServerSimulator.TSql.Syntax;

namespace SqlServerSimulator.TSql.Parsing;

/// <summary>The documented grammar of availability groups, as far as EXTERNAL groups have use for it, with no option written twice.</summary>
internal sealed partial class Parser
{
    private EngineStatement ParseCreateGroup(int line)
    {
        var name = TakeName();
        var options = new GroupOptions();
        if (Accept("WITH"))
        {
            Expect("(");
            var seen = new HashSet<string>();
            do
            {
                options = ParseGroupOption(options, seen, creating: true);
            }
            while (Accept(","));
            Expect(")");
        }

        if (options.Distributed) throw NotSimulated("A distributed availability group");
        Expect("FOR");
        var databases = new List<string>();
        if (Accept("DATABASE")) databases = ParseNames();
        Expect("REPLICA", "ON");
        var replicas = ParseReplicas(modify: false);
        var listener = Accept("LISTENER") ? ParseListener() : null;
        return Engine(new CreateGroup(name, options, databases, replicas) { Listener = listener }, line, "CREATE AVAILABILITY GROUP");
    }

    private EngineStatement ParseAlterGroup(int line)
    {
        var name = TakeName();
        return Engine(ParseAlterGroupAction(name), line, "ALTER AVAILABILITY GROUP");
    }

    private AlterGroup ParseAlterGroupAction(string name)
    {
        if (Accept("SET")) return ParseSetGroup(name);
        if (Accept("FAILOVER")) return new FailOver(name, Force: false);
        if (Accept("FORCE_FAILOVER_ALLOW_DATA_LOSS")) return new FailOver(name, Force: true);
        if (Accept("OFFLINE")) return new TakeOffline(name);
        if (At("JOIN"))
        {
            if (Ahead(1).Is("AVAILABILITY")) throw NotSimulated("A distributed availability group");
            Take();
            ClusterType? type = null;
            if (Accept("WITH"))
            {
                Expect("(", "CLUSTER_TYPE", "=");
                type = ParseClusterType();
                Expect(")");
            }

            return new JoinGroup(name, type);
        }

        if (At("GRANT") || At("DENY"))
        {
            var deny = Take().Is("DENY");
            Expect("CREATE", "ANY", "DATABASE");
            return new GrantCreateAnyDatabase(name, deny);
        }

        if (At("MODIFY", "AVAILABILITY")) throw NotSimulated("A distributed availability group");
        if (At("RESTART", "LISTENER")) throw NotSimulated("RESTART LISTENER");
        if (Accept("ADD"))
        {
            if (Accept("DATABASE")) return new AddGroupDatabases(name, ParseNames());
            if (Accept("LISTENER")) return new AddListener(name, ParseListener());
            Expect("REPLICA", "ON");
            return new AddReplicas(name, ParseReplicas(modify: false));
        }

        if (Accept("REMOVE"))
        {
            if (Accept("DATABASE")) return new RemoveGroupDatabases(name, ParseNames());
            if (Accept("LISTENER")) return new RemoveListener(name, TakeText());
            Expect("REPLICA", "ON");
            var replicas = new List<string>();
            do
            {
                replicas.Add(TakeText());
            }
            while (Accept(","));
            return new RemoveReplicas(name, replicas);
        }

        Expect("MODIFY");
        if (Accept("LISTENER")) return new ModifyListener(name, ParseListenerChange());
        Expect("REPLICA", "ON");
        var modified = ParseReplicas(modify: true);
        return modified.Count == 1 ? new ModifyReplica(name, modified[0]) : throw NotSimulated("MODIFY REPLICA of several replicas");
    }

    private ListenerSpec ParseListener()
    {
        var name = TakeText();
        Expect("(", "WITH");
        if (At("DHCP")) throw NotSimulated("A listener with DHCP");
        Expect("IP", "(");
        var addresses = new List<ListenerAddress>();
        do
        {
            addresses.Add(ParseListenerAddress());
        }
        while (Accept(","));
        Expect(")");
        int? port = Accept(",") ? ParseListenerPort() : null;
        Expect(")");
        return new ListenerSpec(name, addresses, port);
    }

    private ListenerSpec ParseListenerChange()
    {
        var name = TakeText();
        Expect("(");
        ListenerSpec change;
        if (Accept("ADD"))
        {
            Expect("IP");
            change = new ListenerSpec(name, [ParseListenerAddress()], null);
        }
        else
        {
            change = new ListenerSpec(name, [], ParseListenerPort());
        }

        Expect(")");
        return change;
    }

    private ListenerAddress ParseListenerAddress()
    {
        Expect("(");
        var address = new ListenerAddress(TakeText(), Accept(",") ? TakeText() : null);
        Expect(")");
        return address;
    }

    private int ParseListenerPort()
    {
        Expect("PORT", "=");
        return TakeInt(ushort.MaxValue);
    }

    private AlterGroup ParseSetGroup(string name)
    {
        Expect("(");
        AlterGroup result;
        if (Accept("ROLE"))
        {
            Expect("=", "SECONDARY");
            result = new SetRoleSecondary(name);
        }
        else if (Accept("WRITE_LEASE_VALIDITY"))
        {
            Expect("=");
            result = new SetWriteLease(name, ParseSeconds());
        }
        else
        {
            // One option a statement, as the engine documents it.
            result = new SetGroupOptions(name, ParseGroupOption(new GroupOptions(), [], creating: false));
        }

        Expect(")");
        return result;
    }

    private long ParseSeconds()
    {
        if (Current.Kind != TokenKind.Integer) throw Wrong();
        return TakeInteger();
    }

    private GroupOptions ParseGroupOption(GroupOptions options, HashSet<string> seen, bool creating)
    {
        var token = Current;
        if (token.Kind != TokenKind.Name && !At("DISTRIBUTED")) throw Wrong();
        var option = token.Text.ToUpperInvariant();
        if (!seen.Add(option)) throw Wrong();
        Take();
        if (creating)
        {
            switch (option)
            {
                case "BASIC":
                    return options with { Basic = true };
                case "DISTRIBUTED":
                    return options with { Distributed = true };
                case "CONTAINED":
                    if (At("REUSE_SYSTEM_DATABASES") || At("AUTOSEEDING_SYSTEM_DATABASES")) throw NotSimulated($"CONTAINED {Current.Text.ToUpperInvariant()}");
                    return options with { Contained = true };
                case "CLUSTER_TYPE":
                    Expect("=");
                    return options with { ClusterType = ParseClusterType() };
                case "WRITE_LEASE_VALIDITY":
                    Expect("=");
                    return options with { WriteLeaseValidity = ParseSeconds() };
            }
        }

        switch (option)
        {
            case "AUTOMATED_BACKUP_PREFERENCE":
                Expect("=");
                return options with { AutomatedBackupPreference = (byte)TakeOneOf("PRIMARY", "SECONDARY_ONLY", "SECONDARY", "NONE") };
            case "FAILURE_CONDITION_LEVEL":
                Expect("=");
                return options with { FailureConditionLevel = TakeInt() };
            case "HEALTH_CHECK_TIMEOUT":
                Expect("=");
                return options with { HealthCheckTimeout = ParseSeconds() };
            case "DB_FAILOVER":
                Expect("=");
                return options with { DbFailover = TakeOnOff() };
            case "DTC_SUPPORT":
                Expect("=");
                return options with { DtcSupport = TakeOneOf("PER_DB", "NONE") == 0 };
            case "REQUIRED_SYNCHRONIZED_SECONDARIES_TO_COMMIT":
                Expect("=");
                return options with { RequiredSynchronizedSecondariesToCommit = TakeInt() };
            case "CLUSTER_CONNECTION_OPTIONS":
                throw NotSimulated(option);
            default:
                throw Wrong(token);
        }
    }

    private ClusterType ParseClusterType() => TakeOneOf("WSFC", "EXTERNAL", "NONE") switch
    {
        0 => ClusterType.Wsfc,
        1 => ClusterType.External,
        _ => ClusterType.None,
    };

    private List<string> ParseNames()
    {
        var names = new List<string>();
        do
        {
            names.Add(TakeName());
        }
        while (Accept(","));
        return names;
    }

    private List<ReplicaSpec> ParseReplicas(bool modify)
    {
        var replicas = new List<ReplicaSpec>();
        do
        {
            var name = TakeText();
            Expect("WITH", "(");
            var options = new ReplicaOptions();
            var seen = new HashSet<string>();
            do
            {
                options = ParseReplicaOption(options, seen);
            }
            while (!modify && Accept(","));
            Expect(")");
            if (!modify && options.EndpointUrl is null)
            {
                throw Fail(
                    35236, 15, $"The endpoint URL was not specified for the availability replica hosted by server instance '{name}'. Reissue the command, specifying the endpoint URL of this instance of SQL Server.");
            }

            if (!modify && options.AvailabilityMode is null)
            {
                throw Fail(
                    41198, 15, $"The AVAILABILITY_MODE option has not been specified for the replica '{name}'. Reissue the command, specifying an availability mode for the replica.");
            }

            if (!modify && options.FailoverMode is null && options.AvailabilityMode != AvailabilityMode.ConfigurationOnly)
            {
                throw Fail(
                    41197, 15, $"The FAILOVER_MODE option has not been specified for the replica '{name}'. Reissue the command, specifying a failover mode for the replica.");
            }

            replicas.Add(new ReplicaSpec(name, options));
        }
        while (Accept(","));
        return replicas;
    }

    private ReplicaOptions ParseReplicaOption(ReplicaOptions options, HashSet<string> seen)
    {
        var token = Current;
        if (token.Kind != TokenKind.Name) throw Wrong();
        var option = token.Text.ToUpperInvariant();
        if (!seen.Add(option)) throw Wrong();
        Take();
        switch (option)
        {
            case "ENDPOINT_URL":
                Expect("=");
                return options with { EndpointUrl = TakeText() };
            case "AVAILABILITY_MODE":
                Expect("=");
                return options with
                {
                    AvailabilityMode = TakeOneOf("SYNCHRONOUS_COMMIT", "ASYNCHRONOUS_COMMIT", "CONFIGURATION_ONLY") switch
                    {
                        0 => AvailabilityMode.SynchronousCommit,
                        1 => AvailabilityMode.AsynchronousCommit,
                        _ => AvailabilityMode.ConfigurationOnly,
                    },
                };
            case "FAILOVER_MODE":
                Expect("=");
                return options with
                {
                    FailoverMode = TakeOneOf("AUTOMATIC", "MANUAL", "EXTERNAL") switch
                    {
                        0 => FailoverMode.Automatic,
                        1 => FailoverMode.Manual,
                        _ => FailoverMode.External,
                    },
                };
            case "SEEDING_MODE":
                Expect("=");
                return options with { SeedingMode = TakeOneOf("AUTOMATIC", "MANUAL") == 0 ? SeedingMode.Automatic : SeedingMode.Manual };
            case "BACKUP_PRIORITY":
                Expect("=");
                return options with { BackupPriority = TakeInt(100) };
            case "SESSION_TIMEOUT":
                Expect("=");
                return options with { SessionTimeout = TakeInt() };
            case "SECONDARY_ROLE":
                return ParseSecondaryRole(options);
            case "PRIMARY_ROLE":
                return ParsePrimaryRole(options);
            default:
                throw Wrong(token);
        }
    }

    private ReplicaOptions ParseSecondaryRole(ReplicaOptions options)
    {
        Expect("(");
        var seen = new HashSet<int>();
        do
        {
            var start = Current;
            var option = TakeOneOf("ALLOW_CONNECTIONS", "READ_ONLY_ROUTING_URL");
            if (!seen.Add(option)) throw Wrong(start);
            Expect("=");
            options = option == 0
                ? options with
                {
                    SecondaryConnections = TakeOneOf("NO", "READ_ONLY", "ALL") switch
                    {
                        0 => SecondaryConnections.No,
                        1 => SecondaryConnections.ReadOnly,
                        _ => SecondaryConnections.All,
                    },
                }
                : options with { ReadOnlyRoutingUrl = ParseUrlOrNone() };
        }
        while (Accept(","));
        Expect(")");
        return options;
    }

    /// <summary>NONE takes a URL away; the engine stores that as empty.</summary>
    private string ParseUrlOrNone() => Accept("NONE") ? "" : TakeText();

    private ReplicaOptions ParsePrimaryRole(ReplicaOptions options)
    {
        Expect("(");
        var seen = new HashSet<int>();
        do
        {
            var start = Current;
            var option = TakeOneOf("ALLOW_CONNECTIONS", "READ_ONLY_ROUTING_LIST", "READ_WRITE_ROUTING_URL");
            if (!seen.Add(option)) throw Wrong(start);
            Expect("=");
            options = option switch
            {
                0 => options with
                {
                    PrimaryConnections = TakeOneOf("READ_WRITE", "ALL") == 0 ? PrimaryConnections.ReadWrite : PrimaryConnections.All,
                },
                1 => options with { ReadOnlyRoutingList = ParseRoutingList() },
                _ => options with { ReadWriteRoutingUrl = ParseUrlOrNone() },
            };
        }
        while (Accept(","));
        Expect(")");
        return options;
    }

    private List<IReadOnlyList<string>> ParseRoutingList()
    {
        var list = new List<IReadOnlyList<string>>();
        if (Accept("NONE")) return list;
        Expect("(");
        do
        {
            if (Accept("("))
            {
                var set = new List<string>();
                do
                {
                    set.Add(TakeText());
                }
                while (Accept(","));
                Expect(")");
                list.Add(set);
            }
            else
            {
                list.Add([TakeText()]);
            }
        }
        while (Accept(","));
        Expect(")");
        return list;
    }
}
