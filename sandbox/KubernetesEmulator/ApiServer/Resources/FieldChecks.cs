using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KubernetesEmulator.Http;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Resources;

/// <summary>What the server demands of fields of many kinds, in its words.</summary>
internal static partial class FieldChecks
{
    public const string SubdomainText = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
        + "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
        + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

    public const string LabelText = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
        + "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

    public static void Require(this List<FieldError> errors, string path, string? text, string why = "")
    {
        if (text is null or "")
            errors.Add(FieldError.Required(path, why));
    }

    /// <summary>A name of letters, digits and hyphens, if there is one.</summary>
    public static void Label(this List<FieldError> errors, string path, string? text)
    {
        if (text is { Length: > 0 } && (text.Length > 63 || !DnsLabel().IsMatch(text)))
            errors.Add(FieldError.Invalid(path, text, LabelText));
    }

    /// <summary>Such names with dots between them, if there are any.</summary>
    public static void Subdomain(this List<FieldError> errors, string path, string? text)
    {
        if (text is { Length: > 0 } && (text.Length > 253 || !DnsSubdomain().IsMatch(text)))
            errors.Add(FieldError.Invalid(path, text, SubdomainText));
    }

    public static void LabelKey(this List<FieldError> errors, string path, string key)
    {
        var bare = key.Split('/') is [var prefix, var rest] && prefix.Length <= 253 && DnsSubdomain().IsMatch(prefix) ? rest : key;
        if (bare.Length > 63 || !QualifiedName().IsMatch(bare))
            errors.Add(FieldError.Invalid(path, key, "name part must consist of alphanumeric characters, '-', '_' or '.', and must start "
                + "and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
                + "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"));
    }

    public static bool IsLabelValue(string text) => text.Length == 0 || (text.Length <= 63 && QualifiedName().IsMatch(text));

    public static bool IsDnsLabel(string text) => DnsLabel().IsMatch(text);

    /// <summary>A number of a port, or where text is allowed, its name.</summary>
    public static void Port(this List<FieldError> errors, string path, JsonNode? port)
    {
        if (port.Text() is { } name)
            errors.PortName(path, name);
        else
            errors.Between(path, port ?? 0, 1, 65535);
    }

    public static void PortName(this List<FieldError> errors, string path, string name)
    {
        if (name.Length > 15)
            errors.Add(FieldError.Invalid(path, name, "must be no more than 15 characters"));
        else if (!PortCharacters().IsMatch(name))
            errors.Add(FieldError.Invalid(path, name, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"));
        else if (!name.Any(char.IsAsciiLetterLower))
            errors.Add(FieldError.Invalid(path, name, "must contain at least one letter (a-z)"));
        else if (name.Contains("--", StringComparison.Ordinal) || name[0] == '-' || name[^1] == '-')
            errors.Add(FieldError.Invalid(path, name, "must not contain consecutive hyphens, or begin or end with one"));
    }

    public static void Between(this List<FieldError> errors, string path, JsonNode? number, long least, long most)
    {
        if (Document.Integer(number) is { } n && (n < least || n > most))
            errors.Add(FieldError.Invalid(path, number, $"must be between {least} and {most}, inclusive"));
    }

    public static void NotNegative(this List<FieldError> errors, string path, JsonNode? number)
    {
        if (Document.Integer(number) < 0)
            errors.Add(FieldError.Invalid(path, number, "must be greater than or equal to 0"));
    }

    /// <summary>One of these texts, or none at all.</summary>
    public static void OneOf(this List<FieldError> errors, string path, string? text, params string[] supported)
    {
        if (text is { Length: > 0 } && !supported.Contains(text))
            errors.Add(FieldError.NotSupported(path, text, supported));
    }

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?\z")]
    private static partial Regex DnsLabel();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z")]
    private static partial Regex DnsSubdomain();

    [GeneratedRegex(@"^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\z")]
    private static partial Regex QualifiedName();

    [GeneratedRegex(@"^[-a-z0-9]+\z")]
    private static partial Regex PortCharacters();
}
