using System.Globalization;
using System.Text;

namespace Unit.Tds;

/// <summary>A token as a client reads it, written independently of the server's code.</summary>
internal sealed record RawToken(byte Type)
{
    public int Number { get; init; }

    public int Status { get; init; }

    public long Count { get; init; }

    public string Text { get; init; } = "";

    public IReadOnlyList<object?> Values { get; init; } = [];

    public IReadOnlyList<RawColumn> Columns { get; init; } = [];

    public static IReadOnlyList<RawToken> Parse(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes), Encoding.Unicode);
        var tokens = new List<RawToken>();
        var columns = new List<RawColumn>();
        while (reader.BaseStream.Position < bytes.Length)
        {
            var type = reader.ReadByte();
            switch (type)
            {
                case 0x81:
                    columns = [.. Enumerable.Range(0, reader.ReadUInt16()).Select(_ => RawColumn.Read(reader, named: true))];
                    tokens.Add(new RawToken(type) { Text = string.Join(',', columns.Select(column => column.Name)), Columns = columns });
                    break;
                case 0xD1:
                    tokens.Add(new RawToken(type) { Values = [.. columns.Select(column => column.Value(reader))] });
                    break;
                case 0xD2:
                    var nulls = reader.ReadBytes((columns.Count + 7) / 8);
                    tokens.Add(new RawToken(type) { Values = [.. columns.Select((column, i) => (nulls[i / 8] >> (i % 8) & 1) != 0 ? null : column.Value(reader))] });
                    break;
                case 0x79:
                    tokens.Add(new RawToken(type) { Number = reader.ReadInt32() });
                    break;
                case 0xAC:
                    var ordinal = reader.ReadUInt16();
                    var name = ShortText(reader);
                    reader.ReadByte();
                    var output = RawColumn.Read(reader, named: false);
                    tokens.Add(new RawToken(type) { Number = ordinal, Text = name, Values = [output.Value(reader)] });
                    break;
                case 0xFD or 0xFE or 0xFF:
                    tokens.Add(new RawToken(type) { Status = reader.ReadUInt16(), Number = reader.ReadUInt16(), Count = reader.ReadInt64() });
                    break;
                case 0xAA or 0xAB:
                    reader.ReadUInt16();
                    var number = reader.ReadInt32();
                    int state = reader.ReadByte();
                    reader.ReadByte();
                    tokens.Add(new RawToken(type) { Number = number, Status = state, Text = Encoding.Unicode.GetString(reader.ReadBytes(reader.ReadUInt16() * 2)) });
                    ShortText(reader);
                    ShortText(reader);
                    reader.ReadInt32();
                    break;
                case 0xE3:
                    var change = reader.ReadBytes(reader.ReadUInt16());
                    tokens.Add(new RawToken(type) { Number = change[0], Text = Convert.ToHexString(change.AsSpan(1)) });
                    break;
                case 0xAE:
                    var features = new List<byte>();
                    for (var feature = reader.ReadByte(); feature != 0xFF; feature = reader.ReadByte())
                    {
                        features.Add(feature);
                        reader.ReadBytes(reader.ReadInt32());
                    }

                    tokens.Add(new RawToken(type) { Text = Convert.ToHexString([.. features]) });
                    break;
                case 0xAD:
                    tokens.Add(new RawToken(type) { Text = Convert.ToHexString(reader.ReadBytes(reader.ReadUInt16())) });
                    break;
                default: throw new InvalidDataException($"Token 0x{type:X2} at {reader.BaseStream.Position - 1}.");
            }
        }

        return tokens;
    }

    /// <summary>A line that shows what matters of a token, for whole responses in one assertion.</summary>
    public override string ToString() => Type switch
    {
        0x81 => $"columns {Text}",
        0xD1 or 0xD2 => "row " + string.Join(',', Values.Select(value => Convert.ToString(value, CultureInfo.InvariantCulture) is { Length: > 0 } text ? text : "-")),
        0x79 => $"return {Number}",
        0xAC => $"output {Text}={Values[0] ?? "-"}",
        0xFD or 0xFE or 0xFF => (Type == 0xFD ? "done" : Type == 0xFE ? "doneproc" : "doneinproc") + Flags() + ((Status & 0x10) != 0 ? $" {Count}" : ""),
        0xAA => $"error {Number}",
        0xAB => $"info {Number}",
        0xE3 => $"env {Number}",
        0xAD => "loginack",
        0xAE => $"features {Text}",
        _ => "?",
    };

    private string Flags() =>
        ((Status & 1) != 0 ? " more" : "") + ((Status & 2) != 0 ? " failed" : "") + ((Status & 4) != 0 ? " intran" : "") + ((Status & 0x20) != 0 ? " attention" : "");

    private static string ShortText(BinaryReader reader) => Encoding.Unicode.GetString(reader.ReadBytes(reader.ReadByte() * 2));
}
