namespace SqlServerSimulator.Tds;

internal enum PacketType : byte
{
    SqlBatch = 0x01,
    Rpc = 0x03,
    Response = 0x04,
    Attention = 0x06,
    BulkLoad = 0x07,
    TransactionManager = 0x0E,
    Login7 = 0x10,
    Sspi = 0x11,
    PreLogin = 0x12,
}

[Flags]
internal enum PacketStatus : byte
{
    None = 0,
    EndOfMessage = 0x01,
    Ignore = 0x02,
    ResetConnection = 0x08,
    ResetConnectionSkipTransaction = 0x10,
}

internal enum Token : byte
{
    ReturnStatus = 0x79,
    ColumnMetadata = 0x81,
    Error = 0xAA,
    Info = 0xAB,
    ReturnValue = 0xAC,
    LoginAck = 0xAD,
    FeatureExtensionAck = 0xAE,
    Row = 0xD1,
    NullBitmapRow = 0xD2,
    EnvChange = 0xE3,
    Done = 0xFD,
    DoneProc = 0xFE,
    DoneInProc = 0xFF,
}

[Flags]
internal enum DoneStatus : ushort
{
    Final = 0,
    More = 0x01,
    Error = 0x02,
    InTransaction = 0x04,
    Count = 0x10,
    Attention = 0x20,
}

internal enum EnvChange : byte
{
    Database = 1,
    Language = 2,
    PacketSize = 4,
    Collation = 7,
    BeginTransaction = 8,
    CommitTransaction = 9,
    RollbackTransaction = 10,
    ResetAcknowledged = 18,
    Routing = 20,
}

/// <summary>Extensions that a login may ask for and that mean something here.</summary>
internal enum Feature : byte
{
    FederatedAuthentication = 0x02,
    Utf8Support = 0x0A,
    Terminator = 0xFF,
}

internal enum TdsType : byte
{
    Null = 0x1F,
    Image = 0x22,
    Text = 0x23,
    Guid = 0x24,
    LegacyVarBinary = 0x25,
    IntN = 0x26,
    LegacyVarChar = 0x27,
    Date = 0x28,
    Time = 0x29,
    DateTime2 = 0x2A,
    DateTimeOffset = 0x2B,
    LegacyBinary = 0x2D,
    LegacyChar = 0x2F,
    Int1 = 0x30,
    Bit = 0x32,
    Int2 = 0x34,
    LegacyDecimal = 0x37,
    Int4 = 0x38,
    SmallDateTime = 0x3A,
    Real = 0x3B,
    Money = 0x3C,
    DateTime = 0x3D,
    Float = 0x3E,
    LegacyNumeric = 0x3F,
    Variant = 0x62,
    NText = 0x63,
    BitN = 0x68,
    DecimalN = 0x6A,
    NumericN = 0x6C,
    FloatN = 0x6D,
    MoneyN = 0x6E,
    DateTimeN = 0x6F,
    SmallMoney = 0x7A,
    Int8 = 0x7F,
    VarBinary = 0xA5,
    VarChar = 0xA7,
    Binary = 0xAD,
    Char = 0xAF,
    NVarChar = 0xE7,
    NChar = 0xEF,
    Udt = 0xF0,
    Xml = 0xF1,
    Table = 0xF3,
}

internal static class Tds
{
    public const int HeaderSize = 8;
    public const int DefaultPacketSize = 4096;
    public const int LargestPacketSize = 32767;
    public const uint Version72 = 0x72090002;
    public const uint Version73B = 0x730B0003;
    public const uint Version74 = 0x74000004;
    public const uint Version80 = 0x08000000;

    /// <summary>SQL_Latin1_General_CP1_CI_AS.</summary>
    public static ReadOnlySpan<byte> Collation => [0x09, 0x04, 0xD0, 0x00, 0x34];
}

/// <summary>The client broke the protocol: the connection cannot go on.</summary>
internal sealed class TdsProtocolException(string message) : Exception(message);
