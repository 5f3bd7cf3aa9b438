using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Http;

namespace KubernetesEmulator.Resources;

/// <summary>What the server refuses in names, metadata and the built-in kinds that are used here.</summary>
internal static partial class Validation
{
    private const string Subdomain = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
        + "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
        + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

    private const string NameText = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with "
        + "an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

    private const string LabelText = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
        + "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

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
            else if (r.Key == "services" && (!DnsLabel().IsMatch(name) || char.IsAsciiDigit(name[0])))
                errors.Add(FieldError.Invalid("metadata.name", name, NameText));
            else if (!DnsLabel().IsMatch(name))
                errors.Add(FieldError.Invalid("metadata.name", name, LabelText));
        }
        else if (name.Length > 253 || !DnsSubdomain().IsMatch(name))
        {
            errors.Add(FieldError.Invalid("metadata.name", name, Subdomain));
        }

        foreach (var part in new[] { "labels", "annotations" })
        {
            foreach (var (key, value) in metadata.Child(part) ?? [])
            {
                var bare = key.Split('/') is [var prefix, var rest] && prefix.Length <= 253 && DnsSubdomain().IsMatch(prefix) ? rest : key;
                if (bare.Length > 63 || !QualifiedName().IsMatch(bare))
                    errors.Add(FieldError.Invalid($"metadata.{part}", key, "name part must consist of alphanumeric characters, '-', '_' or '.', and must start "
                        + "and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
                        + "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"));
                if (part == "labels" && value.Text() is { Length: > 0 } text && (text.Length > 63 || !QualifiedName().IsMatch(text)))
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
                Pod(o.Child("spec"), "spec", errors);
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
                break;
            case "secrets":
                Keys(o.Child("data"), "data", errors);
                break;
            case "leases.coordination.k8s.io":
                Lease(o.Child("spec"), errors);
                break;
            case "roles.rbac.authorization.k8s.io" or "clusterroles.rbac.authorization.k8s.io":
                PolicyRules(r, o, errors);
                break;
            case "rolebindings.rbac.authorization.k8s.io" or "clusterrolebindings.rbac.authorization.k8s.io":
                if (o.Text("roleRef", "name") is null or "")
                    errors.Add(FieldError.Required("roleRef.name"));
                break;
            case "persistentvolumeclaims":
                if (!o.Texts("spec", "accessModes").Any())
                    errors.Add(FieldError.Required("spec.accessModes", "at least 1 access mode is required"));
                if (o.At("spec", "resources", "requests", "storage") is null)
                    errors.Add(FieldError.Required("spec.resources[storage]"));
                break;
            case "storageclasses.storage.k8s.io":
                if (o.Text("provisioner") is null or "")
                    errors.Add(FieldError.Required("provisioner"));
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
        if (spec.Number("replicas") < 0)
            errors.Add(FieldError.Invalid("spec.replicas", spec.At("replicas"), "must be greater than or equal to 0"));
        var selector = spec.Child("selector");
        if (selector is null || (selector.Child("matchLabels")?.Count ?? 0) + selector.Objects("matchExpressions").Count() == 0)
        {
            errors.Add(FieldError.Required("spec.selector"));
        }
        else
        {
            foreach (var (key, value) in selector.Child("matchLabels") ?? [])
            {
                if (spec.Text("template", "metadata", "labels", key) != value.Text())
                {
                    errors.Add(FieldError.Invalid("spec.template.metadata.labels", spec.At("template", "metadata", "labels"), "`selector` does not match template `labels`"));
                    break;
                }
            }
        }

        Pod(spec.Child("template", "spec"), "spec.template.spec", errors);
        var policy = spec.Text("template", "spec", "restartPolicy");
        if (r.Kind == "Job" ? policy == "Always" : policy != "Always")
            errors.Add(FieldError.NotSupported("spec.template.spec.restartPolicy", policy, r.Kind == "Job" ? ["OnFailure", "Never"] : ["Always"]));
    }

    private static void Pod(JsonObject? spec, string path, List<FieldError> errors)
    {
        if (!spec.Objects("containers").Any())
            errors.Add(FieldError.Required($"{path}.containers"));
        if (path == "spec" && spec.Text("restartPolicy") is { } policy and not ("Always" or "OnFailure" or "Never"))
            errors.Add(FieldError.NotSupported($"{path}.restartPolicy", policy, ["Always", "OnFailure", "Never"]));
        var volumes = new HashSet<string>();
        var index = 0;
        foreach (var volume in spec.Objects("volumes"))
        {
            var name = volume.Text("name") ?? "";
            if (name.Length == 0)
                errors.Add(FieldError.Required($"{path}.volumes[{index}].name"));
            else if (!DnsLabel().IsMatch(name) || name.Length > 63)
                errors.Add(FieldError.Invalid($"{path}.volumes[{index}].name", name, LabelText));
            else if (!volumes.Add(name))
                errors.Add(FieldError.Duplicate($"{path}.volumes[{index}].name", name));
            index++;
        }

        var names = new HashSet<string>();
        foreach (var list in new[] { "initContainers", "containers" })
        {
            index = 0;
            foreach (var container in spec.Objects(list))
            {
                Container(container, $"{path}.{list}[{index++}]", names, volumes, path.Length > 4, errors);
            }
        }
    }

    private static void Container(
        JsonObject container, string path, HashSet<string> names, HashSet<string> volumes, bool template, List<FieldError> errors)
    {
        var name = container.Text("name") ?? "";
        if (name.Length == 0)
            errors.Add(FieldError.Required($"{path}.name"));
        else if (!DnsLabel().IsMatch(name) || name.Length > 63)
            errors.Add(FieldError.Invalid($"{path}.name", name, LabelText));
        else if (!names.Add(name))
            errors.Add(FieldError.Duplicate($"{path}.name", name));
        if (container.Text("image") is null or "")
            errors.Add(FieldError.Required($"{path}.image"));
        var index = 0;
        foreach (var mount in container.Objects("volumeMounts"))
        {
            // A StatefulSet's claims become volumes only in its pods.
            if (!template && !volumes.Contains(mount.Text("name") ?? ""))
                errors.Add(new FieldError($"{path}.volumeMounts[{index}].name", "FieldValueNotFound", $"Not found: {Document.Show(mount["name"])}"));
            if (mount.Text("mountPath") is null or "")
                errors.Add(FieldError.Required($"{path}.volumeMounts[{index}].mountPath"));
            index++;
        }

        index = 0;
        foreach (var port in container.Objects("ports"))
        {
            if (port.Number("containerPort") is not (> 0 and < 65536))
                errors.Add(FieldError.Invalid($"{path}.ports[{index}].containerPort", port["containerPort"], "must be between 1 and 65535, inclusive"));
            index++;
        }

        index = 0;
        foreach (var variable in container.Objects("env"))
        {
            if (variable.Text("name") is null or "")
                errors.Add(FieldError.Required($"{path}.env[{index}].name"));
            if (variable.Text("value") is { Length: > 0 } && variable["valueFrom"] is not null)
                errors.Add(FieldError.Invalid($"{path}.env[{index}].valueFrom", "", "may not be specified when `value` is not empty"));
            index++;
        }
    }

    private static void Service(JsonObject? spec, List<FieldError> errors)
    {
        var type = spec.Text("type") ?? "";
        if (type is not ("ClusterIP" or "NodePort" or "LoadBalancer" or "ExternalName"))
            errors.Add(FieldError.NotSupported("spec.type", type, ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]));
        if (!spec.Objects("ports").Any() && type != "ExternalName" && spec.Text("clusterIP") != "None")
            errors.Add(FieldError.Required("spec.ports"));
        var names = new HashSet<string>();
        var index = 0;
        var several = spec.Objects("ports").Count() > 1;
        foreach (var port in spec.Objects("ports"))
        {
            if (port.Number("port") is not (> 0 and < 65536))
                errors.Add(FieldError.Invalid($"spec.ports[{index}].port", port["port"], "must be between 1 and 65535, inclusive"));
            if (port.Number("targetPort") is <= 0 or >= 65536)
                errors.Add(FieldError.Invalid($"spec.ports[{index}].targetPort", port["targetPort"], "must be between 1 and 65535, inclusive"));
            if (several && port.Text("name") is null or "")
                errors.Add(FieldError.Required($"spec.ports[{index}].name"));
            else if (!names.Add(port.Text("name") ?? ""))
                errors.Add(FieldError.Duplicate($"spec.ports[{index}].name", port["name"]));
            index++;
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

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?\z")]
    private static partial Regex DnsLabel();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z")]
    private static partial Regex DnsSubdomain();

    [GeneratedRegex(@"^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\z")]
    private static partial Regex QualifiedName();

    [GeneratedRegex(@"^[-._a-zA-Z0-9]+\z")]
    private static partial Regex DataKey();
}
