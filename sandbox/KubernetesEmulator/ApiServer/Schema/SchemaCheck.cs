using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Http;

namespace KubernetesEmulator.Schema;

/// <summary>Prunes, defaults and validates custom resources by their structural schema. Rules in CEL are not evaluated.</summary>
internal static class SchemaCheck
{
    private static readonly ConcurrentDictionary<string, Regex> Patterns = new();

    private static readonly HashSet<string> Always = ["apiVersion", "kind", "metadata"];

    /// <summary>Removes fields that the schema does not know and returns their paths.</summary>
    public static List<string> Prune(JsonObject o, JsonObject schema)
    {
        var unknown = new List<string>();
        Prune(o, schema, "", root: true, unknown);
        return unknown;
    }

    public static void Default(JsonObject o, JsonObject schema) => DefaultIn(o, schema);

    public static void Validate(JsonObject o, JsonObject schema, List<FieldError> errors)
    {
        foreach (var required in schema.Texts("required"))
        {
            if (!o.ContainsKey(required))
                errors.Add(FieldError.Required(required));
        }

        foreach (var (name, value) in o)
        {
            // Of the metadata a schema may restrict the name.
            if (name is not ("apiVersion" or "kind") && schema.Child("properties", name) is { } property)
                Validate(value, property, name, errors);
        }

        Logic(o, schema, "", errors);
    }

    private static void Prune(JsonNode? node, JsonObject? schema, string path, bool root, List<string> unknown)
    {
        if (schema is null)
            return;
        switch (node)
        {
            case JsonObject o:
                var embedded = schema.Flag("x-kubernetes-embedded-resource");
                var open = schema.Flag("x-kubernetes-preserve-unknown-fields");
                foreach (var (name, value) in o.ToArray())
                {
                    if ((root || embedded) && Always.Contains(name))
                        continue;
                    var here = path.Length == 0 ? name : $"{path}.{name}";
                    if (schema.Child("properties", name) is { } property)
                        Prune(value, property, here, false, unknown);
                    else if (schema.Child("additionalProperties") is { } additional)
                        Prune(value, additional, here, false, unknown);
                    else if (!open && !schema.Flag("additionalProperties"))
                    {
                        o.Remove(name);
                        unknown.Add(here);
                    }
                }

                break;
            case JsonArray a:
                for (var i = 0; i < a.Count; i++)
                    Prune(a[i], schema.Child("items"), $"{path}[{i}]", false, unknown);
                break;
        }
    }

    private static void DefaultIn(JsonNode? node, JsonObject? schema)
    {
        switch (node)
        {
            case JsonObject o:
                foreach (var (name, property) in schema.Child("properties") ?? [])
                {
                    if (property.Child() is { } p && p["default"] is { } value && (!o.ContainsKey(name) || (o[name] is null && !p.Flag("nullable"))))
                        o[name] = value.DeepClone();
                    if (o[name] is { } child)
                        DefaultIn(child, property as JsonObject);
                }

                if (schema.Child("additionalProperties") is { } additional)
                {
                    foreach (var (_, child) in o)
                        DefaultIn(child, additional);
                }

                break;
            case JsonArray a:
                foreach (var item in a)
                    DefaultIn(item, schema.Child("items"));
                break;
        }
    }

    private static void Validate(JsonNode? value, JsonObject schema, string path, List<FieldError> errors)
    {
        if (value is null && schema.Flag("nullable"))
            return;
        if (schema.Flag("x-kubernetes-int-or-string"))
        {
            if (Document.Integer(value) is null && value.Text() is null)
                errors.Add(TypeError(path, value, "integer,string"));
        }
        else if (schema.Text("type") is { Length: > 0 } type && !Is(value, type))
        {
            errors.Add(TypeError(path, value, type));
            return;
        }

        if (schema["enum"] is JsonArray allowed && !allowed.Any(a => Document.Same(a, value)))
            errors.Add(FieldError.NotSupported(path, value, allowed.Select(a => a.Text() ?? Document.Show(a))));
        switch (value)
        {
            case JsonObject o:
                Object(o, schema, path, errors);
                break;
            case JsonArray a:
                Array(a, schema, path, errors);
                break;
            default:
                Scalar(value, schema, path, errors);
                break;
        }

        Logic(value, schema, path, errors);
    }

    private static void Object(JsonObject o, JsonObject schema, string path, List<FieldError> errors)
    {
        foreach (var required in schema.Texts("required"))
        {
            if (!o.ContainsKey(required))
                errors.Add(FieldError.Required($"{path}.{required}"));
        }

        if (schema.Number("maxProperties") is { } most && o.Count > most)
            errors.Add(new FieldError(path, "FieldValueTooMany", $"Too many: {o.Count}: must have at most {most} items"));
        if (schema.Number("minProperties") is { } least && o.Count < least)
            errors.Add(FieldError.Invalid(path, o.Count, $"{path} in body should have at least {least} properties"));
        foreach (var (name, child) in o)
        {
            if ((schema.Child("properties", name) ?? schema.Child("additionalProperties")) is { } property)
                Validate(child, property, $"{path}.{name}", errors);
        }
    }

