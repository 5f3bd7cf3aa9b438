using System.Security.Cryptography.X509Certificates;

namespace SqlServerSimulator.Tds;

/// <summary>How a listener treats encryption with TDS 7 clients. Strict clients are always encrypted.</summary>
internal enum TdsEncryption
{
    /// <summary>As SQL Server by default: what the client asks for, and the login always where the client can.</summary>
    Supported,

    /// <summary>ForceEncryption: clients that cannot encrypt are turned away.</summary>
    Required,

    /// <summary>No encryption at all, for protocol tests.</summary>
    NotSupported,
}

/// <summary>Settings of a <see cref="TdsListener"/>.</summary>
internal sealed record TdsOptions
{
    /// <summary>Certificate with its private key; null to use the one kept in <see cref="CertificateCache"/>, or a new one.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>File in which a self-made certificate is kept between starts; null to keep it nowhere.</summary>
    public string? CertificateCache { get; init; }

    public TdsEncryption Encryption { get; init; } = TdsEncryption.Supported;

    /// <summary>One line for the error log.</summary>
    public Action<string> Log { get; init; } = _ => { };

    /// <summary>What stands between the socket and the protocol.</summary>
    public Func<Stream, Stream> Wrap { get; init; } = stream => stream;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>How long a client may take from connecting to being logged in.</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a cancelled request may take to end before its connection is given up.</summary>
    public TimeSpan CancelTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Largest request in bytes.</summary>
    public int LargestMessage { get; init; } = 64 << 20;

    /// <summary>Connections at one time; more are closed at once.</summary>
    public int LargestConnectionCount { get; init; } = 4096;
}
