using System.Globalization;
using System.Net;
using SqlServerSimulator.Engine;
using SqlServerSimulator.Hosting.Control;

namespace SqlServerSimulator;

/// <summary>How one process was started: command line and the variables of the real image.</summary>
internal sealed record SimulatorOptions(IPEndPoint Listen, string Data, string Name, string? SaPassword, bool HadrEnabled, string Edition, int EngineEdition, UncertainFacts Facts)
{
    /// <summary>A Unix domain socket's address holds no more bytes.</summary>
    private const int LongestSocketPath = 107;

    /// <summary>Where faults are asked for, or null for nowhere.</summary>
    public string? Control { get; init; }

    /// <summary>What is wrong from the start.</summary>
    public IReadOnlyList<Fault> Faults { get; init; } = [];

    /// <summary>MSSQL_BACKUP_DIR.</summary>
    public string BackupFolder { get; init; } = InstanceOptions.DefaultBackupFolder;

    /// <summary>Reads the options; what is wrong goes to <paramref name="mistakes"/>.</summary>
    public static SimulatorOptions Read(
        string? listen, string? data, string? name, IReadOnlyList<string> facts, Func<string, string?> variable, List<string> mistakes, string? control = null)
    {
        var port = 1433;
        if (variable("MSSQL_TCP_PORT") is { Length: > 0 } text && !(int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and < 65536))
            mistakes.Add($"MSSQL_TCP_PORT: found '{text}', expected a port number.");
        var address = IPAddress.Any;
        if (listen is { Length: > 0 })
        {
            if (IPEndPoint.TryParse(listen, out var endPoint))
                (address, port) = (endPoint.Address, endPoint.Port == 0 ? port : endPoint.Port);
            else
                mistakes.Add($"--listen: found '{listen}', expected IP:PORT.");
        }

        var eula = variable("ACCEPT_EULA");
        if (eula is null || !(eula.Equals("y", StringComparison.OrdinalIgnoreCase) || eula.Equals("yes", StringComparison.OrdinalIgnoreCase)))
            mistakes.Add("ACCEPT_EULA: the licence must be accepted by the value Y.");
        var pid = variable("MSSQL_PID") is { Length: > 0 } given ? given : "Developer";
        var (edition, engineEdition) = pid.ToUpperInvariant() switch
        {
            "EXPRESS" => ("Express Edition (64-bit)", 4),
            "STANDARD" => ("Standard Edition (64-bit)", 2),
            "WEB" => ("Web Edition (64-bit)", 2),
            "ENTERPRISE" or "ENTERPRISECORE" => ("Enterprise Edition (64-bit)", 3),
            "EVALUATION" => ("Enterprise Evaluation Edition (64-bit)", 3),
            _ => ("Developer Edition (64-bit)", 3),
        };

        // Host names are cut to 15 characters, as a NetBIOS name is.
        var machine = name is { Length: > 0 } ? name : Environment.MachineName.Split('.')[0];
        var password = variable("MSSQL_SA_PASSWORD") is { Length: > 0 } sa ? sa : variable("SA_PASSWORD");
        var uncertain = new UncertainFacts();
        foreach (var fact in facts)
        {
            if (!UncertainFacts.TryWith(uncertain, fact, out uncertain, out var mistake))
                mistakes.Add($"--fact: {mistake}");
        }

        if (control is not null && System.Text.Encoding.UTF8.GetByteCount(control) is 0 or > LongestSocketPath)
            mistakes.Add($"--control: found '{control}', expected a path of at most {LongestSocketPath} bytes.");
        var faults = variable("SANDBOX_FAULTS") is { Length: > 0 } json ? FaultCatalog.ReadAll(json, "SANDBOX_FAULTS", mistakes) : [];
        var hadr = variable("MSSQL_ENABLE_HADR") is "1" or "true" or "True";
        return new SimulatorOptions(
            new IPEndPoint(address, port), data is { Length: > 0 } ? data : "/var/opt/mssql", machine.Length > 15 ? machine[..15] : machine,
            string.IsNullOrEmpty(password) ? null : password, hadr, edition, engineEdition, uncertain)
        {
            BackupFolder = variable("MSSQL_BACKUP_DIR") is { Length: > 0 } backups ? backups : InstanceOptions.DefaultBackupFolder,
            Control = control, Faults = faults,
        };
    }
}
