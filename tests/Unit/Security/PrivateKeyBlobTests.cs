using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Agents.Security;

namespace Unit.Security;

internal sealed class PrivateKeyBlobTests
{
    private static readonly byte[] Salt = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

    [Test]
    public void A_key_survives_the_round_trip([Values(2048, 3072)] int bits)
    {
        using var rsa = RSA.Create(bits);
        var pvk = PrivateKeyBlob.Encode(rsa.ExportParameters(true), "Secret1");
        using var back = RSA.Create(PrivateKeyBlob.Decode(pvk, "Secret1"));
        byte[] data = [1, 2, 3];
        var signature = back.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        Assert.Multiple(() =>
        {
            Assert.That(rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
            Assert.That(pvk, Has.Length.LessThanOrEqualTo(PrivateKeyBlob.MaxLength));
        });
    }

    [Test]
    public void The_header_and_the_first_eight_bytes_of_the_blob_are_clear_and_the_rest_is_not()
    {
        using var rsa = RSA.Create(2048);
        var pvk = PrivateKeyBlob.Encode(rsa.ExportParameters(true), "Secret1", Salt);
        Assert.Multiple(() =>
        {
            Assert.That(Convert.ToHexString(pvk[..24]), Is.EqualTo("1EF1B5B0" + "00000000" + "01000000" + "01000000" + "10000000" + "94040000"));
            Assert.That(pvk[24..40], Is.EqualTo(Salt));
            Assert.That(Convert.ToHexString(pvk[40..48]), Is.EqualTo("0702000000A40000"));
            Assert.That(pvk[48..52], Is.Not.EqualTo("RSA2"u8.ToArray()));
        });
    }

    [Test]
    public void The_cipher_is_RC4_keyed_by_SHA1_of_salt_and_password()
    {
        using var rsa = RSA.Create(2048);
        var pvk = PrivateKeyBlob.Encode(rsa.ExportParameters(true), "Secret1", Salt);
#pragma warning disable CA5350 // The format defines SHA-1 here.
        var key = SHA1.HashData([.. Salt, .. "Secret1"u8])[..16];
#pragma warning restore CA5350
        var stream = ReferenceRc4(key, 4);
        Assert.That(pvk[48..52].Zip(stream, (a, b) => (byte)(a ^ b)).ToArray(), Is.EqualTo("RSA2"u8.ToArray()));
        Assert.That(ReferenceRc4("Key"u8.ToArray(), 4), Is.EqualTo(Convert.FromHexString("EB9F7781")), "the reference itself");
    }

    [Test]
    public void A_wrong_password_is_told_apart_from_a_broken_file()
    {
        using var rsa = RSA.Create(2048);
        var pvk = PrivateKeyBlob.Encode(rsa.ExportParameters(true), "Secret1");
        Assert.Multiple(() =>
        {
            Assert.That(() => PrivateKeyBlob.Decode(pvk, "Secret2"), Throws.InstanceOf<CryptographicException>().With.Message.Contains("password"));
            Assert.That(() => PrivateKeyBlob.Decode(pvk.AsSpan(0, pvk.Length - 1), "Secret1"), Throws.InstanceOf<CryptographicException>());
            Assert.That(() => PrivateKeyBlob.Decode([], "Secret1"), Throws.InstanceOf<CryptographicException>());
        });
    }

    [Test]
    public void A_password_that_the_format_cannot_hold_is_refused()
    {
        using var rsa = RSA.Create(2048);
        var key = rsa.ExportParameters(true);
        Assert.That(() => PrivateKeyBlob.Encode(key, "pässword"), Throws.ArgumentException);
    }

    [Test]
    public void The_mirroring_certificate_matches_its_key_and_its_dates()
    {
        var now = new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
        var made = MirroringCertificate.Create(now, new PasswordGenerator(), 2048);
        using var certificate = X509CertificateLoader.LoadCertificate(made.Certificate);
        using var key = RSA.Create(PrivateKeyBlob.Decode(made.PrivateKey, made.PrivateKeyPassword));
        Assert.Multiple(() =>
        {
            Assert.That(certificate.GetRSAPublicKey()!.ExportParameters(false).Modulus, Is.EqualTo(key.ExportParameters(false).Modulus));
            Assert.That(certificate.NotBefore.ToUniversalTime(), Is.EqualTo(now.AddDays(-1).UtcDateTime));
            Assert.That(certificate.NotAfter.ToUniversalTime(), Is.EqualTo(now.AddYears(10).UtcDateTime));
            Assert.That(made.ToString(), Does.Not.Contain(made.PrivateKeyPassword));
        });
    }

    private static byte[] ReferenceRc4(byte[] key, int length)
    {
        var s = Enumerable.Range(0, 256).ToArray();
        for (int i = 0, j = 0; i < 256; i++)
        {
            j = (j + s[i] + key[i % key.Length]) % 256;
            (s[i], s[j]) = (s[j], s[i]);
        }

        var output = new byte[length];
        for (int n = 0, i = 0, j = 0; n < length; n++)
        {
            i = (i + 1) % 256;
            j = (j + s[i]) % 256;
            (s[i], s[j]) = (s[j], s[i]);
            output[n] = (byte)s[(s[i] + s[j]) % 256];
        }

        return output;
    }
}
