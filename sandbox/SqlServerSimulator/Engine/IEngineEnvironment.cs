namespace SqlServerSimulator.Engine;

/// <summary>
/// All that the engine has of the world. What it writes counts as durable only when the host has made it so: the host lets
/// <see cref="Send"/> and completions of operations take effect only after everything written before them is durable.
/// The host calls the engine from one place at a time, and never from inside these methods.
/// </summary>
public interface IEngineEnvironment
{
    /// <summary>Monotonic time since some fixed point; advances while the process is frozen.</summary>
    TimeSpan Now { get; }

    /// <summary>Wall clock, for people only.</summary>
    DateTime UtcNow { get; }

    /// <summary>A new random identifier.</summary>
    Guid NewGuid();

    /// <summary>Fills with random bytes.</summary>
    void Random(Span<byte> buffer);

    /// <summary>Makes a self-signed RSA certificate.</summary>
    /// <returns>DER and PKCS#8.</returns>
    (byte[] Certificate, byte[] PrivateKey) CreateCertificate(string subject, DateTime notBefore, DateTime notAfter);

    /// <summary>Content of a file, or null when there is none.</summary>
    byte[]? Read(string file);

    /// <summary>Replaces a file as a whole.</summary>
    void Replace(string file, byte[] content);

    /// <summary>Appends to a file.</summary>
    void Append(string file, ReadOnlySpan<byte> bytes);

    /// <summary>Cuts a file.</summary>
    void Truncate(string file, long length);

    /// <summary>Deletes a file if it exists.</summary>
    void Delete(string file);

    /// <summary>Content of a file that a statement names by its path on the server; null when it is missing or may not be read.</summary>
    byte[]? ReadServerFile(string path);

    /// <summary>Creates a file that a statement names by its path on the server; false when it is there already or cannot be written.</summary>
    bool CreateServerFile(string path, byte[] content);

    /// <summary>Listens for peers on the mirroring port; any earlier port is closed with its connections.</summary>
    void Listen(int port);

    /// <summary>Closes the mirroring port and the connections that came through it.</summary>
    void StopListening();

    /// <summary>
    /// Keeps dialling a peer until <see cref="CloseLink"/>, also after the connection was lost. Each time it is up, the host calls
    /// <see cref="SqlInstance.LinkUp"/>. Outgoing links have positive ids, chosen by the engine; incoming ones negative ids, chosen by the host.
    /// </summary>
    void OpenLink(long link, string url);

    /// <summary>Ends a link, outgoing or incoming.</summary>
    void CloseLink(long link);

    /// <summary>Sends a message; lost without a word when the link is down.</summary>
    void Send(long link, byte[] message);

    /// <summary>Asks for <see cref="SqlInstance.Tick"/> at this time or soon after. A later call replaces an earlier one.</summary>
    void RequestTick(TimeSpan at);

    /// <summary>A line for the error log.</summary>
    void Log(string message);

    /// <summary>The session was ended by the server (KILL, role change): its connection must close.</summary>
    void EndSession(EngineSession session);

    /// <summary>SHUTDOWN was executed: the process must exit.</summary>
    void Exit();
}
