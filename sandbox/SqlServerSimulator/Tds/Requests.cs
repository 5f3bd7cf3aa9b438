using System.Text;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Tds;

/// <summary>A request, read to its end.</summary>
internal abstract record TdsRequest
{
    public sealed record Batch(string Text) : TdsRequest;

    public sealed record Calls(IReadOnlyList<RpcCall> List) : TdsRequest;

    public sealed record Transaction(TransactionRequest Request, bool ThenBegin) : TdsRequest;

    /// <summary>Understood, and declined with an error.</summary>
    public sealed record Refused(SqlError Error) : TdsRequest;

    public static TdsRequest Parse(TdsMessage message) => message.Type switch
    {
        PacketType.SqlBatch => ParseBatch(message.Payload.Span),
        PacketType.Rpc => ParseCalls(message.Payload.Span),
        PacketType.TransactionManager => ParseTransaction(message.Payload.Span),
        PacketType.BulkLoad => new Refused(new SqlError(4804, 16, 1, "Bulk load requests are not supported by this server.")),
        _ => throw new TdsProtocolException("A message of this type cannot come after the login."),
    };

    private static Batch ParseBatch(ReadOnlySpan<byte> payload)
    {
        var reader = new TdsReader(payload);
        reader.SkipAllHeaders();
        if (reader.Remaining % 2 != 0) throw new TdsProtocolException("A batch has half a character.");
        return new Batch(reader.Utf16(reader.Remaining / 2));
    }

    private static TdsRequest ParseTransaction(ReadOnlySpan<byte> payload)
    {
        var reader = new TdsReader(payload);
        reader.SkipAllHeaders();
        var type = reader.UInt16();
        switch (type)
        {
            case 5:
                reader.Byte();
                reader.Take(reader.Byte());
                return new Transaction(TransactionRequest.Begin, false);
            case 7 or 8:
                reader.Take(reader.Byte());
                var thenBegin = (reader.Byte() & 1) != 0;
                return new Transaction(type == 7 ? TransactionRequest.Commit : TransactionRequest.Rollback, thenBegin);
            default:
                return new Refused(new SqlError(8522, 16, 1, "Distributed transactions and save points by the transaction manager are not supported by this server."));
        }
    }

    private static TdsRequest ParseCalls(ReadOnlySpan<byte> payload)
    {
        var reader = new TdsReader(payload);
        reader.SkipAllHeaders();
        var calls = new List<RpcCall>();
        var position = 0;
        var name = "";
        try
        {
            do
            {
                var length = reader.UInt16();
                var procedure = length == ushort.MaxValue ? RpcCall.NameOf(reader.UInt16()) : reader.Utf16(length);
                reader.UInt16();
                var parameters = new List<SqlParameterValue>();
                while (!reader.AtEnd && reader.Peek() < 0x80)
                {
                    position = parameters.Count + 1;
                    name = reader.ShortText();
                    var status = reader.Byte();
                    var (type, value) = TypeReader.Parameter(ref reader);
                    parameters.Add(new SqlParameterValue(name, type, value, (status & 1) != 0));
                }

                calls.Add(new RpcCall(procedure, parameters));
                if (!reader.AtEnd) reader.Byte();
            }
            while (!reader.AtEnd);
        }
        catch (UnknownTypeException e)
        {
            return new Refused(new SqlError(
                8009,
                16,
                1,
                $"The incoming tabular data stream (TDS) remote procedure call (RPC) protocol stream is incorrect. Parameter {position} (\"{name}\"): Data type 0x{e.Type:X2} is unknown."));
        }

        return new Calls(calls);
    }
}

/// <summary>One remote procedure call.</summary>
internal sealed record RpcCall(string Procedure, IReadOnlyList<SqlParameterValue> Parameters)
{
    private static readonly string[] WellKnown =
    [
        "", "sp_cursor", "sp_cursoropen", "sp_cursorprepare", "sp_cursorexecute", "sp_cursorprepexec", "sp_cursorunprepare", "sp_cursorfetch",
        "sp_cursoroption", "sp_cursorclose", "sp_executesql", "sp_prepare", "sp_execute", "sp_prepexec", "sp_prepexecrpc", "sp_unprepare",
    ];

    public static string NameOf(ushort id) =>
        id > 0 && id < WellKnown.Length ? WellKnown[id] : throw new TdsProtocolException("A call names a procedure number that does not exist.");
}

/// <summary>The names in a declaration such as "@p1 int, @p2 nvarchar(40) output".</summary>
internal static class ParameterDeclarations
{
    public static IReadOnlyList<string> Names(string declarations)
    {
        var names = new List<string>();
        foreach (var part in Split(declarations))
        {
            var text = part.TrimStart();
            if (text.Length == 0 || text[0] != '@') continue;
            var end = 1;
            while (end < text.Length && !char.IsWhiteSpace(text[end]) && text[end] != '(' && text[end] != '=') end++;
            names.Add(text[..end]);
        }

        return names;
    }

    /// <summary>The values of a call, each with its declared name; null with the name of the first one missing.</summary>
    public static (IReadOnlyList<SqlParameterValue>? Values, string Missing) Bind(string declarations, IReadOnlyList<SqlParameterValue> values)
    {
        var names = Names(declarations);
        var bound = new List<SqlParameterValue>(values.Count);
        for (var i = 0; i < values.Count; i++)
            bound.Add(values[i].Name.Length > 0 || i >= names.Count ? values[i] : values[i] with { Name = names[i] });
        foreach (var name in names)
            if (!bound.Exists(value => value.Name.Equals(name, StringComparison.OrdinalIgnoreCase))) return (null, name);
        return (bound, "");
    }

    private static IEnumerable<string> Split(string text)
    {
        var part = new StringBuilder();
        var depth = 0;
        foreach (var c in text)
        {
            if (c == '(') depth++;
            if (c == ')') depth--;
            if (c == ',' && depth == 0)
            {
                yield return part.ToString();
                part.Clear();
            }
            else part.Append(c);
        }

        yield return part.ToString();
    }
}
