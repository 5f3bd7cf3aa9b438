using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KubernetesEmulator.Http;
using KubernetesEmulator.Schema;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Resources;

/// <summary>What the server refuses in the specification of a pod.</summary>
internal static partial class PodValidation
{
    private static readonly string[] Handlers = ["exec", "httpGet", "tcpSocket", "grpc"];
    private static readonly string[] StandardResources = ["cpu", "memory", "ephemeral-storage"];
    private static readonly string[] Fields = ["metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"];

    public static void Check(JsonObject? spec, string path, List<FieldError> errors)
    {
        if (!spec.Objects("containers").Any())
            errors.Add(FieldError.Required($"{path}.containers"));
        errors.OneOf($"{path}.restartPolicy", spec.Text("restartPolicy"), "Always", "OnFailure", "Never");
        errors.OneOf($"{path}.dnsPolicy", spec.Text("dnsPolicy"), "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None");
        errors.Between($"{path}.activeDeadlineSeconds", spec.At("activeDeadlineSeconds"), 1, int.MaxValue);
        errors.Subdomain($"{path}.nodeName", spec.Text("nodeName"));
        errors.Subdomain($"{path}.serviceAccountName", spec.Text("serviceAccountName"));
        errors.Label($"{path}.hostname", spec.Text("hostname"));
        errors.Label($"{path}.subdomain", spec.Text("subdomain"));
        foreach (var (key, _) in spec.Child("nodeSelector") ?? [])
            errors.LabelKey($"{path}.nodeSelector", key);
        SecurityContext(spec.Child("securityContext"), $"{path}.securityContext", errors);
        if (spec.Flag("shareProcessNamespace") && spec.Flag("hostPID"))
            errors.Add(FieldError.Invalid($"{path}.securityContext.shareProcessNamespace", true, "ShareProcessNamespace and HostPID cannot both be enabled"));
        Tolerations(spec, path, errors);
        Affinity(spec, path, errors);
        var volumes = Volumes(spec, path, errors);
        var names = new HashSet<string>();
        foreach (var list in new[] { "initContainers", "containers" })
        {
            foreach (var (container, at) in Each(spec, list, path))
                Container(container, at, names, volumes, spec.Flag("hostNetwork"), list == "initContainers", errors);
        }
    }

    private static IEnumerable<(JsonObject Item, string Path)> Each(JsonNode? parent, string list, string path) =>
        parent.Objects(list).Select((item, i) => (item, string.Create(CultureInfo.InvariantCulture, $"{path}.{list}[{i}]")));

    private static void Tolerations(JsonObject? spec, string path, List<FieldError> errors)
    {
        foreach (var (toleration, at) in Each(spec, "tolerations", path))
        {
            if (toleration.Text("key") is { Length: > 0 } key)
                errors.LabelKey($"{at}.key", key);
            else if (toleration.Text("operator") != "Exists")
                errors.Add(FieldError.Invalid($"{at}.operator", toleration["operator"] ?? "", "operator must be Exists when `key` is empty, which means \"match all values and all keys\""));
            errors.OneOf($"{at}.operator", toleration.Text("operator"), "Equal", "Exists");
            if (toleration.Text("operator") == "Exists" && toleration.Text("value") is { Length: > 0 })
                errors.Add(FieldError.Invalid($"{at}.operator", toleration, "value must be empty when `operator` is 'Exists'"));
            errors.OneOf($"{at}.effect", toleration.Text("effect"), "NoSchedule", "PreferNoSchedule", "NoExecute");
        }
    }

