using System.Text.Json.Nodes;
using KubernetesEmulator.Http;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Schema;

/// <summary>
/// Refuses values of the wrong type in the commonly written fields of built-in kinds, as decoding into typed objects does. The
/// fields are told by name: these names have one type wherever they occur.
/// </summary>
internal static class FieldTypes
{
    private static readonly HashSet<string> Strings =
    [
        "name", "namespace", "generateName", "image", "nodeName", "serviceName", "serviceAccountName", "mountPath", "subPath", "restartPolicy", "clusterIP",
        "holderIdentity", "imagePullPolicy", "secretName", "claimName", "fieldPath", "path", "key", "storageClassName", "volumeName", "schedulerName", "hostname",
        "provisioner", "phase", "podIP", "hostIP", "apiVersion", "kind", "uid", "reason", "message", "type", "protocol", "workingDir",
    ];

    private static readonly HashSet<string> Integers =
    [
        "replicas", "containerPort", "hostPort", "nodePort", "terminationGracePeriodSeconds", "backoffLimit", "completions", "parallelism",
        "activeDeadlineSeconds", "ttlSecondsAfterFinished", "leaseDurationSeconds", "leaseTransitions", "periodSeconds", "timeoutSeconds", "failureThreshold",
        "successThreshold", "initialDelaySeconds", "defaultMode", "runAsUser", "runAsGroup", "fsGroup", "revisionHistoryLimit", "minReadySeconds",
        "progressDeadlineSeconds",
    ];

    private static readonly HashSet<string> Booleans =
    [
        "readOnly", "hostNetwork", "hostPID", "shareProcessNamespace", "publishNotReadyAddresses", "automountServiceAccountToken", "immutable", "suspend",
        "privileged", "readOnlyRootFilesystem", "allowPrivilegeEscalation", "runAsNonRoot", "enableServiceLinks", "blockOwnerDeletion", "controller", "optional",
    ];

    /// <summary>Maps whose keys the user chooses.</summary>
    private static readonly HashSet<string> Free =
    [
        "labels", "annotations", "data", "stringData", "binaryData", "matchLabels", "nodeSelector", "limits", "requests", "capacity", "allocatable", "parameters",
        "managedFields", "openAPIV3Schema", "preferences",
    ];

    public static void Check(Resource r, JsonObject o) => Check(r, o, "");

    private static void Check(Resource r, JsonNode? node, string path)
    {
        switch (node)
        {
            case JsonObject o:
                foreach (var (name, value) in o)
                {
                    var here = $"{path}.{name}";
                    if (value is null || Free.Contains(name) || (name == "selector" && r.Kind == "Service"))
                        continue;
                    if (Strings.Contains(name) && value.Text() is null)
                        throw Wrong(r, value, here, "string");
                    if (Integers.Contains(name) && Document.Integer(value) is null)
                        throw Wrong(r, value, here, "int32");
                    if (Booleans.Contains(name) && !(value is JsonValue v && v.TryGetValue<bool>(out _)))
                        throw Wrong(r, value, here, "bool");
                    if (name is "command" or "args" && value is not JsonArray)
                        throw Wrong(r, value, here, "[]string");
                    if (name is "command" or "args" && (value as JsonArray)!.FirstOrDefault(i => i.Text() is null) is { } item)
                        throw Wrong(r, item, here, "string");
                    Check(r, value, here);
                }

                break;
            case JsonArray a:
                foreach (var item in a)
                    Check(r, item, path);
                break;
        }
    }

    private static ApiError Wrong(Resource r, JsonNode value, string path, string type)
    {
        var actual = value switch
        {
            JsonObject => "object",
            JsonArray => "array",
            _ when value.Text() is not null => "string",
            _ when Document.Real(value) is not null => "number",
            _ => "bool",
        };
        return ApiError.BadRequest($"{r.Kind} in version \"{r.Version}\" cannot be handled as a {r.Kind}: json: cannot unmarshal {actual} into Go struct field {path[1..]} of type {type}");
    }
}
