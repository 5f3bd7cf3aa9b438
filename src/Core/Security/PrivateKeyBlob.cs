using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Agents.Security;

/// <summary>
/// RSA private keys in the PVK format that <c>CREATE CERTIFICATE … WITH PRIVATE KEY (BINARY = …)</c> reads: a header, a salt and
/// a Windows PRIVATEKEYBLOB whose body is encrypted with RC4. The format is old and weak, so the password must be a strong random one
/// and the blob is handled as the secret it is.
/// </summary>
public static class PrivateKeyBlob
{
    /// <summary>Largest encrypted key that SQL Server documents to accept.</summary>
    public const int MaxLength = 2500;

    private const uint Magic = 0xB0B5F11E;
    private const int HeaderLength = 24;
    private const int ClearLength = 8;
    private const int SaltLength = 16;
    private static ReadOnlySpan<byte> BlobHeader => [0x07, 0x02, 0x00, 0x00, 0x00, 0xA4, 0x00, 0x00];

    /// <summary>Encodes a key encrypted with an ASCII password.</summary>
    public static byte[] Encode(RSAParameters key, string password) =>
        Encode(key, password, RandomNumberGenerator.GetBytes(SaltLength));

    /// <summary>Reads a key back, with or without encryption.</summary>
    /// <exception cref="CryptographicException">Not a PVK, or a wrong password.</exception>
    public static RSAParameters Decode(ReadOnlySpan<byte> pvk, string password)
    {
        if (pvk.Length < HeaderLength || BinaryPrimitives.ReadUInt32LittleEndian(pvk) != Magic)
            throw new CryptographicException("not a PVK private key");
        var encrypted = BinaryPrimitives.ReadUInt32LittleEndian(pvk[12..]);
        var saltLength = BinaryPrimitives.ReadUInt32LittleEndian(pvk[16..]);
        var keyLength = BinaryPrimitives.ReadUInt32LittleEndian(pvk[20..]);
        if (encrypted > 1 || saltLength > 1024 || keyLength > 8192 || pvk.Length != HeaderLength + saltLength + keyLength || keyLength < 20)
            throw new CryptographicException("PVK private key with unsupported or inconsistent header");
        var salt = pvk.Slice(HeaderLength, (int)saltLength);
        var blob = pvk[(HeaderLength + (int)saltLength)..].ToArray();
        if (encrypted == 1)
            Rc4(Key(salt, password), blob.AsSpan(ClearLength));
        if (!blob.AsSpan(ClearLength, 4).SequenceEqual("RSA2"u8))
            throw new CryptographicException("wrong password for the private key");
        return Parse(blob);
    }

    internal static byte[] Encode(RSAParameters key, string password, ReadOnlySpan<byte> salt)
    {
        if (!Ascii.IsValid(password) || password.Length == 0)
            throw new ArgumentException("the password of a private key must be ASCII and not empty", nameof(password));
        var blob = Build(key);
        Rc4(Key(salt, password), blob.AsSpan(ClearLength));
        var pvk = new byte[HeaderLength + salt.Length + blob.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(pvk, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(pvk.AsSpan(8), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(pvk.AsSpan(12), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(pvk.AsSpan(16), (uint)salt.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(pvk.AsSpan(20), (uint)blob.Length);
        salt.CopyTo(pvk.AsSpan(HeaderLength));
        blob.CopyTo(pvk, HeaderLength + salt.Length);
        if (pvk.Length > MaxLength)
            throw new ArgumentException($"the encrypted key has {pvk.Length} bytes; SQL Server accepts {MaxLength}", nameof(key));
        return pvk;
    }

    private static byte[] Build(RSAParameters key)
    {
        if (key.Modulus is null || key.Exponent is null || key.D is null)
            throw new ArgumentException("the key has no private part", nameof(key));
        var size = key.Modulus.Length;
        var blob = new byte[20 + (size * 2) + (size / 2 * 5)];
        BlobHeader.CopyTo(blob);
        "RSA2"u8.CopyTo(blob.AsSpan(8));
        BinaryPrimitives.WriteUInt32LittleEndian(blob.AsSpan(12), (uint)size * 8);
        Write(key.Exponent, blob.AsSpan(16, 4));
        var at = 20;
        foreach (var (number, length) in Numbers(key, size))
        {
            Write(number, blob.AsSpan(at, length));
            at += length;
        }

        return blob;
    }

    private static (byte[] Number, int Length)[] Numbers(RSAParameters key, int size) =>
    [
        (key.Modulus!, size), (key.P!, size / 2), (key.Q!, size / 2), (key.DP!, size / 2), (key.DQ!, size / 2), (key.InverseQ!, size / 2),
        (key.D!, size),
    ];

    private static RSAParameters Parse(byte[] blob)
    {
        var size = (int)(BinaryPrimitives.ReadUInt32LittleEndian(blob.AsSpan(12)) / 8);
        if (size is < 48 or > 512 || blob.Length < 20 + (size * 2) + (size / 2 * 5))
            throw new CryptographicException("private key of unsupported size");
        var at = 20;
        byte[] Take(int length)
        {
            var number = blob[at..(at + length)];
            Array.Reverse(number);
            at += length;
            return number;
        }

        var exponent = blob[16..20];
        Array.Reverse(exponent);
        return new RSAParameters
        {
            Exponent = exponent.SkipWhile(b => b == 0).ToArray(),
            Modulus = Take(size),
            P = Take(size / 2),
            Q = Take(size / 2),
            DP = Take(size / 2),
            DQ = Take(size / 2),
            InverseQ = Take(size / 2),
            D = Take(size),
        };
    }

    private static void Write(ReadOnlySpan<byte> bigEndian, Span<byte> littleEndian)
    {
        for (var i = 0; i < bigEndian.Length; i++)
            littleEndian[bigEndian.Length - 1 - i] = bigEndian[i];
    }

    private static byte[] Key(ReadOnlySpan<byte> salt, string password)
    {
        byte[] input = [.. salt, .. Encoding.ASCII.GetBytes(password)];
#pragma warning disable CA5350 // The PVK format defines SHA-1 here.
        return SHA1.HashData(input)[..16];
#pragma warning restore CA5350
    }

    private static void Rc4(ReadOnlySpan<byte> key, Span<byte> data)
    {
        Span<byte> s = stackalloc byte[256];
        for (var i = 0; i < 256; i++)
            s[i] = (byte)i;
        for (int i = 0, j = 0; i < 256; i++)
        {
            j = (j + s[i] + key[i % key.Length]) & 0xFF;
            (s[i], s[j]) = (s[j], s[i]);
        }

        int x = 0, y = 0;
        for (var n = 0; n < data.Length; n++)
        {
            x = (x + 1) & 0xFF;
            y = (y + s[x]) & 0xFF;
            (s[x], s[y]) = (s[y], s[x]);
            data[n] ^= s[(s[x] + s[y]) & 0xFF];
        }
    }
}