    private static void Affinity(JsonObject? spec, string path, List<FieldError> errors)
    {
        foreach (var kind in new[] { "podAffinity", "podAntiAffinity" })
        {
            var affinity = spec.Child("affinity", kind);
            var at = $"{path}.affinity.{kind}";
            foreach (var (term, here) in Each(affinity, "requiredDuringSchedulingIgnoredDuringExecution", at))
                errors.Require($"{here}.topologyKey", term.Text("topologyKey"), "can not be empty");
            foreach (var (term, here) in Each(affinity, "preferredDuringSchedulingIgnoredDuringExecution", at))
            {
                errors.Between($"{here}.weight", term["weight"] ?? 0, 1, 100);
                errors.Require($"{here}.podAffinityTerm.topologyKey", term.Text("podAffinityTerm", "topologyKey"), "can not be empty");
            }
        }
    }

    private static HashSet<string> Volumes(JsonObject? spec, string path, List<FieldError> errors)
    {
        var volumes = new HashSet<string>();
        foreach (var (volume, at) in Each(spec, "volumes", path))
        {
            var name = volume.Text("name");
            errors.Require($"{at}.name", name);
            errors.Label($"{at}.name", name);
            if (name is { Length: > 0 } && !volumes.Add(name))
                errors.Add(FieldError.Duplicate($"{at}.name", name));
            foreach (var (further, _) in volume.Where(f => f.Key != "name").OrderBy(f => f.Key, StringComparer.Ordinal).Skip(1))
                errors.Add(FieldError.Forbidden($"{at}.{further}", "may not specify more than 1 volume type"));
            if (volume.Child("secret") is { } secret)
                errors.Require($"{at}.secret.secretName", secret.Text("secretName"));
            if (volume.Child("configMap") is { } map)
                errors.Require($"{at}.configMap.name", map.Text("name"));
            if (volume.Child("persistentVolumeClaim") is { } claim)
                errors.Require($"{at}.persistentVolumeClaim.claimName", claim.Text("claimName"));
            if (volume.Child("hostPath") is { } host)
                errors.Require($"{at}.hostPath.path", host.Text("path"));
            foreach (var source in new[] { "secret", "configMap", "downwardAPI", "projected" })
                Files(volume.Child(source), $"{at}.{source}", errors);
        }

        return volumes;
    }

    private static void Files(JsonObject? source, string path, List<FieldError> errors)
    {
        if (source.Number("defaultMode") is < 0 or > 511)
            errors.Add(FieldError.Invalid($"{path}.defaultMode", source!["defaultMode"], "must be a number between 0 and 0777 (octal), both inclusive"));
        foreach (var (item, at) in Each(source, "items", path))
        {
            if (!path.EndsWith("downwardAPI", StringComparison.Ordinal))
                errors.Require($"{at}.key", item.Text("key"));
            errors.Require($"{at}.path", item.Text("path"));
            LocalPath(item.Text("path"), $"{at}.path", errors);
        }
    }

    private static void LocalPath(string? text, string path, List<FieldError> errors)
    {
        if (text is { Length: > 0 } && text[0] == '/')
            errors.Add(FieldError.Invalid(path, text, "must be a relative path"));
        if (text?.Split('/').Contains("..") == true)
            errors.Add(FieldError.Invalid(path, text, "must not contain '..'"));
    }

