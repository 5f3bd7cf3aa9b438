using System.Globalization;
using System.Text.Json.Nodes;
using Agents.Operator.Specs;

namespace Agents.Operator.Manifests;

/// <summary>The StatefulSet of one instance.</summary>
internal static class StatefulSetManifest
{
    /// <param name="spec">The instance.</param>
    /// <param name="timings">The operator's own timing variables, handed to the agents as they are.</param>
    public static JsonObject Build(InstanceSpec spec, IReadOnlyList<KeyValuePair<string, string>> timings)
    {
        var pod = PodSpec(spec, timings);
        var labels = Overlay.Merge(spec.PodLabels, new JsonObject { ["type"] = "sqlservr", ["name"] = spec.Name, [Names.InstanceLabel] = spec.Name });
        var annotations = Overlay.Merge(spec.PodAnnotations, new JsonObject { [Names.RestartHash] = RestartHash(spec, pod) });
        Placement(spec, pod, labels);
        var set = Metadata.Document("apps/v1", "StatefulSet", Metadata.OfInstance(spec, spec.Name));
        var details = new JsonObject
        {
            ["replicas"] = 1,
            ["serviceName"] = Names.InternalService(spec.Name),
            ["podManagementPolicy"] = "OrderedReady",
            // The operator restarts pods itself, one replica of an availability group after the other, see RestartPlanner.
            ["updateStrategy"] = new JsonObject { ["type"] = "OnDelete" },
            ["selector"] = new JsonObject { ["matchLabels"] = new JsonObject { [Names.InstanceLabel] = spec.Name } },
            ["template"] = new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["labels"] = labels,
                    ["annotations"] = annotations,
                },
                ["spec"] = pod,
            },
        };
        if (spec.RootVolumeClaim is { } claim)
            details["volumeClaimTemplates"] = Json.List(new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "PersistentVolumeClaim",
                ["metadata"] = new JsonObject { ["name"] = Names.RootVolume },
                ["spec"] = claim.DeepClone(),
            });
        set["spec"] = details;
        return set;
    }

    /// <summary>A pod with another hash is restarted. The file mssql.conf is read at start only, so its content counts as well.</summary>
    private static string RestartHash(InstanceSpec spec, JsonObject pod) =>
        ContentHash.Of(spec.MssqlConf is { } file ? new JsonObject { ["pod"] = pod.DeepClone(), ["mssql.conf"] = file } : pod);

    private static JsonObject PodSpec(InstanceSpec spec, IReadOnlyList<KeyValuePair<string, string>> timings)
    {
        var agents = AgentVariables(spec, timings);
        var volumes = new List<JsonNode?>();
        if (spec.RootVolume is { } root)
            volumes.Add(Overlay.Merge(new JsonObject { ["name"] = Names.RootVolume }, root));
        volumes.Add(new JsonObject
        {
            ["name"] = Names.AgentLoginVolume,
            ["secret"] = new JsonObject { ["secretName"] = Names.AgentLogin(spec.Name), ["defaultMode"] = 0b100_100_000 },
        });
        if (spec.MssqlConf is not null)
            volumes.Add(new JsonObject
            {
                ["name"] = Names.ConfigurationVolume,
                ["configMap"] = new JsonObject { ["name"] = Names.Configuration(spec.Name), ["defaultMode"] = 0b100_100_100 },
            });
        volumes.AddRange(spec.Volumes.Select(JsonNode? (volume) => volume.DeepClone()));
        var pod = new JsonObject
        {
            ["serviceAccountName"] = Names.Account(spec),
            ["securityContext"] = new JsonObject
            {
                ["fsGroup"] = 10001,
                ["fsGroupChangePolicy"] = "OnRootMismatch",
                ["runAsUser"] = 10001,
                ["runAsNonRoot"] = true,
                ["seccompProfile"] = new JsonObject { ["type"] = "RuntimeDefault" },
            },
            ["containers"] = Json.List(
                ServerContainer(spec),
                AgentContainer(spec, Names.HealthContainer, "/mssql-server-k8s-sqlhealth-agent", agents, Names.HealthPort),
                AgentContainer(spec, Names.SupervisorContainer, "/mssql-server-k8s-ag-agent-supervisor", agents, port: null)),
            ["volumes"] = Json.List(volumes),
        };
        return Overlay.Merge(Overlay.Merge(pod, spec.PodFields), spec.PodOverlay);
    }

    private static JsonObject ServerContainer(InstanceSpec spec)
    {
        string[] ours = ["ACCEPT_EULA", "MSSQL_PID", "MSSQL_ENABLE_HADR", "MSSQL_SA_PASSWORD"];
        var user = (JsonObject)spec.Container.DeepClone();
        if (user["env"] is JsonArray variables)
            user["env"] = Json.List(variables.Where(item => !ours.Contains((string?)item!["name"])).Select(item => item!.DeepClone()));
        user["name"] = Names.ServerContainer;
        var container = new JsonObject
        {
            ["name"] = Names.ServerContainer,
            ["image"] = string.Empty,
            ["env"] = ServerVariables(spec),
            ["ports"] = Json.List(Port("tds", Names.TdsPort), Port("mirroring", Names.MirroringPort)),
            ["securityContext"] = new JsonObject { ["allowPrivilegeEscalation"] = false },
            // The health agent answers for the server: a failure here restarts this container only. Recovery of large databases may
            // take long, so the first success has half an hour.
            ["startupProbe"] = Probe(HealthAgent("/healthz"), 2, 900),
            ["livenessProbe"] = Probe(HealthAgent("/healthz"), 5, 6),
            ["readinessProbe"] = Probe(new JsonObject { ["tcpSocket"] = new JsonObject { ["port"] = Names.TdsPort } }, 3, 3),
            // The server lives until the agents have handed its primary roles over.
            ["lifecycle"] = new JsonObject { ["preStop"] = HealthAgent("/handover") },
        };
        if (spec.ImagePullPolicy is { } policy)
            container["imagePullPolicy"] = policy;
        if (user["command"] is null && user["args"] is null)
            container["command"] = Json.Strings("/opt/mssql/bin/sqlservr");

        // One volume may be mounted at several paths, so mounts are appended, never merged by name.
        container["volumeMounts"] = ServerMounts(spec, user["volumeMounts"] as JsonArray ?? []);
        user.Remove("volumeMounts");
        return Overlay.Merge(container, user);
    }

    private static JsonArray ServerVariables(InstanceSpec spec)
    {
        var variables = Json.List(
            Json.Variable("ACCEPT_EULA", "Y"),
            Json.Variable("MSSQL_PID", spec.Pid),
            Json.Variable("MSSQL_ENABLE_HADR", "1"),
            Json.SecretVariable("MSSQL_SA_PASSWORD", spec.SaPassword.Name, spec.SaPassword.Key));
        void Add(string name, string? value)
        {
            if (value is not null)
                variables.Add((JsonNode)Json.Variable(name, value));
        }

        Add("MSSQL_MEMORY_LIMIT_MB", spec.MemoryLimit?.ToString(CultureInfo.InvariantCulture));
        Add("MSSQL_COLLATION", spec.Collation);
        Add("TZ", spec.TimeZone);
        return variables;
    }

    private static JsonArray ServerMounts(InstanceSpec spec, JsonArray user)
    {
        var mounts = new JsonArray();
        if (!user.Any(mount => (string?)mount!["mountPath"] == Names.RootDirectory))
            mounts.Add((JsonNode)Mount(Names.RootVolume, Names.RootDirectory, readOnly: false));
        if (spec.MssqlConf is not null)
        {
            var mount = Mount(Names.ConfigurationVolume, $"{Names.RootDirectory}/{Names.ConfigurationFile}", readOnly: true);
            mount["subPath"] = Names.ConfigurationFile;
            mounts.Add((JsonNode)mount);
        }

        foreach (var mount in user)
            mounts.Add(mount!.DeepClone());
        return mounts;
    }

    private static JsonObject AgentContainer(InstanceSpec spec, string name, string command, JsonArray variables, int? port)
    {
        var container = new JsonObject
        {
            ["name"] = name,
            ["image"] = spec.AgentsImage,
            ["command"] = Json.Strings(command),
            ["env"] = variables.DeepClone(),
            ["securityContext"] = new JsonObject
            {
                ["allowPrivilegeEscalation"] = false,
                ["capabilities"] = new JsonObject { ["drop"] = Json.Strings("ALL") },
            },
            ["volumeMounts"] = Json.List(Mount(Names.AgentLoginVolume, Names.AgentLoginDirectory, readOnly: true)),
        };
        if (spec.ImagePullPolicy is { } policy)
            container["imagePullPolicy"] = policy;
        if (port is { } number)
            container["ports"] = Json.List(Port("health", number));
        return container;
    }

    private static JsonArray AgentVariables(InstanceSpec spec, IReadOnlyList<KeyValuePair<string, string>> timings)
    {
        var variables = Json.List(
            Json.FieldVariable("MSSQL_K8S_NAMESPACE", "metadata.namespace"),
            Json.FieldVariable("MSSQL_POD_NAME", "metadata.name"),
            Json.FieldVariable("MSSQL_K8S_POD_UID", "metadata.uid"),
            Json.FieldVariable("MSSQL_K8S_POD_IP", "status.podIP"),
            Json.Variable("MSSQL_K8S_SQL_SERVER_NAME", spec.Name),
            Json.Variable("MSSQL_K8S_AGENT_LOGIN_DIR", Names.AgentLoginDirectory),
            Json.Variable("MSSQL_K8S_MONITOR_POLICY", $"{spec.MonitorPolicy}"));
        foreach (var variable in InstanceTimeouts(spec))
            variables.Add((JsonNode)variable);
        foreach (var (name, value) in timings)
            variables.Add((JsonNode)Json.Variable(name, value));
        return variables;
    }

    internal static JsonObject[] InstanceTimeouts(InstanceSpec spec) =>
    [
        Json.Variable("MSSQL_K8S_CONNECTION_TIMEOUT_SECONDS", $"{spec.ConnectionTimeout}"),
        Json.Variable("MSSQL_K8S_QUERY_COMMAND_TIMEOUT_SECONDS", $"{spec.QueryTimeout}"),
        Json.Variable("MSSQL_K8S_JOIN_COMMAND_TIMEOUT_SECONDS", $"{spec.JoinTimeout}"),
        Json.Variable("MSSQL_K8S_TRANSIENT_DB_HEALTH_TIMEOUT_SECONDS", $"{spec.TransientDatabaseTimeout}"),
    ];

    /// <summary>
    /// Keeps replicas of one group on different nodes. The labels that agents set on running pods come too late for the scheduler, so the
    /// template has labels of its own. They and the affinity stay out of the restart hash: a change of the list of groups restarts no pod,
    /// and holds from the next time that the pod is scheduled.
    /// </summary>
    private static void Placement(InstanceSpec spec, JsonObject pod, JsonObject labels)
    {
        foreach (var membership in spec.Groups)
            labels[Names.PlacementLabel(membership.Group)] = string.Empty;
        if (spec.SkipAntiAffinity || spec.Groups.Count == 0)
            return;
        var terms = Json.List(spec.Groups.Select(JsonNode? (membership) => new JsonObject
        {
            ["labelSelector"] = new JsonObject
            {
                ["matchExpressions"] = Json.List(new JsonObject
                {
                    ["key"] = Names.PlacementLabel(membership.Group),
                    ["operator"] = "Exists",
                }),
            },
            ["topologyKey"] = "kubernetes.io/hostname",
        }));
        var affinity = new JsonObject
        {
            ["affinity"] = new JsonObject
            {
                ["podAntiAffinity"] = new JsonObject { ["requiredDuringSchedulingIgnoredDuringExecution"] = terms },
            },
        };
        var merged = Overlay.Merge(affinity, new JsonObject { ["affinity"] = pod["affinity"]?.DeepClone() ?? new JsonObject() });
        pod["affinity"] = merged["affinity"]!.DeepClone();
    }

    private static JsonObject HealthAgent(string path) => new()
    {
        ["httpGet"] = new JsonObject { ["path"] = path, ["port"] = Names.HealthPort },
    };

    private static JsonObject Probe(JsonObject probe, int period, int failures)
    {
        probe["periodSeconds"] = period;
        probe["timeoutSeconds"] = 5;
        probe["failureThreshold"] = failures;
        return probe;
    }

    internal static JsonObject Port(string name, int port) => new() { ["name"] = name, ["containerPort"] = port, ["protocol"] = "TCP" };

    internal static JsonObject Mount(string volume, string path, bool readOnly)
    {
        var mount = new JsonObject { ["name"] = volume, ["mountPath"] = path };
        if (readOnly)
            mount["readOnly"] = true;
        return mount;
    }
}
