using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Tds;

/// <summary>A request, read to its end.</summary>
internal abstract record TdsRequest
{
    /// <summary>The transaction in which the client believes itself to be.</summary>
    public long Transaction { get; private init; }

    public sealed record Batch(string Text) : TdsRequest;

    public sealed record Calls(IReadOnlyList<RpcCall> List) : TdsRequest;

    /// <param name="Request">What to do.</param>
    /// <param name="Name">Name of the transaction or save point, or null.</param>
    /// <param name="Next">The transaction to begin after it.</param>
    public sealed record TransactionManager(TransactionRequest Request, string? Name, TransactionManager? Next = null) : TdsRequest;

    /// <summary>Rows for the INSERT BULK before it.</summary>
    public sealed record Load(IReadOnlyList<SqlColumn> Columns, IReadOnlyList<object?[]> Rows) : TdsRequest;

    /// <summary>Understood, and declined with an error.</summary>
    public sealed record Refused(SqlError Error) : TdsRequest;

    public static TdsRequest Parse(TdsMessage message)
    {
        try
        {
            return message.Type switch
            {
                PacketType.SqlBatch => ParseBatch(message.Payload.Span),
                PacketType.Rpc => ParseCalls(message.Payload.Span),
                PacketType.TransactionManager => ParseTransactionManager(message.Payload.Span),
                PacketType.BulkLoad => BulkRows.Parse(message.Payload.Span),
                _ => throw new TdsProtocolException("A message of this type cannot come after the login."),
            };
        }
        catch (SqlErrorException e)
        {
            return new Refused(e.Error);
        }
    }

    private static Batch ParseBatch(ReadOnlySpan<byte> payload)
    {
        var reader = new TdsReader(payload);
        var transaction = reader.AllHeaders();
        if (reader.Remaining % 2 != 0) throw new TdsProtocolException("A batch has half a character.");
        return new Batch(reader.Utf16(reader.Remaining / 2)) { Transaction = transaction };
    }

    private static TransactionManager ParseTransactionManager(ReadOnlySpan<byte> payload)
    {
        var reader = new TdsReader(payload);
        var transaction = reader.AllHeaders();
        var request = reader.UInt16() switch
        {
            5 => ParseBegin(ref reader),
            7 => ParseEnd(TransactionRequest.Commit, ref reader),
            8 => ParseEnd(TransactionRequest.Rollback, ref reader),
            9 => new TransactionManager(
                TransactionRequest.Save, ParseTransactionName(ref reader) ?? throw new TdsProtocolException("A save point has no name.")),
            _ => throw new SqlErrorException(8522, 16, "Distributed transactions are not supported by this server."),
        };
        return request with { Transaction = transaction };
    }

    private static TransactionManager ParseBegin(ref TdsReader reader)
    {
        // How strictly transactions are kept apart makes no difference here, but for snapshots.
        var isolation = reader.Byte();
        var name = ParseTransactionName(ref reader);
        return isolation switch
        {
            <= 4 => new TransactionManager(TransactionRequest.Begin, name),
            5 => throw new SqlErrorException(50505, 16, "SNAPSHOT isolation is not simulated."),
            _ => throw new TdsProtocolException("A transaction has an isolation level that does not exist."),
        };
    }

    private static TransactionManager ParseEnd(TransactionRequest request, ref TdsReader reader)
    {
        var name = ParseTransactionName(ref reader);
        return new TransactionManager(request, name, (reader.Byte() & 1) != 0 ? ParseBegin(ref reader) : null);
    }

    private static string? ParseTransactionName(ref TdsReader reader)
    {
        int length = reader.Byte();
        if (length % 2 != 0) throw new TdsProtocolException("A transaction's name has half a character.");
        return length == 0 ? null : reader.Utf16(length / 2);
    }

    private static TdsRequest ParseCalls(ReadOnlySpan<byte> payload)
    {
        var reader = new TdsReader(payload);
        var transaction = reader.AllHeaders();
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
                    parameters.Add(new SqlParameterValue(name, type, value, (status & 1) != 0) { Default = (status & 2) != 0, Ordinal = parameters.Count });
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

        return new Calls(calls) { Transaction = transaction };
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