    private static void Container(
        JsonObject container, string path, HashSet<string> names, HashSet<string> volumes, bool hostNetwork, bool initial, List<FieldError> errors)
    {
        var name = container.Text("name");
        errors.Require($"{path}.name", name);
        errors.Label($"{path}.name", name);
        if (name is { Length: > 0 } && !names.Add(name))
            errors.Add(FieldError.Duplicate($"{path}.name", name));
        var image = container.Text("image") ?? "";
        errors.Require($"{path}.image", image);
        if (image != image.Trim())
            errors.Add(FieldError.Invalid($"{path}.image", image, "must not have leading or trailing whitespace"));
        errors.OneOf($"{path}.imagePullPolicy", container.Text("imagePullPolicy"), "Always", "IfNotPresent", "Never");
        if (container.Text("terminationMessagePolicy") is { Length: > 0 } policy and not ("File" or "FallbackToLogsOnError"))
            errors.Add(FieldError.Invalid($"{path}.terminationMessagePolicy", policy, "must be 'File' or 'FallbackToLogsOnError'"));
        Ports(container, path, hostNetwork, errors);
        foreach (var (variable, at) in Each(container, "env", path))
            Variable(variable, at, errors);
        Mounts(container, path, volumes, errors);
        Resources(container.Child("resources"), $"{path}.resources", errors);
        SecurityContext(container.Child("securityContext"), $"{path}.securityContext", errors);
        foreach (var hook in new[] { "postStart", "preStop" })
        {
            if (container.Child("lifecycle", hook) is { } handler)
                Handler(handler, $"{path}.lifecycle.{hook}", ["sleep", .. Handlers], errors);
        }

        // Probes of init containers are another matter.
        if (initial)
            return;
        foreach (var kind in new[] { "livenessProbe", "readinessProbe", "startupProbe" })
        {
            if (container.Child(kind) is not { } probe)
                continue;
            Handler(probe, $"{path}.{kind}", Handlers, errors);
            foreach (var field in new[] { "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold" })
                errors.NotNegative($"{path}.{kind}.{field}", probe[field]);
            if (kind != "readinessProbe" && probe.Number("successThreshold") is { } threshold and not 1)
                errors.Add(FieldError.Invalid($"{path}.{kind}.successThreshold", threshold, "must be 1"));
        }
    }

    private static void Ports(JsonObject container, string path, bool hostNetwork, List<FieldError> errors)
    {
        var names = new HashSet<string>();
        foreach (var (port, at) in Each(container, "ports", path))
        {
            if (port.Text("name") is { Length: > 0 } name)
            {
                errors.PortName($"{at}.name", name);
                if (!names.Add(name))
                    errors.Add(FieldError.Duplicate($"{at}.name", name));
            }

            if (port.Number("containerPort") is null or 0)
                errors.Add(FieldError.Required($"{at}.containerPort"));
            else
                errors.Port($"{at}.containerPort", port["containerPort"]);
            if (port.Number("hostPort") is not (null or 0))
                errors.Port($"{at}.hostPort", port["hostPort"]);
            // Without one, the host's port is made the same.
            if (hostNetwork && port.Number("hostPort") is { } host && host != port.Number("containerPort"))
                errors.Add(FieldError.Invalid($"{at}.containerPort", port["containerPort"], "must match `hostPort` when `hostNetwork` is true"));
            errors.OneOf($"{at}.protocol", port.Text("protocol"), "SCTP", "TCP", "UDP");
        }
    }

    private static void Variable(JsonObject variable, string path, List<FieldError> errors)
    {
        var name = variable.Text("name") ?? "";
        errors.Require($"{path}.name", name);
        if (name.Length > 0 && !VariableName().IsMatch(name))
            errors.Add(FieldError.Invalid($"{path}.name", name, "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not "
                + "start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')"));
        if (variable.Child("valueFrom") is not { } from)
            return;
        if (from.Count == 0)
            errors.Add(FieldError.Invalid($"{path}.valueFrom", "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"));
        else if (variable.Text("value") is { Length: > 0 })
            errors.Add(FieldError.Invalid($"{path}.valueFrom", "", "may not be specified when `value` is not empty"));
        else if (from.Count > 1)
            errors.Add(FieldError.Invalid($"{path}.valueFrom", "", "may not have more than one field specified at a time"));
        foreach (var source in new[] { "configMapKeyRef", "secretKeyRef" })
        {
            if (from.Child(source) is { } reference)
                errors.Require($"{path}.valueFrom.{source}.key", reference.Text("key"));
        }

        if (from.Child("fieldRef") is not { } field)
            return;
        var wanted = field.Text("fieldPath") ?? "";
        if (wanted.Length == 0)
            errors.Add(FieldError.Required($"{path}.valueFrom.fieldRef.fieldPath"));
        else if (!Fields.Contains(wanted) && !Subscript().IsMatch(wanted))
            errors.Add(FieldError.Invalid($"{path}.valueFrom.fieldRef.fieldPath", wanted, $"error converting fieldPath: field label not supported: {wanted}"));
    }

