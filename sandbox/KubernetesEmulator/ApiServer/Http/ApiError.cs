using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Security;

namespace KubernetesEmulator.Http;

/// <summary>One field that a document got wrong.</summary>
internal sealed record FieldError(string Field, string Reason, string Message)
{
    public static FieldError Required(string field, string why = "") =>
        new(field, "FieldValueRequired", why.Length == 0 ? "Required value" : $"Required value: {why}");

    public static FieldError Invalid(string field, JsonNode? value, string why) =>
        new(field, "FieldValueInvalid", $"Invalid value: {Document.Show(value)}: {why}");

    public static FieldError Forbidden(string field, string why) => new(field, "FieldValueForbidden", $"Forbidden: {why}");

    public static FieldError Duplicate(string field, JsonNode? value) =>
        new(field, "FieldValueDuplicate", $"Duplicate value: {Document.Show(value)}");

    public static FieldError NotSupported(string field, JsonNode? value, IEnumerable<string> supported) =>
        new(field, "FieldValueNotSupported", $"Unsupported value: {Document.Show(value)}: supported values: "
            + string.Join(", ", supported.Order(StringComparer.Ordinal).Select(s => $"\"{s}\"")));

    public override string ToString() => $"{Field}: {Message}";
}

/// <summary>A refusal, carried to the client as a <c>Status</c> document.</summary>
internal sealed class ApiError(int code, string reason, string message, JsonObject? details = null) : Exception(message)
{
    public int Code { get; } = code;

    public string Reason { get; } = reason;

    /// <summary>When to ask again, in seconds, if the error says so.</summary>
    public long? RetryAfter => details.Number("retryAfterSeconds");

    public JsonObject Status()
    {
        var status = new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Failure",
            ["message"] = Message,
            ["reason"] = Reason,
            ["details"] = details?.DeepClone() ?? new JsonObject(),
            ["code"] = Code,
        };
        if (Reason.Length == 0)
            status.Remove("reason");
        return status;
    }

    public static ApiError NotFound(Resource r, string name) =>
        new(404, "NotFound", $"{r.QualifiedName} \"{name}\" not found", Details(r, name));

    public static ApiError NoSuchPath() => new(404, "NotFound", "the server could not find the requested resource");

    public static ApiError AlreadyExists(Resource r, string name) =>
        new(409, "AlreadyExists", $"{r.QualifiedName} \"{name}\" already exists", Details(r, name));

    public static ApiError Conflict(Resource r, string name, string? why = null) => new(409, "Conflict",
        $"Operation cannot be fulfilled on {r.QualifiedName} \"{name}\": "
        + (why ?? "the object has been modified; please apply your changes to the latest version and try again"), Details(r, name));

    public static ApiError Forbidden(Resource r, string name, string why) =>
        new(403, "Forbidden", $"{r.QualifiedName} \"{name}\" is forbidden: {why}", Details(r, name));

    /// <summary>What is answered to whoever may not do what he asks for.</summary>
    public static ApiError Forbidden(Identity identity, AccessRequest request, string reason)
    {
        var what = request.Path is { } path
            ? $"User \"{identity.Name}\" cannot {request.Verb} path \"{path}\""
            : $"User \"{identity.Name}\" cannot {request.Verb} resource \"{request.FullResource}\" in API group \"{request.Group}\" "
                + (request.Namespace.Length > 0 ? $"in the namespace \"{request.Namespace}\"" : "at the cluster scope");
        var resource = request.Group.Length == 0 ? request.Resource : $"{request.Resource}.{request.Group}";
        var named = (resource.Length > 0, request.Name.Length > 0) switch
        {
            (false, _) => "forbidden",
            (true, false) => $"{resource} is forbidden",
            _ => $"{resource} \"{request.Name}\" is forbidden",
        };
        var details = new JsonObject();
        foreach (var (field, value) in new[] { ("name", request.Name), ("group", request.Group), ("kind", request.Resource) })
        {
            if (value.Length > 0)
                details[field] = value;
        }

        var text = what.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);
        return new(403, "Forbidden", $"{named}: {text}{(reason.Length == 0 ? "" : $": {reason}")}", details);
    }

    /// <param name="message">What is refused.</param>
    /// <param name="retryAfter">When to ask again, in seconds; 0 leaves it open.</param>
    /// <param name="cause">Type of the cause.</param>
    /// <param name="why">Its message.</param>
    public static ApiError TooManyRequests(string message, int retryAfter, string cause, string why)
    {
        var details = new JsonObject { ["causes"] = new JsonArray(new JsonObject { ["reason"] = cause, ["message"] = why }) };
        if (retryAfter > 0)
            details["retryAfterSeconds"] = retryAfter;
        return new(429, "TooManyRequests", message, details);
    }

    public static ApiError BadRequest(string message) => new(400, "BadRequest", message);

    public static ApiError Gone(string message) => new(410, "Expired", message);

    public static ApiError MethodNotAllowed() =>
        new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");

    public static ApiError UnsupportedMediaType(string message) => new(415, "UnsupportedMediaType", message);

    public static ApiError Invalid(Resource r, string name, IReadOnlyCollection<FieldError> errors)
    {
        var details = Details(r, name);
        details["kind"] = r.Kind;
        return Invalid(r.Group.Length == 0 ? r.Kind : $"{r.Kind}.{r.Group}", name, errors, details);
    }

    /// <summary>A part of the request that is no object.</summary>
    public static ApiError Invalid(string what, IReadOnlyCollection<FieldError> errors) => Invalid(what, "", errors, []);

    private static ApiError Invalid(string what, string name, IReadOnlyCollection<FieldError> errors, JsonObject details)
    {
        var list = errors.Count == 1 ? errors.First().ToString() : $"[{string.Join(", ", errors)}]";
        details["causes"] = new JsonArray([.. errors.Select(e => new JsonObject { ["reason"] = e.Reason, ["message"] = e.Message, ["field"] = e.Field })]);
        return new(422, "Invalid", $"{what} \"{name}\" is invalid: {list}", details);
    }

    private static JsonObject Details(Resource r, string name)
    {
        var details = new JsonObject { ["kind"] = r.Plural };
        if (name.Length > 0)
            details["name"] = name;
        if (r.Group.Length > 0)
            details["group"] = r.Group;
        return details;
    }
}
