using KubernetesEmulator.Events;
using KubernetesEmulator.Objects;
using System.Text.Json.Nodes;

namespace Unit.Nodes;

[TestFixture]
internal sealed class EventRecorderTests
{
    private static readonly JsonObject Pod = new() { ["metadata"] = new JsonObject { ["name"] = "p", ["namespace"] = "ns", ["uid"] = "u" } };

    private FakeKubernetesApi _api = null!;
    private CancellationTokenSource _stop = null!;
    private EventRecorder _events = null!;
    private Task _running = Task.CompletedTask;

    [SetUp]
    public void Start()
    {
        (_api, _stop) = (new FakeKubernetesApi(), new CancellationTokenSource());
        _events = new EventRecorder(_api, "kubelet", "n", TimeProvider.System);
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    [Test]
    public async Task What_repeats_is_counted_and_what_was_deleted_begins_anew()
    {
        _running = _events.RunAsync(_stop.Token);
        for (var i = 0; i < 3; i++)
            _events.Normal(EventRecorder.Pod(Pod), "Reason", "message");
        _events.Normal(EventRecorder.Pod(Pod), "Reason", "another message");
        await Until.HoldsAsync(() => All() is [var one, var two] && one.Number("count") + two.Number("count") == 4, "two events");
        foreach (var one in All())
            await _api.DeleteAsync(Kinds.Events, "ns", one.Name(), default);
        _events.Normal(EventRecorder.Pod(Pod), "Reason", "message");
        await Until.HoldsAsync(() => All() is [var one] && one.Number("count") == 1, "one event");
    }

    [Test]
    public async Task Nobody_waits_for_a_server_that_is_away_and_one_object_cannot_fill_it()
    {
        _api.Down = true;
        _running = _events.RunAsync(_stop.Token);
        for (var i = 0; i < 500; i++)
            _events.Normal(EventRecorder.Pod(Pod), "Reason", $"message {i}");
        _api.Down = false;
        _events.Normal(EventRecorder.Node("other"), "Last", "of another object");
        await Until.HoldsAsync(() => All().Any(x => x.Text("reason") == "Last"), "the last one");
        Assert.That(All(), Has.Count.EqualTo(26));
    }

    private IReadOnlyList<JsonObject> All() => _api.All(Kinds.Events);
}
