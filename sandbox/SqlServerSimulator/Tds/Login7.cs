using System.Buffers.Binary;
using System.Text;

namespace SqlServerSimulator.Tds;

/// <summary>A login message. Not a record: nothing may print the password.</summary>
internal sealed class Login7
{
    private const int FixedLength = 94;

    public required uint Version { get; init; }

    public required uint PacketSize { get; init; }

    public required string HostName { get; init; }

    public required string User { get; init; }

    public required string Password { get; init; }

    public required string ApplicationName { get; init; }

    public required string Database { get; init; }

    public required bool ReadOnlyIntent { get; init; }

    public required bool IntegratedSecurity { get; init; }

    /// <summary>Extensions that the client asks for.</summary>
    public required IReadOnlySet<Feature> Features { get; init; }

    public static Login7 Parse(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < FixedLength) throw new TdsProtocolException("The login message is too short.");
        var length = BinaryPrimitives.ReadUInt32LittleEndian(payload);
        if (length < FixedLength || length > (uint)payload.Length) throw new TdsProtocolException("The login message has another length than it says.");
        payload = payload[..(int)length];
        return new Login7
        {
            Version = BinaryPrimitives.ReadUInt32LittleEndian(payload[4..]),
            PacketSize = BinaryPrimitives.ReadUInt32LittleEndian(payload[8..]),
            HostName = Text(payload, 36),
            User = Text(payload, 40),
            Password = RevealPassword(Field(payload, 44, 2)),
            ApplicationName = Text(payload, 48),
            Database = Text(payload, 68),
            ReadOnlyIntent = (payload[26] & 0x20) != 0,
            IntegratedSecurity = (payload[25] & 0x80) != 0,
            Features = (payload[27] & 0x10) != 0 ? ParseFeatures(payload) : new HashSet<Feature>(),
        };
    }

    private static HashSet<Feature> ParseFeatures(ReadOnlySpan<byte> payload)
    {
        var pointer = Field(payload, 56, 1);
        if (pointer.Length < 4) throw new TdsProtocolException("The login's extension has no feature list.");
        var offset = BinaryPrimitives.ReadUInt32LittleEndian(pointer);
        if (offset > (uint)payload.Length) throw new TdsProtocolException("The login's feature list lies outside the message.");
        var features = new TdsReader(payload[(int)offset..]);
        var asked = new HashSet<Feature>();
        while (true)
        {
            var feature = (Feature)features.Byte();
            if (feature == Feature.Terminator) return asked;
            asked.Add(feature);
            var size = features.UInt32();
            if (size > (uint)features.Remaining) throw new TdsProtocolException("A login feature lies outside the message.");
            features.Take((int)size);
        }
    }

    private static string Text(ReadOnlySpan<byte> payload, int pointer) => Encoding.Unicode.GetString(Field(payload, pointer, 2));

    private static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> payload, int pointer, int unit)
    {
        int offset = BinaryPrimitives.ReadUInt16LittleEndian(payload[pointer..]);
        var size = BinaryPrimitives.ReadUInt16LittleEndian(payload[(pointer + 2)..]) * unit;
        if (size == 0) return [];
        if (offset + size > payload.Length) throw new TdsProtocolException("A login field lies outside the message.");
        return payload.Slice(offset, size);
    }

    private static string RevealPassword(ReadOnlySpan<byte> hidden)
    {
        Span<byte> clear = new byte[hidden.Length];
        for (var i = 0; i < hidden.Length; i++)
        {
            var b = (byte)(hidden[i] ^ 0xA5);
            clear[i] = (byte)((b >> 4) | (b << 4));
        }

        return Encoding.Unicode.GetString(clear);
    }
}
