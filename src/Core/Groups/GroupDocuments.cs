using System.Text.Json;
using System.Text.Json.Serialization;

namespace Agents.Groups;

/// <summary>
/// Reads and writes the values in ConfigMap <c>&lt;ag&gt;</c>, which people and programs of other versions write too: what does not fit is
/// refused with a message, never guessed.
/// </summary>
public static class GroupDocuments
{
    /// <summary>Key of the members.</summary>
    public const string MembersKey = "members";

    /// <summary>Key of the note on who creates the group.</summary>
    public const string GroupKey = "group";

    /// <summary>Key of the replicas in the catalog.</summary>
    public const string ReplicasKey = "replicas";

    /// <summary>Key of the failover request.</summary>
    public const string RequestKey = "failover-request";

    /// <summary>Key of the answer to it.</summary>
    public const string ResultKey = "failover-result";

    /// <summary>Key of the primary's report on the replicas.</summary>
    public const string ReportKey = "report";

    /// <summary>Writes the members, sorted by name.</summary>
    public static string WriteMembers(IEnumerable<GroupMember> members) => JsonSerializer.Serialize(
        [.. members.OrderBy(member => member.Name, StringComparer.Ordinal)
            .Select(member => new MemberDocument(member.Name, member.Instance, member.Mode.ToName(), member.Endpoint, member.Leaving))],
        GroupJson.Default.MemberDocumentArray);

    /// <summary>Reads the members.</summary>
    /// <exception cref="InvalidDataException">The message names the key, what was found and what was expected.</exception>
    public static IReadOnlyList<GroupMember> ReadMembers(string text)
    {
        var documents = Read(text, MembersKey, GroupJson.Default.MemberDocumentArray);
        var members = new List<GroupMember>();
        foreach (var document in documents)
        {
            if (string.IsNullOrEmpty(document?.Name) || string.IsNullOrEmpty(document.Instance) || string.IsNullOrEmpty(document.Endpoint))
                throw new InvalidDataException($"key '{MembersKey}': a member lacks 'name', 'instance' or 'endpoint'");
            var mode = AvailabilityModes.Parse(document.Mode) ?? throw new InvalidDataException(
                $"key '{MembersKey}': member {document.Name} has mode '{document.Mode}', expected synchronousCommit, asynchronousCommit or configurationOnly");
            members.Add(new GroupMember(document.Name, document.Instance, mode, document.Endpoint) { Leaving = document.Leaving });
        }

        return [.. members.OrderBy(member => member.Name, StringComparer.Ordinal)];
    }

    /// <summary>Writes the server names of the replicas in the catalog.</summary>
    public static string WriteReplicas(IEnumerable<string> names) => JsonSerializer.Serialize([.. names], GroupJson.Default.StringArray);

    /// <summary>Reads the server names of the replicas in the catalog.</summary>
    /// <exception cref="InvalidDataException">The message names the key.</exception>
    public static IReadOnlyList<string> ReadReplicas(string text)
    {
        var names = Read(text, ReplicasKey, GroupJson.Default.StringArray);
        return names.All(name => !string.IsNullOrEmpty(name)) ? names : throw new InvalidDataException($"key '{ReplicasKey}' has an entry without a name");
    }

    /// <summary>Writes who creates the group.</summary>
    public static string WriteCreator(string name, DateTimeOffset at) =>
        JsonSerializer.Serialize(new CreatorDocument(name, at), GroupJson.Default.CreatorDocument);

    /// <summary>Reads who creates the group.</summary>
    /// <exception cref="InvalidDataException">The message names the key.</exception>
    public static string ReadCreator(string text) =>
        Read(text, GroupKey, GroupJson.Default.CreatorDocument).CreatedBy is { Length: > 0 } name
            ? name
            : throw new InvalidDataException($"key '{GroupKey}' lacks 'createdBy'");

