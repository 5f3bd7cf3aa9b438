using Sandbox.Playground;
using Sandbox.Writing;

namespace Sandbox.Steps;

/// <summary>What the steps share: the group, and the writer that never stops.</summary>
internal sealed class Scene(Group group, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Writes that a new primary must have taken before a step believes it.</summary>
    private const int EnoughWrites = 10;

    private Writer? _writer;

    public Group Group { get; } = group;

    public WriteLog Writes { get; } = new();

    /// <summary>Now, on the clock of the acknowledgements.</summary>
    public TimeSpan Now => time.GetElapsedTime(0);

    public async Task StartWriterAsync(CancellationToken cancellationToken)
    {
        _writer = new Writer(await Group.ConnectionStringAsync($"{Group.Name}-primary", Group.Database, cancellationToken), Writes, time);
        _writer.Start();
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
        var acknowledged = Writes.Snapshot();
        var gap = Writes.LargestGap(from);
        progress($"reading {acknowledged.Count} acknowledged writes back from {primary}");
        var present = await Wait.ForAsync(
            token => Group.ReadKeysAsync(primary, token), why => progress($"reading back from {primary}: {why}"), cancellationToken);
        return new Findings(primary, gap, WriteLog.Missing(acknowledged, present).Count);
    }

    public async ValueTask DisposeAsync()
    {
        if (_writer is not null)
            await _writer.DisposeAsync();
    }
}
