using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Http;

namespace KubernetesEmulator.Resources;

/// <summary>What the server refuses in names, metadata and the built-in kinds that are used here.</summary>
internal static partial class Validation
{
    private const string NameText = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with "
        + "an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

    public static List<FieldError> Check(Resource r, JsonObject o)
    {
        var errors = new List<FieldError>();
        Metadata(r, o, errors);
        if (!r.IsCustom)
            BuiltIn(r, o, errors);
        return errors;
    }

    private static void PolicyRules(Resource r, JsonObject o, List<FieldError> errors)
    {
        foreach (var (rule, at) in o.Objects("rules").Select((rule, i) => (rule, $"rules[{i}]")))
        {
            bool Has(string field) => rule.Texts(field).Any();
            if (!Has("verbs"))
                errors.Add(FieldError.Required($"{at}.verbs", "verbs must contain at least one value"));
            if (Has("nonResourceURLs"))
            {
                if (r.Namespaced)
                    errors.Add(FieldError.Invalid($"{at}.nonResourceURLs", rule["nonResourceURLs"], "namespaced rules cannot apply to non-resource URLs"));
                if (Has("apiGroups") || Has("resources") || Has("resourceNames"))
                    errors.Add(FieldError.Invalid($"{at}.nonResourceURLs", rule["nonResourceURLs"], "rules cannot apply to both regular resources and non-resource URLs"));
                continue;
            }

            if (!Has("apiGroups"))
                errors.Add(FieldError.Required($"{at}.apiGroups", "resource rules must supply at least one api group"));
            if (!Has("resources"))
                errors.Add(FieldError.Required($"{at}.resources", "resource rules must supply at least one resource"));
        }
    }

    /// <summary>Fields that may not change once written.</summary>
    public static List<FieldError> CheckUpdate(Resource r, JsonObject old, JsonObject now)
    {
        var errors = new List<FieldError>();
        switch (r.Key)
        {
            case "statefulsets.apps":
                string[] mutable =
                [
                    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
                ];
                if (Differs(old.Child("spec"), now.Child("spec"), mutable))
                    errors.Add(FieldError.Forbidden("spec", "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
                        + "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"));
                break;
            case "deployments.apps" or "replicasets.apps":
                Immutable(old, now, errors, "spec", "selector");
                break;
            case "jobs.batch":
                Immutable(old, now, errors, "spec", "completions");
                Immutable(old, now, errors, "spec", "selector");
                Immutable(old, now, errors, "spec", "completionMode");
                if (!(old.Flag("spec", "suspend") && old.Text("status", "startTime") is null))
                    Immutable(old, now, errors, "spec", "template");
                break;
            case "pods":
                PodSpec(old.Child("spec"), now.Child("spec"), errors);
                break;
            case "secrets":
                Immutable(old, now, errors, "type");
                Sealed(old, now, errors);
                break;
            case "configmaps":
                Sealed(old, now, errors);
                break;
            case "services":
                if (old.Text("spec", "type") != "ExternalName" && now.Text("spec", "type") != "ExternalName"
                    && old.Text("spec", "clusterIP") is { Length: > 0 })
                    Immutable(old, now, errors, "spec", "clusterIP");
                break;
            case "persistentvolumeclaims":
                if (Differs(old.Child("spec"), now.Child("spec"),
                    old.Text("spec", "volumeName") is null ? ["resources", "volumeAttributesClassName", "volumeName", "storageClassName"] : ["resources", "volumeAttributesClassName"]))
                    errors.Add(FieldError.Forbidden("spec", "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"));
                break;
            case "rolebindings.rbac.authorization.k8s.io" or "clusterrolebindings.rbac.authorization.k8s.io":
                if (!Document.Same(old["roleRef"], now["roleRef"]))
                    errors.Add(FieldError.Invalid("roleRef", now["roleRef"], "cannot change roleRef"));
                break;
            case "storageclasses.storage.k8s.io":
                if (!Document.Same(old["parameters"], now["parameters"]) || old.Text("provisioner") != now.Text("provisioner"))
                    errors.Add(FieldError.Forbidden("parameters", "updates to parameters are forbidden."));
                break;
            case "customresourcedefinitions.apiextensions.k8s.io":
                Immutable(old, now, errors, "spec", "scope");
                Immutable(old, now, errors, "spec", "names", "kind");
                break;
        }

        return errors;
    }