    private static void Mounts(JsonObject container, string path, HashSet<string> volumes, List<FieldError> errors)
    {
        var places = new HashSet<string>();
        foreach (var (mount, at) in Each(container, "volumeMounts", path))
        {
            var name = mount.Text("name");
            errors.Require($"{at}.name", name);
            if (!volumes.Contains(name ?? ""))
                errors.Add(new FieldError($"{at}.name", "FieldValueNotFound", $"Not found: {Document.Show(mount["name"])}"));
            var place = mount.Text("mountPath");
            errors.Require($"{at}.mountPath", place);
            if (place is { Length: > 0 } && !places.Add(place))
                errors.Add(FieldError.Invalid($"{at}.mountPath", place, "must be unique"));
            LocalPath(mount.Text("subPath"), $"{path}.volumeMounts.subPath", errors);
        }
    }

    private static void Resources(JsonObject? resources, string path, List<FieldError> errors)
    {
        foreach (var list in new[] { "limits", "requests" })
        {
            foreach (var (name, amount) in resources.Child(list) ?? [])
            {
                var at = $"{path}.{list}[{name}]";
                if (!name.Contains('/', StringComparison.Ordinal) && !StandardResources.Contains(name) && !name.StartsWith("hugepages-", StringComparison.Ordinal))
                {
                    errors.Add(FieldError.Invalid(at, name, "must be a standard resource type or fully qualified"));
                    errors.Add(FieldError.Invalid(at, name, "must be a standard resource for containers"));
                }

                if (amount.Text()?.StartsWith('-') == true)
                    errors.Add(FieldError.Invalid(at, amount, "must be greater than or equal to 0"));
                if (list == "requests" && resources.Text("limits", name) is { } limit && Quantity.Compare(amount.Text()!, limit) > 0)
                    errors.Add(FieldError.Invalid($"{path}.requests", amount, $"must be less than or equal to {name} limit"));
            }
        }
    }

    private static void SecurityContext(JsonObject? context, string path, List<FieldError> errors)
    {
        foreach (var field in new[] { "runAsUser", "runAsGroup", "fsGroup" })
            errors.Between($"{path}.{field}", context.At(field), 0, int.MaxValue);
        if (context.Flag("privileged") && context.At("allowPrivilegeEscalation") is { } escalation && !escalation.Flag())
            errors.Add(FieldError.Invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"));
    }

    private static void Handler(JsonObject handler, string path, string[] kinds, List<FieldError> errors)
    {
        var given = kinds.Where(k => handler.Child(k) is not null).ToList();
        if (given.Count == 0)
            errors.Add(FieldError.Required(path, "must specify a handler type"));
        foreach (var further in given.Skip(1))
            errors.Add(FieldError.Forbidden($"{path}.{further}", "may not specify more than 1 handler type"));
        if (handler.Child("exec") is { } exec && !exec.Texts("command").Any())
            errors.Add(FieldError.Required($"{path}.exec.command"));
        if (handler.Child("httpGet") is { } get)
        {
            errors.Port($"{path}.httpGet.port", get["port"]);
            errors.OneOf($"{path}.httpGet.scheme", get.Text("scheme"), "HTTP", "HTTPS");
        }

        if (handler.Child("tcpSocket") is { } socket)
            errors.Port($"{path}.tcpSocket.port", socket["port"]);
    }

    [GeneratedRegex(@"^[-._a-zA-Z][-._a-zA-Z0-9]*\z")]
    private static partial Regex VariableName();

    [GeneratedRegex(@"^metadata\.(labels|annotations)\['[^']+'\]\z")]
    private static partial Regex Subscript();
}
