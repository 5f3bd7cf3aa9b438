using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using SqlServerSimulator;
using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.Hosting;
using SqlServerSimulator.Hosting.Control;
using SqlServerSimulator.Tds;
using SqlServerSimulator.TSql.Execution;

var listen = new Option<string>("--listen") { Description = "Address and port for TDS clients, IP:PORT. Default: all addresses, MSSQL_TCP_PORT or 1433." };
var data = new Option<string>("--data") { Description = "Folder for the instance's files. Default: /var/opt/mssql." };
var name = new Option<string>("--name") { Description = "Host name, which becomes the server name, cut to 15 characters. Default: the machine's." };
var fact = new Option<string[]>("--fact")
{
    Description = $"How to read what is not certain about SQL Server, NAME=VALUE; may be repeated. Names: {string.Join(", ", UncertainFacts.Names)}.",
};
var noSync = new Option<bool>("--no-fsync") { Description = "Do not wait for the disk: an acknowledged commit survives the death of the process, but not a power failure." };
var control = new Option<string>("--control") { Description = "Unix domain socket on which faults may be asked for. Default: none." };
var root = new RootCommand(
    "A SQL Server instance, simulated: speaks TDS, keeps databases, takes part in availability groups with CLUSTER_TYPE = EXTERNAL.\n\n"
    + "Environment variables, as of the real image: ACCEPT_EULA=Y, MSSQL_SA_PASSWORD (first start), MSSQL_PID, MSSQL_ENABLE_HADR=1, MSSQL_TCP_PORT.")
{
    listen, data, name, fact, noSync, control,
};
root.SetAction((parsed, cancellationToken) => RunAsync(
    parsed.GetValue(listen), parsed.GetValue(data), parsed.GetValue(name), parsed.GetValue(fact) ?? [], !parsed.GetValue(noSync), parsed.GetValue(control)));
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }).ConfigureAwait(false);

static async Task<int> RunAsync(string? listen, string? data, string? name, string[] facts, bool synchronize, string? control)
{
    var mistakes = new List<string>();
    var options = SimulatorOptions.Read(listen, data, name, facts, Environment.GetEnvironmentVariable, mistakes, control);
    if (mistakes.Count > 0)
    {
        foreach (var mistake in mistakes)
            await Console.Error.WriteLineAsync(mistake).ConfigureAwait(false);
        return 78;
    }

    MachineRoots.Ignore();
    using var stop = new CancellationTokenSource();
    using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
    InstanceHost host;
    try
    {
        host = new InstanceHost(
            new InstanceOptions
            {
                MachineName = options.Name,
                SaPassword = options.SaPassword,
                HadrEnabled = options.HadrEnabled,
                TcpPort = options.Listen.Port,
                BackupFolder = options.BackupFolder,
                Edition = options.Edition,
                EngineEdition = options.EngineEdition,
                Facts = options.Facts,
                Faults = options.Faults,
            },
            options.Data,
            options.Listen.Address,
            Log,
            synchronize);
    }
    catch (SqlErrorException error)
    {
        await Console.Error.WriteLineAsync($"ERROR: Unable to set system administrator password: {error.Error.Message}").ConfigureAwait(false);
        return 1;
    }

    await using (host.ConfigureAwait(false))
    {
        var tds = new TdsOptions { CertificateCache = Path.Combine(options.Data, "secrets", "tls.pem"), Log = Log };
        var channel = options.Control is { } path ? ControlChannel.Open(host, path) : null;
        if (channel is not null)
            tds = tds with { Wrap = host.Freezable };
        var listener = await TdsListener.StartAsync(
            options.Listen, new SqlServer(host), tds, stop.Token)
            .ConfigureAwait(false);
        await using (listener.ConfigureAwait(false))
        {
            Log("SQL Server is now ready for client connections. This is an informational message; no user action is required.");
            await Task.WhenAny(host.Exited, Task.Delay(Timeout.Infinite, stop.Token)).ConfigureAwait(false);
            await host.ThawedAsync().ConfigureAwait(false);
            Log("SQL Server is terminating.");
        }

        if (channel is not null)
            await channel.DisposeAsync().ConfigureAwait(false);
    }

    return 0;

    void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        stop.Cancel();
    }

    static void Log(string line) => Console.WriteLine(
        string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-dd HH:mm:ss.ff} spid1s  {line}"));
}
