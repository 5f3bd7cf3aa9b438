using System.Globalization;
using System.Text;

namespace KubernetesEmulator.Nodes;

/// <summary>Puts its time before each line of a log.</summary>
/// <param name="times">The lines' times.</param>
/// <param name="position">Where in the log the first block begins; a line begins there.</param>
internal sealed class LineStamps(LineTimes times, long position)
{
    private bool _begins = true;

    /// <summary>The next block with its stamps.</summary>
    public ReadOnlyMemory<byte> Put(ReadOnlySpan<byte> block)
    {
        using var result = new MemoryStream(block.Length * 2);
        while (!block.IsEmpty)
        {
            if (_begins)
                result.Write(Encoding.ASCII.GetBytes(times.At(position).ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'00Z '", CultureInfo.InvariantCulture)));
            var end = block.IndexOf((byte)'\n') + 1;
            _begins = end > 0;
            var line = _begins ? block[..end] : block;
            result.Write(line);
            position += line.Length;
            block = block[line.Length..];
        }

        return result.ToArray();
    }
}
