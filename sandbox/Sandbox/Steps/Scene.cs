using Sandbox.Playground;
using Sandbox.Writing;

namespace Sandbox.Steps;

/// <summary>What the steps share: the group, and the writer that never stops.</summary>
internal sealed class Scene(Group group, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Writes that a new primary must have taken before a step believes it.</summary>
    private const int EnoughWrites = 10;

    /// <summary>Keys that one writer may use.</summary>
    private const long KeysOfOne = 1_000_000_000_000;

    private readonly List<Writer> _witnesses = [];
    private Writer? _writer;

    public Group Group { get; } = group;

    public WriteLog Writes { get; } = new();

    /// <summary>What instances took from the witnesses.</summary>
    public WriteLog Witnessed { get; } = new();

    /// <summary>Now, on the clock of the acknowledgements.</summary>
    public TimeSpan Now => time.GetElapsedTime(0);

    public void StartWriter()
    {
        _writer = new Writer(token => Group.OpenAsync($"{Group.Name}-primary", Group.Database, token), Writes, time);
        _writer.Start();
    }

    /// <summary>
    /// Starts a slow writer that goes to one instance, whatever role it has. A second writable primary would acknowledge its rows, and they would be
    /// missing in the end.
    /// </summary>
    public void StartWitness(string instance)
    {
        var witness = new Writer(token => Group.OpenAsync(instance, Group.Database, token), Witnessed, time)
        {
            FirstKey = KeysOfOne * (_witnesses.Count + 1),
            BetweenWrites = TimeSpan.FromMilliseconds(50),
            AfterFailure = TimeSpan.FromMilliseconds(400),
        };
        _witnesses.Add(witness);
        witness.Start();
    }

    /// <summary>Ends the writer and the witnesses.</summary>
    public async Task StopWritingAsync()
    {
        foreach (var witness in _witnesses)
            await witness.DisposeAsync();
        _witnesses.Clear();
        if (_writer is not null)
            await _writer.DisposeAsync();
        _writer = null;
    }

    /// <summary>
    /// Waits until an instance that <paramref name="accept"/> holds for the new primary has taken writes since <paramref name="from"/> and
    /// carries the primary's label.
    /// </summary>
    public async Task<string> WritesFlowAsync(
        Func<string, bool> accept, TimeSpan from, string what, Action<string> progress, CancellationToken cancellationToken) =>
        await Wait.ForAsync(
            async token =>
            {
                progress(_writer?.LastFailure is { } why ? $"{what} (the writer: {why})" : what);
                return Writes.Last is { } last && last.At >= from && accept(last.Server) && Writes.TakenBy(last.Server, from) >= EnoughWrites
                    && await Group.LabelledPrimaryAsync(token) == last.Server
                    ? last.Server
                    : null;
            },
            why => progress($"{what}: {why}"),
            cancellationToken);

    /// <summary>What a step that began at <paramref name="from"/> found, with every acknowledged write looked up on the primary.</summary>
    public async Task<Findings> FindAsync(string primary, TimeSpan from, Action<string> progress, CancellationToken cancellationToken)
    {
        IReadOnlyList<AcknowledgedWrite> acknowledged = [.. Writes.Snapshot(), .. Witnessed.Snapshot()];
        var gap = Writes.LargestGap(from);
        progress($"reading {acknowledged.Count} acknowledged writes back from {primary}");
        var present = await Wait.ForAsync(
            token => Group.ReadKeysAsync(primary, token), why => progress($"reading back from {primary}: {why}"), cancellationToken);
        return new Findings(primary, gap, WriteLog.Missing(acknowledged, present).Count);
    }

    public async ValueTask DisposeAsync() => await StopWritingAsync();
}