    /// <summary>Writes a request.</summary>
    public static string WriteRequest(FailoverRequest request, DateTimeOffset at) => JsonSerializer.Serialize(
        new RequestDocument(request.Id, request.Target, request.AllowDataLoss, at), GroupJson.Default.RequestDocument);

    /// <summary>Reads a request.</summary>
    /// <exception cref="InvalidDataException">The message names the key.</exception>
    public static FailoverRequest ReadRequest(string text)
    {
        var document = Read(text, RequestKey, GroupJson.Default.RequestDocument);
        return document.Id is { Length: > 0 } id
            ? new FailoverRequest(id, document.Target ?? string.Empty, document.AllowDataLoss)
            : throw new InvalidDataException($"key '{RequestKey}' lacks 'id'");
    }

    /// <summary>Writes an answer.</summary>
    public static string WriteResult(FailoverResult result, DateTimeOffset at) => JsonSerializer.Serialize(
        new ResultDocument(result.Id, result.State.ToString(), result.Message, result.Primary, at), GroupJson.Default.ResultDocument);

    /// <summary>Reads an answer.</summary>
    /// <exception cref="InvalidDataException">The message names the key.</exception>
    public static FailoverResult ReadResult(string text)
    {
        var document = Read(text, ResultKey, GroupJson.Default.ResultDocument);
        return document.Id is { Length: > 0 } id && Enum.TryParse<FailoverState>(document.State, out var state) && Enum.IsDefined(state)
            ? new FailoverResult(id, state, document.Message ?? string.Empty, document.Primary)
            : throw new InvalidDataException($"key '{ResultKey}' lacks 'id' or a known 'state'");
    }

    /// <summary>Writes a report; equal reports become equal texts.</summary>
    public static string WriteReport(GroupReport report) => JsonSerializer.Serialize(
        new ReportDocument(
            report.Primary,
            [.. report.Replicas.Select(replica => new ReplicaDocument(replica.Name, replica.Mode.ToName(), replica.Connected, replica.Synchronized))]),
        GroupJson.Default.ReportDocument);

    /// <summary>Reads a report.</summary>
    /// <exception cref="InvalidDataException">The message names the key.</exception>
    public static GroupReport ReadReport(string text)
    {
        var document = Read(text, ReportKey, GroupJson.Default.ReportDocument);
        if (document.Primary is not { Length: > 0 } primary || document.Replicas is not { } replicas)
            throw new InvalidDataException($"key '{ReportKey}' lacks 'primary' or 'replicas'");
        return new GroupReport(primary,
        [
            .. replicas.Select(replica => replica?.Name is { Length: > 0 } name && AvailabilityModes.Parse(replica.Mode) is { } mode
                ? new ReplicaReport(name, mode, replica.Connected, replica.Synchronized)
                : throw new InvalidDataException($"key '{ReportKey}': a replica lacks 'name' or a known 'mode'")),
        ]);
    }

    private static T Read<T>(string text, string key, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(text, type) ?? throw new InvalidDataException($"key '{key}' is null");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"key '{key}' is not the JSON expected: {error.Message}", error);
        }
    }
}

internal sealed record MemberDocument(
    string? Name, string? Instance, string? Mode, string? Endpoint, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Leaving);

internal sealed record CreatorDocument(string? CreatedBy, DateTimeOffset At);

internal sealed record RequestDocument(string? Id, string? Target, bool AllowDataLoss, DateTimeOffset RequestedAt);

internal sealed record ResultDocument(string? Id, string? State, string? Message, string? Primary, DateTimeOffset At);

internal sealed record ReportDocument(string? Primary, IReadOnlyList<ReplicaDocument?>? Replicas);

internal sealed record ReplicaDocument(string? Name, string? Mode, bool Connected, bool Synchronized);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(MemberDocument[]))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(CreatorDocument))]
[JsonSerializable(typeof(RequestDocument))]
[JsonSerializable(typeof(ResultDocument))]
[JsonSerializable(typeof(ReportDocument))]
internal sealed partial class GroupJson : JsonSerializerContext;
