using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace SqlServerSimulator.Hosting;

/// <summary>
/// Both sides of a mirroring connection prove that they hold the private key of the certificate they show, by signing the other's random challenge
/// together with their part in the connection. Whether that certificate may connect is for the instance to say.
/// </summary>
internal static class MirroringHandshake
{
    private const int ChallengeLength = 32;
    private const int LargestFrame = 64 * 1024;

    public static async Task<byte[]> RunAsync(
        Stream stream, bool dialled, (byte[] Certificate, byte[] PrivateKey) own, DateTime utcNow, CancellationToken cancellationToken)
    {
        var challenge = RandomNumberGenerator.GetBytes(ChallengeLength);
        await WriteAsync(stream, challenge, cancellationToken).ConfigureAwait(false);
        await WriteAsync(stream, own.Certificate, cancellationToken).ConfigureAwait(false);
        var theirChallenge = await ReadFrameAsync(stream, LargestFrame, cancellationToken).ConfigureAwait(false);
        var theirCertificate = await ReadFrameAsync(stream, LargestFrame, cancellationToken).ConfigureAwait(false);
        if (theirChallenge.Length != ChallengeLength)
            throw new InvalidDataException("The peer's challenge has the wrong length.");

        using var key = RSA.Create();
        key.ImportPkcs8PrivateKey(own.PrivateKey, out _);
        await WriteAsync(
            stream, key.SignData(Proof(theirChallenge, dialled), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), cancellationToken).ConfigureAwait(false);
        var signature = await ReadFrameAsync(stream, LargestFrame, cancellationToken).ConfigureAwait(false);

        using var certificate = X509CertificateLoader.LoadCertificate(theirCertificate);
        RequireValid(certificate, "the peer", utcNow);
        using (var shown = X509CertificateLoader.LoadCertificate(own.Certificate))
            RequireValid(shown, "this endpoint", utcNow);
        using var theirs = certificate.GetRSAPublicKey() ?? throw new InvalidDataException("The peer's certificate has no RSA key.");
        if (!theirs.VerifyData(Proof(challenge, !dialled), signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))
            throw new InvalidDataException("The peer does not hold the key of the certificate it shows.");
        return theirCertificate;
    }

    /// <summary>The same key with a certificate that has expired.</summary>
    public static (byte[] Certificate, byte[] PrivateKey) Expire((byte[] Certificate, byte[] PrivateKey) own, DateTime utcNow)
    {
        using var key = RSA.Create();
        key.ImportPkcs8PrivateKey(own.PrivateKey, out _);
        using var present = X509CertificateLoader.LoadCertificate(own.Certificate);
        var request = new CertificateRequest(present.SubjectName, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var end = new DateTimeOffset(utcNow, TimeSpan.Zero).AddHours(-1);
        using var expired = request.CreateSelfSigned(end.AddYears(-1), end);
        return (expired.RawData, own.PrivateKey);
    }

    public static async Task WriteAsync(Stream stream, byte[] frame, CancellationToken cancellationToken)
    {
        var header = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(header, frame.Length);
        await stream.WriteAsync(header, cancellationToken).ConfigureAwait(false);
        await stream.WriteAsync(frame, cancellationToken).ConfigureAwait(false);
    }

    public static async Task<byte[]> ReadFrameAsync(Stream stream, int largest, CancellationToken cancellationToken)
    {
        var header = new byte[4];
        await stream.ReadExactlyAsync(header, cancellationToken).ConfigureAwait(false);
        var length = BinaryPrimitives.ReadInt32LittleEndian(header);
        if (length < 0 || length > largest)
            throw new InvalidDataException($"A frame of {length} bytes is not acceptable.");
        var frame = new byte[length];
        await stream.ReadExactlyAsync(frame, cancellationToken).ConfigureAwait(false);
        return frame;
    }

    private static void RequireValid(X509Certificate2 certificate, string whose, DateTime utcNow)
    {
        var why = utcNow < certificate.NotBefore.ToUniversalTime() ? "not valid yet" : utcNow > certificate.NotAfter.ToUniversalTime() ? "expired" : null;
        if (why is not null)
            throw new InvalidDataException($"Connection handshake failed. The certificate used by {whose} is invalid due to the following reason: Certificate {why}.");
    }

    private static byte[] Proof(byte[] challenge, bool dialled) =>
        [.. Encoding.ASCII.GetBytes(dialled ? "mirroring:dialled:" : "mirroring:answered:"), .. challenge];
}
