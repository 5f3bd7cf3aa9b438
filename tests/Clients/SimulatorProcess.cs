using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Clients.Cases;

namespace Clients;

/// <summary>One <c>sqlservr</c>, started by hand with the variables of the real image, at a loopback address of its own.</summary>
internal sealed class SimulatorProcess : IDisposable
{
    public const string Password = "Str0ng-Passw0rd";
    public const int Port = 1433;
    public const int MirroringPort = 5022;

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private SimulatorProcess(Process process, IPAddress address, string name, string folder)
    {
        _process = process;
        Address = address;
        Name = name;
        Folder = folder;
        process.OutputDataReceived += (_, e) => Add(e.Data);
        process.ErrorDataReceived += (_, e) => Add(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public IPAddress Address { get; }

    public string Name { get; }

    /// <summary>Where it keeps its files.</summary>
    public string Folder { get; }

    /// <summary>How sa logs in.</summary>
    public Login Login => new() { Host = Address.ToString(), CertificateFile = Path.Combine(Folder, "secrets", "tls.pem") };

    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>Starts one and waits until it takes clients.</summary>
    public static async Task<SimulatorProcess> StartAsync(string name)
    {
        // Any address of 127.0.0.0/8 is this machine; one drawn from sixteen million has its ports free.
        var random = RandomNumberGenerator.GetBytes(3);
        var address = new IPAddress([127, (byte)(random[0] | 1), random[1], (byte)Math.Clamp((int)random[2], 1, 254)]);
        var folder = Directory.CreateTempSubdirectory("sqlservr-").FullName;
        var start = new ProcessStartInfo(Path.Combine(TestContext.CurrentContext.TestDirectory, "sqlservr"))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList = { "--listen", string.Create(CultureInfo.InvariantCulture, $"{address}:{Port}"), "--data", folder, "--name", name },
            Environment = { ["ACCEPT_EULA"] = "Y", ["MSSQL_SA_PASSWORD"] = Password, ["MSSQL_ENABLE_HADR"] = "1", ["MSSQL_PID"] = "Developer" },
        };
        var simulator = new SimulatorProcess(Process.Start(start)!, address, name, folder);
        var begun = Stopwatch.GetTimestamp();
        while (!simulator.Output.Contains("ready for client connections", StringComparison.Ordinal))
        {
            if (simulator._process.HasExited || Stopwatch.GetElapsedTime(begun) > Bound)
            {
                simulator.Dispose();
                Assert.Fail($"sqlservr is not ready:\n{simulator.Output}");
            }

            await Task.Delay(20);
        }

        return simulator;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private void Add(string? line)
    {
        lock (_output)
            _output.AppendLine(line);
    }
}
