using System.Runtime.Versioning;
using Agents.AgSupervisor;

namespace Unit.AgSupervisor;

[UnsupportedOSPlatform("windows")]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class AgentProcessesTests : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    private readonly string folder = Directory.CreateTempSubdirectory().FullName;
    private readonly StringWriter output = new();

    [Test]
    public async Task The_agent_knows_its_group_and_its_output_is_passed_on_with_the_group_before_each_line()
    {
        var agent = Agents("echo \"group=$MSSQL_K8S_AG_NAME path=${PATH:+inherited}\"; echo oops >&2; exit 5").Start("ag1");
        Assert.That(await agent.Ended.WaitAsync(Bound), Is.EqualTo(5));
        await UntilOutput("[ag1] group=ag1 path=inherited\n");
        await UntilOutput("[ag1] oops\n");
    }

    [Test]
    public async Task Stop_asks_and_kill_does_not()
    {
        var polite = Agents("trap 'exit 7' TERM; echo ready; i=0; while [ $i -lt 30000000 ]; do i=$((i+1)); done").Start("polite");
        await UntilOutput("[polite] ready\n");
        polite.Stop();
        Assert.That(await polite.Ended.WaitAsync(Bound), Is.EqualTo(7));

        var deaf = Agents("trap '' TERM; echo ready; i=0; while [ $i -lt 30000000 ]; do i=$((i+1)); done").Start("deaf");
        await UntilOutput("[deaf] ready\n");
        deaf.Stop();
        deaf.Kill();
        Assert.That(await deaf.Ended.WaitAsync(Bound), Is.EqualTo(128 + 9));
        deaf.Kill();
    }

    [Test]
    public void An_executable_that_is_not_there_is_reported() =>
        Assert.Throws<IOException>(() => new AgentProcesses(Path.Combine(folder, "none"), output).Start("ag1"));

    public void Dispose()
    {
        Directory.Delete(folder, recursive: true);
        output.Dispose();
    }

    private AgentProcesses Agents(string script)
    {
        var path = Path.Combine(folder, Guid.NewGuid().ToString("N"));
        File.WriteAllText(path, "#!/bin/sh\n" + script + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return new AgentProcesses(path, TextWriter.Synchronized(output));
    }

    private async Task UntilOutput(string text)
    {
        using var bound = new CancellationTokenSource(Bound);
        while (!Text().Contains(text, StringComparison.Ordinal))
        {
            Assert.That(bound.IsCancellationRequested, Is.False, $"Not in the output: {text}");
            await Task.Delay(5);
        }
    }

    private string Text()
    {
        try
        {
            return output.ToString();
        }
        catch (ArgumentOutOfRangeException)
        {
            // Read while it was being written to.
            return string.Empty;
        }
    }
}
