namespace KubernetesEmulator.Nodes;

/// <summary>Finds the last lines of a file.</summary>
internal static class LogTail
{
    /// <summary>Moves to where the last <paramref name="lines"/> lines begin.</summary>
    public static void Seek(Stream file, int lines)
    {
        var buffer = new byte[4096];
        var position = file.Length;
        var end = position;
        var breaks = 0;
        while (position > 0)
        {
            var size = (int)Math.Min(buffer.Length, position);
            position -= size;
            file.Position = position;
            file.ReadExactly(buffer, 0, size);
            for (var i = size - 1; i >= 0; i--)
            {
                // The break that ends the last line does not begin another.
                if (buffer[i] != '\n' || (position + i == end - 1 && lines > 0) || ++breaks < Math.Max(lines, 1))
                    continue;
                file.Position = lines > 0 ? position + i + 1 : end;
                return;
            }
        }

        file.Position = lines > 0 ? 0 : end;
    }
}
