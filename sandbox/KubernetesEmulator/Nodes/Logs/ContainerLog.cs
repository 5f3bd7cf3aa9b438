using System.Runtime.CompilerServices;

namespace KubernetesEmulator.Nodes;

/// <summary>
/// What one container wrote in its present run and in the one before. The kernel writes the file, so that a container neither waits for the node nor
/// ends with it; the node only notes beside it how long the file was when.
/// </summary>
/// <param name="folder">The container's own folder.</param>
internal sealed class ContainerLog(string folder)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    /// <summary>The file that the present run writes.</summary>
    public string Current { get; } = Path.Combine(folder, "current.log");

    private string Previous { get; } = Path.Combine(folder, "previous.log");

    /// <summary>Makes way for another run.</summary>
    public void Rotate()
    {
        Directory.CreateDirectory(folder);
        if (!File.Exists(Current))
            return;
        File.Move(Current, Previous, overwrite: true);
        File.Delete(LineTimes.PathOf(Previous));
        if (File.Exists(LineTimes.PathOf(Current)))
            File.Move(LineTimes.PathOf(Current), LineTimes.PathOf(Previous));
    }

    /// <summary>Notes when the file grows, until <paramref name="exit"/>.</summary>
    public async Task NoteAsync(Task exit, TimeProvider time)
    {
        var known = 0L;
        while (true)
        {
            var ended = exit.IsCompleted;
            known = LineTimes.Note(Current, known);
            if (ended)
                return;
            await Task.WhenAny(exit, Task.Delay(Look, time)).ConfigureAwait(false);
        }
    }

    public bool Exists(bool previous) => File.Exists(previous ? Previous : Current);

    /// <param name="query">What is wanted.</param>
    /// <param name="grows">Whether the run still goes on; asked before each look at the file.</param>
    /// <param name="time">For the waits between two looks.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>Blocks of bytes, as they are there.</returns>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        LogQuery query, Func<bool> grows, TimeProvider time, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var path = query.Previous ? Previous : Current;
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var times = new LineTimes(path);
        if (!query.Previous)
            LineTimes.Note(path, 0);
        if (query.TailLines is { } lines)
            LogTail.Seek(file, lines);
        if (query.Since is { } since)
            SkipTo(file, times.Before(since));
        var stamps = query.Timestamps ? new LineStamps(times, file.Position) : null;
        var buffer = new byte[16384];
        while (true)
        {
            var more = query.Follow && !query.Previous && grows();
            if (!query.Previous)
                LineTimes.Note(path, file.Position);
            for (int count; (count = await file.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
                yield return stamps?.Put(buffer.AsSpan(0, count)) ?? buffer.AsMemory(0, count).ToArray();
            if (!more)
                yield break;
            await Task.Delay(Look, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Moves to the first line that begins at <paramref name="offset"/> or later, unless the file is there already.</summary>
    private static void SkipTo(FileStream file, long offset)
    {
        if (offset <= file.Position)
            return;
        file.Position = offset - 1;
        while (file.ReadByte() is not ('\n' or -1))
        {
        }
    }
}
