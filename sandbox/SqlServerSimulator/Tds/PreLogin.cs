using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Tds;

internal enum EncryptionOption : byte
{
    Off = 0,
    On = 1,
    NotSupported = 2,
    Required = 3,
}

/// <summary>What a client says before it logs in.</summary>
internal sealed record PreLogin(EncryptionOption Encryption, bool AsksFederatedAuthentication)
{
    public static PreLogin Parse(ReadOnlySpan<byte> payload)
    {
        var encryption = EncryptionOption.NotSupported;
        var federated = false;
        var reader = new TdsReader(payload);
        while (true)
        {
            var option = reader.Byte();
            if (option == 0xFF) return new PreLogin(encryption, federated);
            int offset = reader.UInt16BigEndian();
            int length = reader.UInt16BigEndian();
            if (offset + length > payload.Length) throw new TdsProtocolException("A PRELOGIN option lies outside its message.");
            switch (option)
            {
                case 1 when length == 0: throw new TdsProtocolException("The PRELOGIN encryption option is empty.");
                // Higher bits ask for client certificates, which nobody here uses.
                case 1: encryption = (EncryptionOption)(payload[offset] & 0x03); break;
                case 6: federated = true; break;
            }
        }
    }

    /// <summary>The server's side of the negotiation; null when the client cannot be served.</summary>
    public static EncryptionOption Negotiate(EncryptionOption client, TdsEncryption server) => (client, server) switch
    {
        (EncryptionOption.Off or EncryptionOption.NotSupported, TdsEncryption.Required) => EncryptionOption.Required,
        (_, TdsEncryption.NotSupported) => EncryptionOption.NotSupported,
        (EncryptionOption.Off, _) => EncryptionOption.Off,
        (EncryptionOption.NotSupported, _) => EncryptionOption.NotSupported,
        _ => EncryptionOption.On,
    };

    public static void WriteReply(TokenBuffer buffer, ServerIdentity server, EncryptionOption encryption, bool federated)
    {
        ReadOnlySpan<(byte Option, int Length)> options = federated ? [(0, 6), (1, 1), (2, 1), (3, 0), (4, 1), (6, 1)] : [(0, 6), (1, 1), (2, 1), (3, 0), (4, 1)];
        var offset = (options.Length * 5) + 1;
        foreach (var (option, length) in options)
        {
            buffer.Byte(option);
            buffer.UInt16BigEndian((ushort)offset);
            buffer.UInt16BigEndian((ushort)length);
            offset += length;
        }

        buffer.Byte(0xFF);
        buffer.Byte(server.Major);
        buffer.Byte(server.Minor);
        buffer.UInt16BigEndian(server.Build);
        buffer.UInt16(0);
        buffer.Byte((byte)encryption);
        // The instance name is not checked, no MARS, and no federated authentication.
        buffer.Byte(0);
        buffer.Byte(0);
        if (federated) buffer.Byte(0);
    }
}
