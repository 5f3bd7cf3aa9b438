using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Tds;

/// <summary>
/// Turns results into tokens. A DONE is held back until it is known whether another token follows it, because it must say so.
/// </summary>
internal sealed class ResponseWriter(PacketStream packets, ServerIdentity server, CancellationToken connection) : IResultOutput
{
    private const ushort SelectCommand = 0xC1;

    private readonly List<SqlParameterValue> outputs = [];
    private IReadOnlyList<SqlColumn> columns = [];
    private (DoneStatus Status, ushort Command, long Count)? held;
    private bool inProcedure;
    private bool procedureDone;
    private bool errorWithoutDone;
    private bool resultOpen;
    private bool databaseMessageSent;
    private int failures;
    private long transaction;
    private long lastTransaction;

    /// <summary>The open transaction as the client was told of it; 0 is none.</summary>
    public long Transaction => transaction;

    private TokenBuffer Buffer => packets.Output;

    /// <summary>Begins the response to a request.</summary>
    public void Begin(bool procedure)
    {
        inProcedure = procedure;
        held = null;
        procedureDone = errorWithoutDone = resultOpen = databaseMessageSent = false;
        failures = 0;
        outputs.Clear();
    }

    public void Columns(IReadOnlyList<SqlColumn> columns)
    {
        CloseStatement();
        this.columns = columns;
        resultOpen = true;
        Write(() =>
        {
            Buffer.Byte((byte)Token.ColumnMetadata);
            Buffer.UInt16((ushort)columns.Count);
            foreach (var column in columns)
            {
                Buffer.UInt32(0);
                Buffer.UInt16(column.Type.Nullable ? (ushort)0x09 : (ushort)0x08);
                TypeWriter.Info(Buffer, column.Type);
                Buffer.ShortText(column.Name);
            }
        });
    }

    public void Row(IReadOnlyList<object?> values)
    {
        if (values.Count != columns.Count || !resultOpen) throw new InvalidOperationException($"A row of {values.Count} values for {columns.Count} columns.");
        var begin = Buffer.Length;
        try
        {
            var bitmap = packets.NullBitmaps && IsShorterWithBitmap(values);
            Buffer.Byte((byte)(bitmap ? Token.NullBitmapRow : Token.Row));
            if (bitmap) WriteBitmap(values);
            for (var i = 0; i < values.Count; i++)
            {
                if (!bitmap || values[i] is not null) TypeWriter.Value(Buffer, columns[i].Type, values[i]);
            }
        }
        catch
        {
            Buffer.Truncate(begin);
            throw;
        }

        packets.Relieve(connection);
    }

    /// <summary>Whether an error was sent after which the connection must close.</summary>
    public bool IsFatal { get; private set; }

    public void StatementDone(long? rowCount)
    {
        Release();
        var status = rowCount is null ? DoneStatus.Final : DoneStatus.Count;
        if (errorWithoutDone) status |= DoneStatus.Error;
        held = (status, resultOpen ? SelectCommand : (ushort)0, rowCount ?? 0);
        errorWithoutDone = resultOpen = false;
    }

    public void Message(SqlError error)
    {
        // The change of database has brought its message with it.
        if (error.Number == 5701 && databaseMessageSent)
        {
            databaseMessageSent = false;
            return;
        }

        Release();
        WriteMessage(error);
        if (!error.IsError) return;
        IsFatal |= error.Severity >= 20;
        errorWithoutDone = true;
        failures++;
    }

    public void DatabaseChanged(string from, string to)
    {
        Release();
        Environment(EnvChange.Database, to, from);
        WriteMessage(new SqlError(5701, 10, 2, $"Changed database context to '{to}'."));
        databaseMessageSent = true;
    }

    public void LanguageChanged(string from, string to)
    {
        Release();
        WriteLanguage(from, to);
    }

