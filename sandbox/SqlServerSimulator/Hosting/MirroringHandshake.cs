using System.Buffers.Binary;
using System.Net.Sockets;
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
        NetworkStream stream, bool dialled, (byte[] Certificate, byte[] PrivateKey) own, CancellationToken cancellationToken)
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
        var now = DateTime.Now;
        if (now < certificate.NotBefore || now > certificate.NotAfter)
            throw new InvalidDataException("The peer's certificate is not valid at this time.");
        using var theirs = certificate.GetRSAPublicKey() ?? throw new InvalidDataException("The peer's certificate has no RSA key.");
        if (!theirs.VerifyData(Proof(challenge, !dialled), signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))
            throw new InvalidDataException("The peer does not hold the key of the certificate it shows.");
        return theirCertificate;
    }

    public static async Task WriteAsync(NetworkStream stream, byte[] frame, CancellationToken cancellationToken)
    {
        var header = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(header, frame.Length);
        await stream.WriteAsync(header, cancellationToken).ConfigureAwait(false);
        await stream.WriteAsync(frame, cancellationToken).ConfigureAwait(false);
    }

    public static async Task<byte[]> ReadFrameAsync(NetworkStream stream, int largest, CancellationToken cancellationToken)
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

    private static byte[] Proof(byte[] challenge, bool dialled) =>
        [.. Encoding.ASCII.GetBytes(dialled ? "mirroring:dialled:" : "mirroring:answered:"), .. challenge];
}
