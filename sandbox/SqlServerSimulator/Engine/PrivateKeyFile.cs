using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace SqlServerSimulator.Engine;

/// <summary>How the PVK files that the engine writes are encrypted. It reads both.</summary>
public enum PrivateKeyEncryption
{
    /// <summary>3DES in CBC mode, as SQL Server 2022 is seen to write.</summary>
    TripleDes,

    /// <summary>RC4, the original form.</summary>
    Rc4,
}

/// <summary>The PVK form of private keys: a header, and a PRIVATEKEYBLOB that may be encrypted under a password.</summary>
internal static class PrivateKeyFile
{
    private const uint Magic = 0xB0B5F11E;
    private const uint TripleDesMark = 0x80000001;
    private const int HeaderLength = 24;

    /// <summary>Length of the blob's beginning that stays in clear.</summary>
    private const int ClearLength = 8;

    public enum Outcome
    {
        Read,
        Malformed,
        WrongPassword,
    }

    /// <summary>Reads the key, or returns null when the data or the password is wrong.</summary>
    public static RSA? Decode(byte[] file, string? password) => Decode(file, password, out _);

    /// <summary>Reads the key, or tells why not.</summary>
    public static RSA? Decode(byte[] file, string? password, out Outcome outcome)
    {
        outcome = Outcome.Malformed;
        if (file.Length < HeaderLength || Word(file, 0) != Magic)
        {
            return null;
        }

        var encrypted = Word(file, 12);
        var saltLength = (int)Math.Min(Word(file, 16), int.MaxValue);
        var keyLength = (int)Math.Min(Word(file, 20), int.MaxValue);
        if ((long)HeaderLength + saltLength + keyLength > file.Length || keyLength < 20 || encrypted is not (0 or 1 or TripleDesMark))
        {
            return null;
        }

        var salt = file.AsSpan(HeaderLength, saltLength).ToArray();
        var blob = file.AsSpan(HeaderLength + saltLength, keyLength).ToArray();
        try
        {
            if (encrypted != 0)
            {
                outcome = Outcome.WrongPassword;
                if (password is null)
                {
                    return null;
                }

                blob = encrypted == 1
                    ? [.. blob[..ClearLength], .. Rc4(Rc4Key(salt, password), blob.AsSpan(ClearLength))]
                    : [.. blob[..ClearLength], .. TripleDes(salt, password).DecryptCbc(blob.AsSpan(ClearLength), new byte[8])];
            }

            var key = Import(blob);
            outcome = key is null ? outcome : Outcome.Read;
            return key;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>Writes the key, encrypted under the password.</summary>
    public static byte[] Encode(RSA key, string password, byte[] salt, PrivateKeyEncryption encryption = PrivateKeyEncryption.Rc4)
    {
        var clear = Export(key.ExportParameters(true));
        byte[] blob = encryption == PrivateKeyEncryption.Rc4
            ? [.. clear[..ClearLength], .. Rc4(Rc4Key(salt, password), clear.AsSpan(ClearLength))]
            : [.. clear[..ClearLength], .. TripleDes(salt, password).EncryptCbc(clear.AsSpan(ClearLength), new byte[8])];
        var file = new byte[HeaderLength + salt.Length + blob.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(file, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(8), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(12), encryption == PrivateKeyEncryption.Rc4 ? 1 : TripleDesMark);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(16), salt.Length);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(20), blob.Length);
        salt.CopyTo(file, HeaderLength);
        blob.CopyTo(file, HeaderLength + salt.Length);
        return file;
    }

    private static RSA? Import(byte[] blob)
    {
        if (blob[0] != 7 || Encoding.ASCII.GetString(blob, 8, 4) != "RSA2")
        {
            return null;
        }

        var bytes = (int)Word(blob, 12) / 8;
        var half = (bytes + 1) / 2;
        if (bytes is < 48 or > 2048 || blob.Length < 20 + (2 * bytes) + (5 * half))
        {
            return null;
        }

        var at = 20;
        byte[] Take(int count)
        {
            var part = blob.AsSpan(at, count).ToArray();
            Array.Reverse(part);
            at += count;
            return part;
        }

        var exponent = new BigInteger(Word(blob, 16)).ToByteArray(isUnsigned: true, isBigEndian: true);
        var parameters = new RSAParameters { Exponent = exponent, Modulus = Take(bytes), P = Take(half), Q = Take(half), DP = Take(half), DQ = Take(half), InverseQ = Take(half), D = Take(bytes) };
        return RSA.Create(parameters);
    }

    private static byte[] Export(RSAParameters key)
    {
        var bytes = key.Modulus!.Length;
        var half = (bytes + 1) / 2;
        var blob = new byte[20 + (2 * bytes) + (5 * half)];
        blob[0] = 7;
        blob[1] = 2;
        blob[5] = 0xA4;
        Encoding.ASCII.GetBytes("RSA2").CopyTo(blob, 8);
        BinaryPrimitives.WriteInt32LittleEndian(blob.AsSpan(12), bytes * 8);
        BinaryPrimitives.WriteUInt32LittleEndian(blob.AsSpan(16), (uint)new BigInteger(key.Exponent!, isUnsigned: true, isBigEndian: true));
        var at = 20;
        void Put(byte[] part, int length)
        {
            var little = part.Reverse().ToArray();
            little.AsSpan(0, Math.Min(length, little.Length)).CopyTo(blob.AsSpan(at));
            at += length;
        }

        Put(key.Modulus, bytes);
        Put(key.P!, half);
        Put(key.Q!, half);
        Put(key.DP!, half);
        Put(key.DQ!, half);
        Put(key.InverseQ!, half);
        Put(key.D!, bytes);
        return blob;
    }

    private static uint Word(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));

#pragma warning disable CA5350 // The format says SHA-1 and triple DES.
    private static byte[] Rc4Key(byte[] salt, string password) => SHA1.HashData([.. salt, .. Encoding.ASCII.GetBytes(password)])[..16];

    /// <summary>The hash is shorter than the key, so both its halves of HMAC kind are hashed again, as CryptDeriveKey does.</summary>
    private static TripleDES TripleDes(byte[] salt, string password)
    {
        var hash = SHA1.HashData([.. salt, .. Encoding.Unicode.GetBytes(password)]);
        byte[] Half(byte pad)
        {
            var block = Enumerable.Repeat(pad, 64).ToArray();
            for (var index = 0; index < hash.Length; index++)
            {
                block[index] ^= hash[index];
            }

            return SHA1.HashData(block);
        }

        var algorithm = TripleDES.Create();
        algorithm.Key = [.. Half(0x36), .. Half(0x5C)[..4]];
        return algorithm;
    }
#pragma warning restore CA5350

    private static byte[] Rc4(byte[] key, ReadOnlySpan<byte> data)
    {
        var result = data.ToArray();
        var state = Enumerable.Range(0, 256).Select(value => (byte)value).ToArray();
        for (int i = 0, j = 0; i < 256; i++)
        {
            j = (j + state[i] + key[i % key.Length]) & 255;
            (state[i], state[j]) = (state[j], state[i]);
        }

        for (int index = 0, i = 0, j = 0; index < result.Length; index++)
        {
            i = (i + 1) & 255;
            j = (j + state[i]) & 255;
            (state[i], state[j]) = (state[j], state[i]);
            result[index] ^= state[(state[i] + state[j]) & 255];
        }

        return result;
    }
}
