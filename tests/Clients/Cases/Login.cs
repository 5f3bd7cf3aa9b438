namespace Clients.Cases;

/// <summary>Who logs in, where and how.</summary>
internal sealed record Login
{
    public required string Host { get; init; }

    public int Port { get; init; } = SimulatorProcess.Port;

    public string User { get; init; } = "sa";

    public string Password { get; init; } = SimulatorProcess.Password;

    /// <summary>Empty for the login's default.</summary>
    public string Database { get; init; } = "";

    /// <summary>Where the server keeps its TLS certificate.</summary>
    public string CertificateFile { get; init; } = "";

    public bool ReadOnlyIntent { get; init; }
}