    private static void Metadata(Resource r, JsonObject o, List<FieldError> errors)
    {
        var metadata = o.Child("metadata");
        var name = metadata.Text("name") ?? "";
        if (r.Group == "rbac.authorization.k8s.io")
        {
            if (name is "." or ".." || name.Contains('/', StringComparison.Ordinal) || name.Contains('%', StringComparison.Ordinal))
                errors.Add(FieldError.Invalid("metadata.name", name, "may not contain '/' or '%'"));
        }
        else if (r.Key is "services" or "namespaces")
        {
            if (name.Length > 63)
                errors.Add(FieldError.Invalid("metadata.name", name, "must be no more than 63 characters"));
            else if (r.Key == "services" && (!FieldChecks.IsDnsLabel(name) || char.IsAsciiDigit(name[0])))
                errors.Add(FieldError.Invalid("metadata.name", name, NameText));
            else
                errors.Label("metadata.name", name);
        }
        else
        {
            errors.Subdomain("metadata.name", name);
        }

        foreach (var part in new[] { "labels", "annotations" })
        {
            foreach (var (key, value) in metadata.Child(part) ?? [])
            {
                errors.LabelKey($"metadata.{part}", key);
                if (part == "labels" && value.Text() is { } text && !FieldChecks.IsLabelValue(text))
                    errors.Add(FieldError.Invalid("metadata.labels", text, "a valid label must be an empty string or consist of alphanumeric characters, "
                        + "'-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
                        + "regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"));
            }
        }

        var index = 0;
        foreach (var owner in metadata.Objects("ownerReferences"))
        {
            foreach (var field in new[] { "apiVersion", "kind", "name", "uid" })
            {
                if (owner.Text(field) is null or "")
                    errors.Add(FieldError.Invalid($"metadata.ownerReferences[{index}].{field}", owner.Text(field) ?? "", $"{field} must not be empty"));
            }

            index++;
        }

        if (metadata.Objects("ownerReferences").Count(w => w.Flag("controller")) > 1)
            errors.Add(FieldError.Invalid("metadata.ownerReferences", metadata.At("ownerReferences"), "Only one reference can have Controller set to true."));
        foreach (var finalizer in metadata.Texts("finalizers"))
        {
            if (!finalizer.Contains('/', StringComparison.Ordinal) && finalizer is not ("orphan" or "foregroundDeletion"))
                errors.Add(FieldError.Invalid("metadata.finalizers", finalizer, "name is neither a standard finalizer name nor is it fully qualified"));
        }
    }

    private static void BuiltIn(Resource r, JsonObject o, List<FieldError> errors)
    {
        switch (r.Key)
        {
            case "pods":
                PodValidation.Check(o.Child("spec"), "spec", errors);
                break;
            case "statefulsets.apps" or "deployments.apps" or "replicasets.apps" or "jobs.batch":
                Workload(r, o, errors);
                break;
            case "services":
                Service(o.Child("spec"), errors);
                break;
            case "configmaps":
                Keys(o.Child("data"), "data", errors);
                Keys(o.Child("binaryData"), "binaryData", errors);
                foreach (var (key, _) in (o.Child("data") ?? []).Where(d => o.Child("binaryData")?.ContainsKey(d.Key) == true))
                    errors.Add(FieldError.Invalid($"data[{key}]", key, "duplicate of key present in binaryData"));
                break;
            case "secrets":
                Keys(o.Child("data"), "data", errors);
                Secret(o, errors);
                break;
            case "leases.coordination.k8s.io":
                Lease(o.Child("spec"), errors);
                break;
            case "roles.rbac.authorization.k8s.io" or "clusterroles.rbac.authorization.k8s.io":
                PolicyRules(r, o, errors);
                break;
            case "rolebindings.rbac.authorization.k8s.io" or "clusterrolebindings.rbac.authorization.k8s.io":
                Binding(r, o, errors);
                break;
            case "persistentvolumeclaims":
                Claim(o.Child("spec"), errors);
                break;
            case "poddisruptionbudgets.policy":
                Budget(o.Child("spec"), errors);
                break;
            case "storageclasses.storage.k8s.io":
                errors.Require("provisioner", o.Text("provisioner"));
                break;
            case "events":
                if (o.Text("involvedObject", "namespace") is { } ns ? ns != o.Text("metadata", "namespace") : o.Text("metadata", "namespace") != "default")
                    errors.Add(FieldError.Invalid("involvedObject.namespace", o.Text("involvedObject", "namespace") ?? "", "does not match event.namespace"));
                break;
            case "customresourcedefinitions.apiextensions.k8s.io":
                Definition(o, errors);
                break;
        }
    }