    private static void Array(JsonArray a, JsonObject schema, string path, List<FieldError> errors)
    {
        if (schema.Number("minItems") is { } least && a.Count < least)
            errors.Add(FieldError.Invalid(path, a.Count, $"{path} in body should have at least {least} items"));
        if (schema.Number("maxItems") is { } most && a.Count > most)
            errors.Add(new FieldError(path, "FieldValueTooMany", $"Too many: {a.Count}: must have at most {most} items"));
        var listType = schema.Text("x-kubernetes-list-type");
        var keys = schema.Texts("x-kubernetes-list-map-keys").ToList();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < a.Count; i++)
        {
            if (schema.Child("items") is { } items)
                Validate(a[i], items, $"{path}[{i}]", errors);
            var item = a[i];
            var key = listType == "map" && item is JsonObject o ? new JsonObject([.. keys.Select(k => KeyValuePair.Create(k, o[k]?.DeepClone()))]) : item;
            if ((listType is "map" or "set" || schema.Flag("uniqueItems")) && !seen.Add(Document.Show(key)))
                errors.Add(FieldError.Duplicate($"{path}[{i}]", key));
        }
    }

    private static void Scalar(JsonNode? value, JsonObject schema, string path, List<FieldError> errors)
    {
        if (value.Text() is { } text)
        {
            if (schema.Number("maxLength") is { } longest && text.Length > longest)
                errors.Add(new FieldError(path, "FieldValueTooLong", $"Too long: may not be more than {longest} bytes"));
            if (schema.Number("minLength") is { } shortest && text.Length < shortest)
                errors.Add(FieldError.Invalid(path, value, $"{path} in body should be at least {shortest} chars long"));
            if (schema.Text("pattern") is { } pattern
                && !Patterns.GetOrAdd(pattern, p => new Regex(p, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1))).IsMatch(text))
                errors.Add(FieldError.Invalid(path, value, $"{path} in body should match '{pattern}'"));
            if (schema.Text("format") is "date-time" && Document.ParseTime(text) is null)
                errors.Add(FieldError.Invalid(path, value, $"{path} in body must be of type date-time: {Document.Show(value)}"));
        }

        if (Document.Real(value) is not { } number)
            return;
        if (Document.Real(schema["minimum"]) is { } minimum && (schema.Flag("exclusiveMinimum") ? number <= minimum : number < minimum))
            errors.Add(FieldError.Invalid(path, value, $"{path} in body should be greater than {(schema.Flag("exclusiveMinimum") ? "" : "or equal to ")}{minimum}"));
        if (Document.Real(schema["maximum"]) is { } maximum && (schema.Flag("exclusiveMaximum") ? number >= maximum : number > maximum))
            errors.Add(FieldError.Invalid(path, value, $"{path} in body should be less than {(schema.Flag("exclusiveMaximum") ? "" : "or equal to ")}{maximum}"));
        if (Document.Real(schema["multipleOf"]) is { } factor && factor != 0 && Math.Abs((number / factor) - Math.Round(number / factor)) > 1e-9)
            errors.Add(FieldError.Invalid(path, value, $"{path} in body should be a multiple of {factor}"));
        if (schema.Text("format") == "int32" && number is < int.MinValue or > int.MaxValue)
            errors.Add(FieldError.Invalid(path, value, $"{path} in body must be of type int32: {Document.Show(value)}"));
    }

    private static void Logic(JsonNode? value, JsonObject schema, string path, List<FieldError> errors)
    {
        bool Holds(JsonObject s)
        {
            var inner = new List<FieldError>();
            Validate(value, s, path, inner);
            return inner.Count == 0;
        }

        foreach (var part in schema.Objects("allOf"))
            Validate(value, part, path, errors);
        if (schema.Objects("anyOf").ToList() is { Count: > 0 } any && !any.Any(Holds))
            errors.Add(FieldError.Invalid(path, "", $"{path} in body must validate at least one schema (anyOf)"));
        if (schema.Objects("oneOf").ToList() is { Count: > 0 } one && one.Count(Holds) != 1)
            errors.Add(FieldError.Invalid(path, "", $"{path} in body must validate one and only one schema (oneOf)"));
        if (schema.Child("not") is { } not && Holds(not))
            errors.Add(FieldError.Invalid(path, "", $"{path} in body must not validate the schema (not)"));
    }

    private static bool Is(JsonNode? value, string type) => type switch
    {
        "object" => value is JsonObject,
        "array" => value is JsonArray,
        "string" => value.Text() is not null,
        "boolean" => value is JsonValue v && v.TryGetValue<bool>(out _),
        "integer" => Document.Integer(value) is not null,
        "number" => Document.Real(value) is not null,
        _ => true,
    };

    private static FieldError TypeError(string path, JsonNode? value, string type)
    {
        var actual = value switch
        {
            null => "null",
            JsonObject => "object",
            JsonArray => "array",
            _ when value.Text() is not null => "string",
            _ when Document.Integer(value) is not null => "integer",
            _ when Document.Real(value) is not null => "number",
            _ => "boolean",
        };
        return new FieldError(path, "FieldValueTypeInvalid", $"Invalid value: \"{actual}\": {path} in body must be of type {type}: \"{actual}\"");
    }
}