    public void TransactionChanged(TransactionChange change)
    {
        var open = change == TransactionChange.Begun;
        if (open == (transaction != 0)) return;
        Release();
        Buffer.Byte((byte)Token.EnvChange);
        Buffer.UInt16(11);
        Buffer.Byte((byte)(change switch
        {
            TransactionChange.Begun => EnvChange.BeginTransaction,
            TransactionChange.Committed => EnvChange.CommitTransaction,
            _ => EnvChange.RollbackTransaction,
        }));
        if (open)
        {
            transaction = ++lastTransaction;
            Buffer.Byte(8);
            Buffer.Int64(transaction);
            Buffer.Byte(0);
        }
        else
        {
            Buffer.Byte(0);
            Buffer.Byte(8);
            Buffer.Int64(transaction);
            transaction = 0;
        }
    }

    public void OutputValue(SqlParameterValue parameter) => outputs.Add(parameter);

    public async Task FlushAsync()
    {
        connection.ThrowIfCancellationRequested();
        Release();
        try
        {
            await packets.FlushAsync(endOfMessage: false, connection);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            throw new OperationCanceledException("The client is gone.", e);
        }
    }

    /// <summary>Answers a request to reset the session.</summary>
    public void ResetAcknowledged()
    {
        Buffer.Byte((byte)Token.EnvChange);
        Buffer.UInt16(3);
        Buffer.Byte((byte)EnvChange.ResetAcknowledged);
        Buffer.Byte(0);
        Buffer.Byte(0);
    }

    /// <summary>Ends one call of a procedure; one that failed has no status.</summary>
    public void EndProcedure(int? status)
    {
        CloseStatement();
        if (status is { } returned)
        {
            Buffer.Byte((byte)Token.ReturnStatus);
            Buffer.Int32(returned);
        }

        foreach (var output in outputs.OrderBy(output => output.Ordinal))
        {
            Write(() =>
            {
                Buffer.Byte((byte)Token.ReturnValue);
                Buffer.UInt16((ushort)output.Ordinal);
                Buffer.ShortText(output.Name);
                Buffer.Byte(1);
                Buffer.UInt32(0);
                Buffer.UInt16(1);
                TypeWriter.Info(Buffer, output.Type);
                TypeWriter.Value(Buffer, output.Type, output.Value);
            });
        }

        outputs.Clear();
        held = (failures > 0 ? DoneStatus.Error : DoneStatus.Final, 0, 0);
        procedureDone = true;
    }

    /// <summary>
    /// Ends the response. A cancelled one ends with an error that has no message; that the attention was seen is told after it, by a message of its own.
    /// </summary>
    public void End(bool cancelled)
    {
        if (resultOpen || errorWithoutDone) StatementDone(null);
        if (inProcedure && !procedureDone)
        {
            Release();
            held = (failures > 0 ? DoneStatus.Error : DoneStatus.Final, 0, 0);
            procedureDone = true;
        }

        if (cancelled) Release();
        var (status, command, count) = held ?? (cancelled ? DoneStatus.Error : DoneStatus.Final, (ushort)0, 0L);
        held = null;
        WriteDone(procedureDone ? Token.DoneProc : Token.Done, status, command, count);
        procedureDone = false;
    }

    /// <summary>Tokens of a login that succeeded.</summary>
    public void LoginAccepted(string database, uint version, int packetSize, (string Server, ushort Port)? route, bool utf8 = false)
    {
        Environment(EnvChange.Database, database, "master");
        WriteMessage(new SqlError(5701, 10, 2, $"Changed database context to '{database}'."));
        WriteLanguage("", "us_english");

        Buffer.Byte((byte)Token.EnvChange);
        Buffer.UInt16(8);
        Buffer.Byte((byte)EnvChange.Collation);
        Buffer.Byte(5);
        Buffer.Bytes(Tds.Collation);
        Buffer.Byte(0);

        Buffer.Byte((byte)Token.LoginAck);
        var begin = Buffer.BeginLength();
        Buffer.Byte(1);
        Buffer.UInt32BigEndian(version);
        Buffer.ShortText("Microsoft SQL Server");
        Buffer.Byte(server.Major);
        Buffer.Byte(server.Minor);
        Buffer.UInt16BigEndian(server.Build);
        Buffer.EndLength(begin);

        Environment(EnvChange.PacketSize, packetSize.ToString(), Tds.DefaultPacketSize.ToString());
        if (route is { } to)
        {
            Buffer.Byte((byte)Token.EnvChange);
            begin = Buffer.BeginLength();
            Buffer.Byte((byte)EnvChange.Routing);
            Buffer.UInt16(checked((ushort)(5 + (to.Server.Length * 2))));
            Buffer.Byte(0);
            Buffer.UInt16(to.Port);
            Buffer.LongText(to.Server);
            Buffer.UInt16(0);
            Buffer.EndLength(begin);
        }

        if (utf8)
        {
            Buffer.Byte((byte)Token.FeatureExtensionAck);
            Buffer.Byte((byte)Feature.Utf8Support);
            Buffer.UInt32(1);
            Buffer.Byte(1);
            Buffer.Byte((byte)Feature.Terminator);
        }

        WriteDone(Token.Done, DoneStatus.Final, 0, 0);
    }

