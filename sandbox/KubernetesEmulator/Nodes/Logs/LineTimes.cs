using System.Buffers.Binary;

namespace KubernetesEmulator.Nodes;

/// <summary>
/// When the bytes of a log were written: beside the log there is a file of pairs, the length of the log and the time of its last write, each pair
/// appended when the log was seen to have grown, by the node or by a reader. What nobody has noted yet is as old as the log's last write.
/// </summary>
/// <param name="log">Path of the log.</param>
internal sealed class LineTimes(string log)
{
    private const int Size = 16;

    private readonly List<(long Length, DateTimeOffset At)> _known = [];

    /// <summary>The file of times that belongs to a log.</summary>
    public static string PathOf(string log) => Path.ChangeExtension(log, ".times");

    /// <summary>Adds a pair if the log is longer than <paramref name="known"/>; returns its length.</summary>
    public static long Note(string log, long known)
    {
        var file = new FileInfo(log);
        if (!file.Exists || file.Length == known)
            return known;
        Span<byte> pair = stackalloc byte[Size];
        BinaryPrimitives.WriteInt64LittleEndian(pair, file.Length);
        BinaryPrimitives.WriteInt64LittleEndian(pair[8..], file.LastWriteTimeUtc.Ticks);
        try
        {
            using var times = new FileStream(PathOf(log), FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            times.Write(pair);
            return file.Length;
        }
        catch (IOException)
        {
            // A full disk, or the pod is gone: then the times are less exact, and that is all.
            return known;
        }
    }

    /// <summary>When the byte at <paramref name="offset"/> was written.</summary>
    public DateTimeOffset At(long offset)
    {
        if (_known.Count == 0 || _known[^1].Length <= offset)
            Read();
        var (low, high) = (0, _known.Count - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _known[middle].Length > offset ? (low, middle) : (middle + 1, high);
        }

        return _known[low].At;
    }

    /// <summary>How many first bytes were written before <paramref name="since"/>.</summary>
    public long Before(DateTimeOffset since)
    {
        Read();
        return _known.LastOrDefault(x => x.At < since).Length;
    }

    private void Read()
    {
        var file = new FileInfo(log);
        var (length, last) = file.Exists ? (file.Length, new DateTimeOffset(file.LastWriteTimeUtc, TimeSpan.Zero)) : (0, DateTimeOffset.UnixEpoch);
        var bytes = File.Exists(PathOf(log)) ? File.ReadAllBytes(PathOf(log)) : [];
        _known.Clear();
        for (var at = 0; at + Size <= bytes.Length; at += Size)
        {
            var ticks = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at + 8));
            Add(BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at)), new DateTimeOffset(ticks, TimeSpan.Zero));
        }

        Add(length, last);
    }

    private void Add(long length, DateTimeOffset at)
    {
        if (_known.Count == 0 || _known[^1].Length < length)
            _known.Add((length, at));
    }
}
