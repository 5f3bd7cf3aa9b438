using System.CommandLine;
using Sandbox.Output;
using Sandbox.Playground;
using Spectre.Console;
using SqlServerSimulator.Hosting.Control;

namespace Sandbox;

/// <summary>The command line.</summary>
internal static class SandboxCommandLine
{
    /// <summary>Exit code after Ctrl-C or SIGTERM.</summary>
    public const int Stopped = 130;

    public static async Task<int> RunAsync(string[] args)
    {
        var root = Root(() => Screen(Console.Out, Console.IsOutputRedirected));
        var configuration = new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) };
        return await root.Parse(args).InvokeAsync(configuration, CancellationToken.None);
    }

    internal static RootCommand Root(Func<IScreen> screen)
    {
        var json = new Option<FileInfo?>("--json")
        {
            Description = "Write the result as JSON to this file, whatever the result is.",
            HelpName = "FILE",
        };
        var controlPlane = new Option<bool>("--control-plane")
        {
            Description = "Use the real kube-apiserver, kube-controller-manager and kube-scheduler (eng/control-plane install provides them), in a network namespace.",
            Recursive = true,
        };
        var privateNetwork = new Option<bool>("--private-network")
        {
            Description = "Run in a network namespace, in which each node has one of its own, so that it can be cut off; --control-plane always does.",
            Recursive = true,
        };
        var demo = new Command(
            "demo", "Form an availability group, kill its primary, fail over by plan, lose a node and get it back, and check every write (the default).");
        demo.Options.Add(json);
        var up = new Command("up", "Start the same cluster, leave it running and print how to reach it, until Ctrl-C.");
        var instance = new Argument<string>("INSTANCE") { Description = "Instance of a sandbox that runs on this machine, such as mssql1." };
        var faultName = new Argument<string>("FAULT") { Description = "Name of a fault, or list, or clear (all of them, or one by its name)." };
        var fields = new Argument<string[]>("FIELD") { Description = "NAME=VALUE; forMs=5000 ends any fault by itself.", Arity = ArgumentArity.ZeroOrMore };
        var fault = new Command(
            "fault",
            "Make something go wrong with an instance of a running sandbox. Faults: "
            + string.Join("; ", FaultCatalog.All.Select(x => $"{x.Name} {x.Fields}".TrimEnd())) + ".") { instance, faultName, fields };
        var names = new Argument<string[]>("name")
        {
            Description = "'list', names of scenarios such as kill or kill+api-restart, 'representative' or 'all'.", Arity = ArgumentArity.OneOrMore,
        };
        var seed = new Option<int>("--seed") { Description = "Decides what is left to chance.", DefaultValueFactory = static _ => 1 };
        var scenario = new Command("scenario", "Run named scenarios under a writer that never stops, and check every write.") { names, seed, json };
        var root = new RootCommand(
            "SQL Server Always On availability groups on Kubernetes, on this machine alone: an emulated API server, three nodes whose "
            + "containers are local processes, simulated SQL Server instances, and the real operator and agents. Linux only.");
        root.Options.Add(json);
        root.Options.Add(controlPlane);
        root.Options.Add(privateNetwork);
        root.Subcommands.Add(demo);
        root.Subcommands.Add(up);
        root.Subcommands.Add(fault);
        root.Subcommands.Add(scenario);

        Func<ParseResult, CancellationToken, Task<int>> runDemo = (parsed, token) =>
            GuardAsync(screen(), OwnNetwork(parsed), parsed, x => new DemoCommand(BackendOf(parsed), x, TimeProvider.System).RunAsync(parsed.GetValue(json)?.FullName, token));
        root.SetAction(runDemo);
        demo.SetAction(runDemo);
        up.SetAction((parsed, token) => GuardAsync(screen(), OwnNetwork(parsed), parsed, x => new UpCommand(BackendOf(parsed), x).RunAsync(token)));
        fault.SetAction((parsed, token) => GuardAsync(screen(), false, parsed, x => new FaultCommand(x, Path.GetTempPath()).RunAsync(
            parsed.GetRequiredValue(instance), parsed.GetRequiredValue(faultName), parsed.GetValue(fields) ?? [], token)));
        scenario.SetAction((parsed, token) => parsed.GetValue(names) is ["list"]
            ? Task.FromResult(ScenarioCommand.List(Console.Out))
            : GuardAsync(screen(), OwnNetwork(parsed), parsed, x => new ScenarioCommand(BackendOf(parsed), x, TimeProvider.System)
                .RunAsync(parsed.GetValue(names)!, parsed.GetValue(seed), parsed.GetValue(json)?.FullName, token)));
        return root;

        bool OwnNetwork(ParseResult parsed) => parsed.GetValue(controlPlane) || parsed.GetValue(privateNetwork);
        Backend BackendOf(ParseResult parsed) => parsed.GetValue(controlPlane) ? Backend.ControlPlane : Backend.Emulator;
    }

    private static IScreen Screen(TextWriter output, bool redirected) =>
        redirected || Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb"
            ? new PlainScreen(output)
            : new TerminalScreen(AnsiConsole.Console);

    private static async Task<int> GuardAsync(IScreen screen, bool ownNetwork, ParseResult parsed, Func<IScreen, Task<int>> run)
    {
        if (!OperatingSystem.IsLinux())
        {
            screen.Warning("The sandbox runs on Linux only: its nodes give each pod a loopback address and a process group of its own.");
            return 1;
        }

        try
        {
            return ownNetwork && !PrivateNetwork.Inside
                ? await PrivateNetwork.RunAsync([.. parsed.Tokens.Select(x => x.Value)])
                : await run(screen);
        }
        catch (OperationCanceledException)
        {
            screen.Warning("stopped");
            return Stopped;
        }
        catch (Exception e)
        {
            // The end of the line for whatever nobody expected; what was started is already cleaned up.
            screen.Warning($"failed: {e.GetType().Name}: {e.Message}");
            return 1;
        }
    }
}
