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

    public static IReadOnlyList<RawToken> Parse(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes), Encoding.Unicode);
        var tokens = new List<RawToken>();
        var columns = new List<Column>();
        while (reader.BaseStream.Position < bytes.Length)
        {
            var type = reader.ReadByte();
            switch (type)
            {
                case 0x81:
                    columns = [.. Enumerable.Range(0, reader.ReadUInt16()).Select(_ => Column.Read(reader, named: true))];
                    tokens.Add(new RawToken(type) { Text = string.Join(',', columns.Select(column => column.Name)) });
                    break;
                case 0xD1:
                    tokens.Add(new RawToken(type) { Values = [.. columns.Select(column => column.Value(reader))] });
                    break;
                case 0x79:
                    tokens.Add(new RawToken(type) { Number = reader.ReadInt32() });
                    break;
                case 0xAC:
                    var ordinal = reader.ReadUInt16();
                    var name = ShortText(reader);
                    reader.ReadByte();
                    var output = Column.Read(reader, named: false);
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
        0xD1 => "row " + string.Join(',', Values.Select(value => Convert.ToString(value, CultureInfo.InvariantCulture) is { Length: > 0 } text ? text : "-")),
        0x79 => $"return {Number}",
        0xAC => $"output {Text}={Values[0] ?? "-"}",
        0xFD or 0xFE or 0xFF => (Type == 0xFD ? "done" : Type == 0xFE ? "doneproc" : "doneinproc") + Flags() + ((Status & 0x10) != 0 ? $" {Count}" : ""),
        0xAA => $"error {Number}",
        0xAB => $"info {Number}",
        0xE3 => $"env {Number}",
        0xAD => "loginack",
        _ => "?",
    };

    private string Flags() =>
        ((Status & 1) != 0 ? " more" : "") + ((Status & 2) != 0 ? " failed" : "") + ((Status & 4) != 0 ? " intran" : "") + ((Status & 0x20) != 0 ? " attention" : "");

    private static string ShortText(BinaryReader reader) => Encoding.Unicode.GetString(reader.ReadBytes(reader.ReadByte() * 2));

    private sealed record Column(byte Type, int Length, byte Precision, byte Scale, string Name)
    {
        public static Column Read(BinaryReader reader, bool named)
        {
            reader.ReadUInt32();
            reader.ReadUInt16();
            var type = reader.ReadByte();
            var length = 0;
            byte precision = 0, scale = 0;
            switch (type)
            {
                case 0x24 or 0x26 or 0x68 or 0x6D or 0x6F: length = reader.ReadByte(); break;
                case 0x2A: scale = reader.ReadByte(); break;
                case 0x6C:
                    length = reader.ReadByte();
                    precision = reader.ReadByte();
                    scale = reader.ReadByte();
                    break;
                case 0xA7 or 0xAF or 0xE7 or 0xEF:
                    length = reader.ReadUInt16();
                    Assert.That(reader.ReadBytes(5), Is.EqualTo(new byte[] { 0x09, 0x04, 0xD0, 0x00, 0x34 }));
                    break;
                case 0xA5: length = reader.ReadUInt16(); break;
                case 0x62: length = reader.ReadInt32(); break;
                default: throw new InvalidDataException($"Type 0x{type:X2}.");
            }

            return new Column(type, length, precision, scale, named ? ShortText(reader) : "");
        }

        public object? Value(BinaryReader reader)
        {
            switch (Type)
            {
                case 0x62: return reader.ReadInt32() is var total and > 0 ? Convert.ToHexString(reader.ReadBytes(total)) : null;
                case 0xA7 or 0xE7 or 0xA5 when Length == 0xFFFF:
                    if (reader.ReadInt64() == -1) return null;
                    var all = new List<byte>();
                    for (var chunk = reader.ReadInt32(); chunk > 0; chunk = reader.ReadInt32()) all.AddRange(reader.ReadBytes(chunk));
                    return Decode([.. all]);
                case 0xA7 or 0xAF or 0xE7 or 0xEF or 0xA5:
                    int length = reader.ReadUInt16();
                    return length == 0xFFFF ? null : Decode(reader.ReadBytes(length));
                default:
                    int size = reader.ReadByte();
                    return size == 0 ? null : Decode(reader.ReadBytes(size));
            }
        }

        private object Decode(byte[] bytes) => Type switch
        {
            0x26 => bytes.Length switch { 1 => bytes[0], 2 => BitConverter.ToInt16(bytes), 4 => BitConverter.ToInt32(bytes), _ => BitConverter.ToInt64(bytes) },
            0x68 => bytes[0] == 1,
            0x6D => BitConverter.ToDouble(bytes),
            0x24 => new Guid(bytes),
            0xE7 or 0xEF => Encoding.Unicode.GetString(bytes),
            0xA7 or 0xAF => Encoding.Latin1.GetString(bytes),
            _ => Convert.ToHexString(bytes),
        };
    }
}
