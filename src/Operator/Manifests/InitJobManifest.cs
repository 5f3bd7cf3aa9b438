using System.Text.Json.Nodes;
using Agents.Operator.Specs;

namespace Agents.Operator.Manifests;

/// <summary>The Job that brings an instance to its desired configuration.</summary>
internal static class InitJobManifest
{
    public static JsonObject Build(InstanceSpec spec)
    {
        const string certificateVolume = "mssql-mirroring-certificate";
        var pod = new JsonObject
        {
            ["serviceAccountName"] = Names.Account(spec),
            ["restartPolicy"] = "Never",
            ["securityContext"] = new JsonObject
            {
                ["runAsUser"] = 10001,
                ["runAsNonRoot"] = true,
                ["fsGroup"] = 10001,
                ["seccompProfile"] = new JsonObject { ["type"] = "RuntimeDefault" },
            },
            ["containers"] = Json.List(new JsonObject
            {
                ["name"] = "mssql-server-k8s-init-sql",
                ["image"] = spec.AgentsImage,
                ["command"] = Json.Strings("/mssql-server-k8s-init-sql"),
                ["env"] = Variables(spec),
                ["securityContext"] = new JsonObject
                {
                    ["allowPrivilegeEscalation"] = false,
                    ["capabilities"] = new JsonObject { ["drop"] = Json.Strings("ALL") },
                },
                ["volumeMounts"] = Json.List(
                    StatefulSetManifest.Mount(Names.AgentLoginVolume, Names.AgentLoginDirectory, readOnly: true),
                    StatefulSetManifest.Mount(certificateVolume, Names.MirroringCertificateDirectory, readOnly: true)),
            }),
            ["volumes"] = Json.List(
                new JsonObject
                {
                    ["name"] = Names.AgentLoginVolume,
                    ["secret"] = new JsonObject { ["secretName"] = Names.AgentLogin(spec.Name), ["defaultMode"] = 0b100_100_000 },
                },
                CertificateVolume(spec, certificateVolume)),
        };
        if (spec.ImagePullPolicy is { } policy)
            pod["containers"]![0]!["imagePullPolicy"] = policy;
        var details = new JsonObject
        {
            ["backoffLimit"] = 6,
            ["activeDeadlineSeconds"] = 3600,
            ["template"] = new JsonObject
            {
                ["metadata"] = new JsonObject { ["labels"] = new JsonObject { [Names.InstanceLabel + "-job"] = spec.Name } },
                ["spec"] = Overlay.Merge(Overlay.Merge(pod, spec.InitPodFields), spec.InitPodOverlay),
            },
        };
        var hash = ContentHash.Of(new JsonObject { ["spec"] = spec.Hash, ["uid"] = spec.Uid, ["job"] = details.DeepClone() });
        var metadata = Metadata.OfInstance(spec, Names.InitJob(spec.Name, hash));
        metadata["annotations"] = new JsonObject { [Names.SpecHash] = hash };
        var job = Metadata.Document("batch/v1", "Job", metadata);
        job["spec"] = details;
        return job;
    }

    private static JsonArray Variables(InstanceSpec spec)
    {
        var variables = Json.List(
            Json.FieldVariable("MSSQL_K8S_NAMESPACE", "metadata.namespace"),
            Json.Variable("MSSQL_K8S_SQL_SERVER_NAME", spec.Name),
            Json.Variable("MSSQL_K8S_EXPECTED_SERVER_NAME", Names.Pod(spec.Name)),
            Json.Variable("MSSQL_K8S_AGENT_LOGIN_DIR", Names.AgentLoginDirectory),
            Json.Variable("MSSQL_K8S_MIRRORING_CERTIFICATE_DIR", Names.MirroringCertificateDirectory),
            Json.SecretVariable("MSSQL_K8S_SA_PASSWORD", spec.SaPassword.Name, spec.SaPassword.Key));
        foreach (var variable in StatefulSetManifest.InstanceTimeouts(spec))
            variables.Add((JsonNode)variable);
        if (spec.PostInitScript.Length > 0)
            variables.Add((JsonNode)Json.Variable("MSSQL_K8S_POST_INIT_SCRIPT", spec.PostInitScript.Replace("$(", "$$(", StringComparison.Ordinal)));
        return variables;
    }

    private static JsonObject CertificateVolume(InstanceSpec spec, string name)
    {
        if (spec.MasterKeyPassword is not { } own)
            return new JsonObject
            {
                ["name"] = name,
                ["secret"] = new JsonObject { ["secretName"] = Names.MirroringCertificate, ["defaultMode"] = 0b100_100_000 },
            };
        static JsonObject Item(string key, string path) => new() { ["key"] = key, ["path"] = path };
        static JsonObject Source(string secret, params IEnumerable<JsonNode?> items) =>
            new() { ["secret"] = new JsonObject { ["name"] = secret, ["items"] = Json.List(items) } };
        return new JsonObject
        {
            ["name"] = name,
            ["projected"] = new JsonObject
            {
                ["defaultMode"] = 0b100_100_000,
                ["sources"] = Json.List(
                    Source(
                        Names.MirroringCertificate,
                        Item("certificate", "certificate"), Item("private-key", "private-key"), Item("private-key-password", "private-key-password")),
                    Source(own.Name, Item(own.Key, "master-key-password"))),
            },
        };
    }
}
