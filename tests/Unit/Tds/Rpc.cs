using System.Text;

namespace Unit.Tds;

/// <summary>Parameters of hand-made calls.</summary>
internal static class Rpc
{
    private static readonly byte[] Collation = [9, 4, 0xD0, 0, 0x34];

    public static byte[] Int(int value, string name = "") => [.. Name8(name), 0, 0x26, 4, 4, .. BitConverter.GetBytes(value)];

    public static byte[] NVarChar(string value, string name = "") =>
        [.. Name8(name), 0, 0xE7, 0x40, 0x1F, .. Collation, .. BitConverter.GetBytes((ushort)(value.Length * 2)), .. Encoding.Unicode.GetBytes(value)];

    public static byte[] Output(byte[] parameter) => Flagged(parameter, 1);

    public static byte[] Default(byte[] parameter) => Flagged(parameter, 2);

    public static byte[] Name(string name) => [.. BitConverter.GetBytes((ushort)name.Length), .. Encoding.Unicode.GetBytes(name)];

    public static Task<IReadOnlyList<RawToken>> CallAsync(this RawTdsClient client, ushort procedure, params byte[][] parameters) =>
        CallAsync(client, [0xFF, 0xFF, .. BitConverter.GetBytes(procedure)], parameters);

    public static Task<IReadOnlyList<RawToken>> CallAsync(this RawTdsClient client, string procedure, params byte[][] parameters) =>
        CallAsync(client, Name(procedure), parameters);

    private static async Task<IReadOnlyList<RawToken>> CallAsync(RawTdsClient client, byte[] procedure, byte[][] parameters)
    {
        await client.SendAsync(0x03, [.. RawTdsClient.Headers, .. procedure, 0, 0, .. parameters.SelectMany(bytes => bytes)]);
        return await client.ReceiveTokensAsync();
    }

    private static byte[] Flagged(byte[] parameter, byte flag)
    {
        var copy = parameter.ToArray();
        copy[1 + (copy[0] * 2)] |= flag;
        return copy;
    }

    private static byte[] Name8(string name) => [(byte)name.Length, .. Encoding.Unicode.GetBytes(name)];
}