    /// <summary>Tokens of a failure that ends the connection.</summary>
    public void Failed(IEnumerable<SqlError> errors)
    {
        foreach (var error in errors) WriteMessage(error);
        WriteDone(Token.Done, DoneStatus.Error, 0, 0);
    }

    /// <summary>The only answer to an attention that found nothing to stop.</summary>
    public void AttentionAcknowledged() => WriteDone(Token.Done, DoneStatus.Attention, 0, 0);

    /// <summary>A result or an error that nobody ended gets its DONE.</summary>
    private void CloseStatement()
    {
        if (resultOpen || errorWithoutDone) StatementDone(null);
        Release();
    }

    private void Release()
    {
        databaseMessageSent = false;
        if (held is not { } done) return;
        held = null;
        WriteDone(procedureDone ? Token.DoneProc : inProcedure ? Token.DoneInProc : Token.Done, done.Status | DoneStatus.More, done.Command, done.Count);
        procedureDone = false;
    }

    private void WriteDone(Token token, DoneStatus status, ushort command, long count)
    {
        if (transaction != 0) status |= DoneStatus.InTransaction;
        Buffer.Byte((byte)token);
        Buffer.UInt16((ushort)status);
        Buffer.UInt16(command);
        Buffer.Int64(count);
    }

    private void WriteMessage(SqlError error)
    {
        Buffer.Byte((byte)(error.IsError ? Token.Error : Token.Info));
        var begin = Buffer.BeginLength();
        Buffer.Int32(error.Number);
        Buffer.Byte(error.State);
        // Clients are told of severity 10 as 0.
        Buffer.Byte(error.Severity == 10 ? (byte)0 : error.Severity);
        // A token's length has two bytes; the text is what may be too long for it.
        Buffer.LongText(error.Message, 30_000);
        Buffer.ShortText(server.ServerName);
        Buffer.ShortText(error.Procedure);
        Buffer.Int32(error.Line);
        Buffer.EndLength(begin);
    }

    private void WriteLanguage(string from, string to)
    {
        Environment(EnvChange.Language, to, from);
        WriteMessage(new SqlError(5703, 10, 1, $"Changed language setting to {to}."));
    }

    private void Environment(EnvChange type, string now, string before)
    {
        Buffer.Byte((byte)Token.EnvChange);
        var begin = Buffer.BeginLength();
        Buffer.Byte((byte)type);
        Buffer.ShortText(now);
        Buffer.ShortText(before);
        Buffer.EndLength(begin);
    }

    private bool IsShorterWithBitmap(IReadOnlyList<object?> values)
    {
        var saved = 0;
        for (var i = 0; i < values.Count; i++)
        {
            if (values[i] is null) saved += TypeWriter.NullSize(columns[i].Type);
        }

        return saved > (values.Count + 7) / 8;
    }

    private void WriteBitmap(IReadOnlyList<object?> values)
    {
        var bits = Buffer.Take((values.Count + 7) / 8);
        bits.Clear();
        for (var i = 0; i < values.Count; i++)
        {
            if (values[i] is null) bits[i / 8] |= (byte)(1 << (i % 8));
        }
    }

    /// <summary>Writes a token whole or not at all.</summary>
    private void Write(Action token)
    {
        var begin = Buffer.Length;
        try
        {
            token();
        }
        catch
        {
            Buffer.Truncate(begin);
            throw;
        }
    }
}