    private static void Workload(Resource r, JsonObject o, List<FieldError> errors)
    {
        var spec = o.Child("spec");
        foreach (var field in new[] { "replicas", "minReadySeconds", "completions", "parallelism", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished" })
            errors.NotNegative($"spec.{field}", spec.At(field));
        var selector = spec.Child("selector");
        if (selector is null)
        {
            errors.Add(FieldError.Required("spec.selector"));
        }
        else if ((selector.Child("matchLabels")?.Count ?? 0) + selector.Objects("matchExpressions").Count() == 0)
        {
            errors.Add(FieldError.Invalid("spec.selector", selector, $"empty selector is invalid for {r.Kind.ToLowerInvariant()}"));
        }
        else
        {
            var index = 0;
            foreach (var expression in selector.Objects("matchExpressions"))
            {
                if (expression.Text("operator") is not ("In" or "NotIn" or "Exists" or "DoesNotExist"))
                    errors.Add(FieldError.Invalid($"spec.selector.matchExpressions[{index}].operator", expression["operator"], "not a valid selector operator"));
                index++;
            }

            if ((selector.Child("matchLabels") ?? []).Any(l => spec.Text("template", "metadata", "labels", l.Key) != l.Value.Text()))
                errors.Add(FieldError.Invalid("spec.template.metadata.labels", spec.At("template", "metadata", "labels"), "`selector` does not match template `labels`"));
        }

        if (r.Kind == "StatefulSet")
            StatefulSet(spec, errors);
        else
            PodValidation.Check(spec.Child("template", "spec"), "spec.template.spec", errors);
        const string Policy = "spec.template.spec.restartPolicy";
        var policy = spec.Text("template", "spec", "restartPolicy");
        if (r.Kind != "Job" && policy != "Always")
            errors.Add(FieldError.NotSupported(Policy, policy, ["Always"]));
        else if (r.Kind == "Job" && policy == "Always")
            errors.Add(FieldError.Required(Policy, "valid values: \"OnFailure\", \"Never\""));
    }

    /// <summary>Of the template only as much as the server looks at: what else is wrong with it shows when its pods are made.</summary>
    private static void StatefulSet(JsonObject? spec, List<FieldError> errors)
    {
        if (spec.Text("podManagementPolicy") is not ("OrderedReady" or "Parallel"))
            errors.Add(FieldError.Invalid("spec.podManagementPolicy", spec.At("podManagementPolicy"), "must be 'OrderedReady' or 'Parallel'"));
        var strategy = spec.Child("updateStrategy");
        if (strategy.Text("type") is not ("RollingUpdate" or "OnDelete"))
            errors.Add(FieldError.Invalid("spec.updateStrategy", strategy, "must be 'RollingUpdate' or 'OnDelete'"));
        else if (strategy.Text("type") == "OnDelete" && strategy.Child("rollingUpdate") is { } update)
            errors.Add(FieldError.Invalid("spec.updateStrategy.rollingUpdate", update, "only allowed for updateStrategy 'RollingUpdate'"));
        errors.NotNegative("spec.updateStrategy.rollingUpdate.partition", strategy.At("rollingUpdate", "partition"));
    }

    private static void Service(JsonObject? spec, List<FieldError> errors)
    {
        var type = spec.Text("type") ?? "";
        errors.OneOf("spec.type", type, "ClusterIP", "ExternalName", "LoadBalancer", "NodePort");
        errors.OneOf("spec.sessionAffinity", spec.Text("sessionAffinity"), "ClientIP", "None");
        foreach (var (key, _) in spec.Child("selector") ?? [])
            errors.LabelKey("spec.selector", key);
        if (type == "ExternalName")
            errors.Require("spec.externalName", spec.Text("externalName"));
        else if (!spec.Objects("ports").Any() && spec.Text("clusterIP") != "None")
            errors.Add(FieldError.Required("spec.ports"));
        if (type is "LoadBalancer" or "NodePort" && spec.Text("clusterIP") == "None")
            errors.Add(FieldError.Invalid("spec.clusterIPs[0]", "None", $"may not be set to 'None' for {type} services"));
        if (spec.Text("externalTrafficPolicy") is { Length: > 0 } policy && type is "ClusterIP" or "ExternalName")
            errors.Add(FieldError.Invalid("spec.externalTrafficPolicy", policy, "ExternalTrafficPolicy can only be set on NodePort and LoadBalancer service"));
        var names = new HashSet<string>();
        var numbers = new HashSet<string>();
        var index = 0;
        var several = spec.Objects("ports").Count() > 1;
        foreach (var port in spec.Objects("ports"))
        {
            var at = $"spec.ports[{index++}]";
            var name = port.Text("name") ?? "";
            if (several)
                errors.Require($"{at}.name", name);
            errors.Label($"{at}.name", name);
            if (name.Length > 0 && !names.Add(name))
                errors.Add(FieldError.Duplicate($"{at}.name", name));
            errors.Port($"{at}.port", port["port"]);
            errors.Port($"{at}.targetPort", port["targetPort"]);
            errors.OneOf($"{at}.protocol", port.Text("protocol"), "SCTP", "TCP", "UDP");
            if (type == "ClusterIP" && port.Number("nodePort") is not (null or 0))
                errors.Add(FieldError.Forbidden($"{at}.nodePort", "may not be used when `type` is 'ClusterIP'"));
            if (!numbers.Add($"{port.Text("protocol")}/{port.Number("port")}"))
                errors.Add(FieldError.Duplicate(at, port));
        }
    }

    private static void Claim(JsonObject? spec, List<FieldError> errors)
    {
        if (!spec.Texts("accessModes").Any())
            errors.Add(FieldError.Required("spec.accessModes", "at least 1 access mode is required"));
        foreach (var mode in spec.Texts("accessModes"))
            errors.OneOf("spec.accessModes", mode, "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod");
        if (spec.Text("resources", "requests", "storage") is not { } storage)
            errors.Add(FieldError.Required("spec.resources[storage]"));
        else if (storage == "0" || storage[0] == '-')
            errors.Add(FieldError.Invalid("spec.resources[storage]", storage, "must be greater than zero"));
        errors.OneOf("spec.volumeMode", spec.Text("volumeMode"), "Block", "Filesystem");
        errors.Subdomain("spec.storageClassName", spec.Text("storageClassName"));
    }

    private static void Secret(JsonObject o, List<FieldError> errors)
    {
        string[] keys = o.Text("type") switch
        {
            "kubernetes.io/tls" => ["tls.crt", "tls.key"],
            "kubernetes.io/dockerconfigjson" => [".dockerconfigjson"],
            "kubernetes.io/ssh-auth" => ["ssh-privatekey"],
            _ => [],
        };
        foreach (var key in keys.Where(k => o.Child("data")?.ContainsKey(k) != true))
            errors.Add(FieldError.Required($"data[{key}]"));
        if (o.Text("type") == "kubernetes.io/service-account-token")
            errors.Require("metadata.annotations[kubernetes.io/service-account.name]", o.Text("metadata", "annotations", "kubernetes.io/service-account.name"));
    }

    private static void Binding(Resource r, JsonObject o, List<FieldError> errors)
    {
        var role = o.Child("roleRef");
        if (role.Text("apiGroup") != "rbac.authorization.k8s.io")
            errors.Add(FieldError.NotSupported("roleRef.apiGroup", role.At("apiGroup"), ["rbac.authorization.k8s.io"]));
        if (r.Namespaced ? role.Text("kind") is not ("Role" or "ClusterRole") : role.Text("kind") != "ClusterRole")
            errors.Add(FieldError.NotSupported("roleRef.kind", role.At("kind"), r.Namespaced ? ["Role", "ClusterRole"] : ["ClusterRole"]));
        errors.Require("roleRef.name", role.Text("name"));
        var index = 0;
        foreach (var subject in o.Objects("subjects"))
        {
            var at = $"subjects[{index++}]";
            errors.Require($"{at}.name", subject.Text("name"));
            if (subject.Text("kind") is not ("ServiceAccount" or "User" or "Group"))
                errors.Add(FieldError.NotSupported($"{at}.kind", subject["kind"], ["ServiceAccount", "User", "Group"]));
            // A binding in a namespace means accounts there unless it says otherwise.
            if (subject.Text("kind") == "ServiceAccount" && !r.Namespaced)
                errors.Require($"{at}.namespace", subject.Text("namespace"));
        }
    }

    private static void Budget(JsonObject? spec, List<FieldError> errors)
    {
        if (spec.At("minAvailable") is not null && spec.At("maxUnavailable") is not null)
            errors.Add(FieldError.Invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set"));
        foreach (var field in new[] { "minAvailable", "maxUnavailable" })
        {
            errors.NotNegative($"spec.{field}", spec.At(field));
            if (spec.Text(field) is { } share && (share.Length < 2 || share[^1] != '%' || !share[..^1].All(char.IsAsciiDigit)))
                errors.Add(FieldError.Invalid($"spec.{field}", share, "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used "
                    + "for validation is '[0-9]+%')"));
        }
    }

    private static void Lease(JsonObject? spec, List<FieldError> errors)
    {
        if (spec.Number("leaseDurationSeconds") <= 0)
            errors.Add(FieldError.Invalid("spec.leaseDurationSeconds", spec.At("leaseDurationSeconds"), "must be greater than 0"));
        if (spec.Number("leaseTransitions") < 0)
            errors.Add(FieldError.Invalid("spec.leaseTransitions", spec.At("leaseTransitions"), "must be greater than or equal to 0"));
        if (spec.Text("holderIdentity") == "")
            errors.Add(FieldError.Invalid("spec.holderIdentity", "", "must not be empty"));    }

    private static void Definition(JsonObject o, List<FieldError> errors)
    {
        var spec = o.Child("spec");
        var expected = $"{spec.Text("names", "plural")}.{spec.Text("group")}";
        if (o.Text("metadata", "name") != expected)
            errors.Add(FieldError.Invalid("metadata.name", o.At("metadata", "name"), "must be spec.names.plural+\".\"+spec.group"));
        if (spec.Text("scope") is not ("Namespaced" or "Cluster"))
            errors.Add(FieldError.NotSupported("spec.scope", spec.At("scope"), ["Cluster", "Namespaced"]));
        foreach (var field in new[] { "plural", "kind" })
        {
            if (spec.Text("names", field) is null or "")
                errors.Add(FieldError.Required($"spec.names.{field}"));
        }

        if (spec.Objects("versions").Count(v => v.Flag("storage")) != 1)
            errors.Add(FieldError.Invalid("spec.versions", spec.At("versions"), "must have exactly one version marked as storage version"));
        var index = 0;
        foreach (var version in spec.Objects("versions"))
        {
            var path = $"spec.versions[{index++}].schema.openAPIV3Schema";
            if (version.Child("schema", "openAPIV3Schema") is not { } schema)
                errors.Add(FieldError.Required(path, "schemas are required"));
            else
                Structural(schema, path, errors, root: true);
        }
    }

    private static void Structural(JsonObject schema, string path, List<FieldError> errors, bool root = false)
    {
        var type = schema.Text("type") ?? "";
        if (root && type != "object")
            errors.Add(FieldError.Invalid($"{path}.type", type, "must be object at the root"));
        else if (type.Length == 0 && !schema.Flag("x-kubernetes-int-or-string") && !schema.Flag("x-kubernetes-preserve-unknown-fields"))
            errors.Add(FieldError.Required($"{path}.type", "must not be empty for specified object fields"));
        if (schema.ContainsKey("properties") && schema.ContainsKey("additionalProperties"))
            errors.Add(FieldError.Forbidden($"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive"));
        if (type == "array" && schema.Child("items") is null)
            errors.Add(FieldError.Required($"{path}.items", "must be specified"));
        if (schema.Text("x-kubernetes-list-type") == "map" && !schema.Texts("x-kubernetes-list-map-keys").Any())
            errors.Add(FieldError.Required($"{path}.x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map"));
        foreach (var (name, child) in schema.Child("properties") ?? [])
        {
            if (child is JsonObject property)
                Structural(property, $"{path}.properties[{name}]", errors);
        }

        if (schema.Child("items") is { } items)
            Structural(items, $"{path}.items", errors);
        if (schema.Child("additionalProperties") is { } additional)
            Structural(additional, $"{path}.additionalProperties", errors);
    }

    private static void Keys(JsonObject? data, string field, List<FieldError> errors)
    {
        foreach (var (key, _) in data ?? [])
        {
            if (key.Length > 253 || !DataKey().IsMatch(key) || key is "." or "..")
                errors.Add(FieldError.Invalid($"{field}[{key}]", key, "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
                    + "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"));
        }
    }

    private static void PodSpec(JsonObject? old, JsonObject? now, List<FieldError> errors)
    {
        var (a, b) = (old?.Copy() ?? [], now?.Copy() ?? []);
        foreach (var spec in new[] { a, b })
        {
            foreach (var field in new[] { "activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerations", "schedulingGates" })
                spec.Remove(field);
            foreach (var container in spec.Objects("containers").Concat(spec.Objects("initContainers")))
            {
                container.Remove("image");
                container.Remove("imagePullPolicy");
            }
        }

        if (!Document.Same(a, b))
            errors.Add(FieldError.Forbidden("spec", "pod updates may not change fields other than `spec.containers[*].image`,"
                + "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
                + "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"));
    }

    private static void Sealed(JsonObject old, JsonObject now, List<FieldError> errors)
    {
        if (!old.Flag("immutable"))
            return;
        if (!now.Flag("immutable"))
            errors.Add(FieldError.Forbidden("immutable", "field is immutable when `immutable` is set"));
        foreach (var field in new[] { "data", "binaryData" })
        {
            if (!Document.Same(old[field], now[field]))
                errors.Add(FieldError.Forbidden(field, "field is immutable when `immutable` is set"));
        }
    }

    private static void Immutable(JsonObject old, JsonObject now, List<FieldError> errors, params string[] path)
    {
        if (!Document.Same(old.At(path), now.At(path)))
            errors.Add(FieldError.Invalid(string.Join('.', path), now.At(path), "field is immutable"));
    }

    private static bool Differs(JsonObject? old, JsonObject? now, string[] except)
    {
        var (a, b) = (old?.Copy() ?? [], now?.Copy() ?? []);
        foreach (var field in except)
        {
            a.Remove(field);
            b.Remove(field);
        }

        return !Document.Same(a, b);
    }

    [GeneratedRegex(@"^[-._a-zA-Z0-9]+\z")]
    private static partial Regex DataKey();
}
