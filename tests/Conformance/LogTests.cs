using System.Globalization;
using System.Text.Json.Nodes;

namespace Conformance;

/// <summary>Logs, from the kubelet through the API server.</summary>
[Platform("Linux")]
internal sealed class LogTests(Backend backend) : ClusterFixture(backend)
{
    [Test]
    public async Task A_log_has_a_tail_a_limit_and_times()
    {
        await Api.Make(Core("pods"), Running("p", "echo one; echo two; printf three; exec sleep 600"));
        await Holds("p", "one\ntwo\nthree");
        var (_, stamped) = await Log("p", "timestamps=true");
        var lines = stamped.Split('\n').Select(x => x.Split(' ')).ToList();
        var times = lines.ConvertAll(x => DateTimeOffset.Parse(x[0], CultureInfo.InvariantCulture));
        var started = DateTimeOffset.Parse(Text(await Ready("p"), "metadata", "creationTimestamp")!, CultureInfo.InvariantCulture);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((await Log("p", "tailLines=2")).Text, Is.EqualTo("two\nthree"));
            Assert.That((await Log("p", "tailLines=0")).Text, Is.Empty);
            Assert.That((await Log("p", "limitBytes=5")).Text, Is.EqualTo("one\nt"));
            Assert.That(lines.ConvertAll(x => x[1]), Is.EqualTo(new[] { "one", "two", "three" }));
            Assert.That(times, Is.Ordered);
            Assert.That(times[0], Is.GreaterThanOrEqualTo(started));
        }
    }

    [Test]
    public async Task A_log_begins_where_it_is_wanted_from()
    {
        // The second line is written when the test says so.
        var file = Path.GetTempFileName();
        try
        {
            await Api.Make(Core("pods"), Running("p", $"echo early; until test -s {file}; do sleep 0.05; done; echo late; exec sleep 600"));
            await Holds("p", "early\n");
            var early = (await Log("p", "timestamps=true")).Text.Split(' ')[0];
            // The API server passes on whole seconds only.
            while (DateTime.UtcNow < DateTimeOffset.Parse(early, CultureInfo.InvariantCulture).AddSeconds(1))
                await Task.Delay(10);
            await File.WriteAllTextAsync(file, "go");
            await Holds("p", "early\nlate\n");
            var late = (await Log("p", "timestamps=true")).Text.Split('\n')[1].Split(' ')[0];
            using (Assert.EnterMultipleScope())
            {
                Assert.That((await Log("p", $"sinceTime={early}")).Text, Is.EqualTo("early\nlate\n"));
                Assert.That((await Log("p", $"sinceTime={late}")).Text, Is.EqualTo("late\n"));
                Assert.That((await Log("p", "sinceTime=2999-01-01T00:00:00Z")).Text, Is.Empty);
                Assert.That((await Log("p", "sinceSeconds=3600")).Text, Is.EqualTo("early\nlate\n"));
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Test]
    public async Task A_log_is_followed_to_the_end_of_the_run_and_is_then_the_previous_one()
    {
        var file = Path.GetTempFileName();
        try
        {
            await Api.Make(Core("pods"), Running("p", $"echo begin; until test -s {file}; do sleep 0.05; done; rm {file}; echo end; exit 3"));
            await Holds("p", "begin\n");
            Assert.That(await Log("p", "previous=true"), Is.EqualTo((400, "previous terminated container \"main\" in pod \"p\" not found")));
            using var response = await Api.Http.GetAsync(Core("pods/p/log?follow=true"), HttpCompletionOption.ResponseHeadersRead);
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
            Assert.That(await reader.ReadLineAsync(), Is.EqualTo("begin"));
            await File.WriteAllTextAsync(file, "go");
            Assert.That(await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(30)), Is.EqualTo("end\n"));
            await Api.Until(Core("pods/p"), (_, x) => Text(x, "status", "containerStatuses", 0, "restartCount") != "0");
            Assert.That((await Log("p", "previous=true")).Text, Is.EqualTo("begin\nend\n"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Test]
    public async Task What_makes_no_sense_is_refused()
    {
        await Api.Make(Core("pods"), Running("p", "exec sleep 600"));
        await Ready("p");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(await Log("p", "container=other"), Is.EqualTo((400, "container other is not valid for pod p")));
            Assert.That(await Log("p", "tailLines=-1"), Is.EqualTo((422, "PodLogOptions \"p\" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0")));
            Assert.That(await Log("p", "limitBytes=0"), Is.EqualTo((422, "PodLogOptions \"p\" is invalid: limitBytes: Invalid value: 0: must be greater than 0")));
            Assert.That(await Log("p", "sinceSeconds=0"), Is.EqualTo((422, "PodLogOptions \"p\" is invalid: sinceSeconds: Invalid value: 0: must be greater than 0")));
            Assert.That((await Log("p", "sinceSeconds=1&sinceTime=2020-01-01T00:00:00Z")).Code, Is.EqualTo(422));
            Assert.That((await Log("q")).Code, Is.EqualTo(404));
        }

        await Api.Make(Core("pods"), Pod("w").Replace("busybox:1", "nowhere:1", StringComparison.Ordinal));
        await Api.Until(Core("pods/w"), (_, x) => Text(x, "status", "containerStatuses", 0, "state", "waiting", "reason") == "ErrImagePull");
        Assert.That(await Log("w"), Is.EqualTo((400, "container \"main\" in pod \"w\" is waiting to start: trying and failing to pull image")));
    }

    [Test]
    public async Task Kubectl_reads_logs()
    {
        Kubectl.Require();
        await Api.Make(Core("pods"), Running("p", "echo one; echo two; exec sleep 600", """
            ,"initContainers":[{"name":"init","image":"busybox","command":["echo","zero"]}]
            """));
        await Ready("p");
        await Holds("p", "one\ntwo\n");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(await Kubectl.Run("logs p --tail=1"), Is.EqualTo("two\n"));
            Assert.That(await Kubectl.Run("logs p -c init --timestamps --since=1h"), Does.Match(@"^\S+Z zero\n$"));
            Assert.That((await Kubectl.Try("logs p --previous")).Errors, Does.Contain("previous terminated container \"main\" in pod \"p\" not found"));
        }
    }

    private async Task Holds(string pod, string text)
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await Log(pod) is var (code, log) && (code != 200 || log != text))
        {
            Assert.That(bound.IsCancellationRequested, Is.False, $"the log is still {code}: {log}");
            await Task.Delay(10);
        }
    }

    /// <summary>The log, or the message of the refusal.</summary>
    private async Task<(int Code, string Text)> Log(string pod, string query = "")
    {
        using var response = await Api.Http.GetAsync(Core($"pods/{pod}/log?{query}"));
        var text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, response.IsSuccessStatusCode ? text : Text(JsonNode.Parse(text), "message")!);
    }
}
