using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Tds;

/// <summary>What a client sends after INSERT BULK: the columns and their rows, as a server would send a result.</summary>
internal static class BulkRows
{
    public static TdsRequest Parse(ReadOnlySpan<byte> payload)
    {
        var reader = new TdsReader(payload);
        try
        {
            return Read(ref reader);
        }
        catch (UnknownTypeException e)
        {
            return new TdsRequest.Refused(new SqlError(4816, 16, 1, $"Invalid column type 0x{e.Type:X2} from bcp client."));
        }
    }

    private static TdsRequest.Load Read(ref TdsReader reader)
    {
        // A client that has no rows may send nothing but the end.
        if (reader.AtEnd || reader.Peek() == (byte)Token.Done) return new TdsRequest.Load([], []);
        if (reader.Byte() != (byte)Token.ColumnMetadata) throw new TdsProtocolException("A bulk load does not begin with its columns.");
        var columns = new SqlColumn[reader.UInt16()];
        var types = new TypeInfo[columns.Length];
        for (var i = 0; i < columns.Length; i++)
        {
            reader.UInt32();
            reader.UInt16();
            types[i] = TypeReader.Info(ref reader);

            // They name their table here, and point to their text.
            if (types[i].Token is TdsType.Text or TdsType.NText or TdsType.Image) throw new UnknownTypeException((byte)types[i].Token);
            columns[i] = new SqlColumn(reader.ShortText(), default);
        }

        var rows = new List<object?[]>();
        while (!reader.AtEnd && reader.Peek() == (byte)Token.Row)
        {
            reader.Byte();
            var row = new object?[columns.Length];
            for (var i = 0; i < row.Length; i++)
            {
                (var type, row[i]) = TypeReader.Value(ref reader, types[i]);
                columns[i] = columns[i] with { Type = type };
            }

            rows.Add(row);
        }

        if (!reader.AtEnd && reader.Byte() != (byte)Token.Done) throw new TdsProtocolException("A bulk load holds something else than rows.");
        return new TdsRequest.Load(columns, rows);
    }
}
