namespace Unit.Tds;

/// <summary>A client that says what it was told to say, in random pieces, and leaves; what the server answers is kept.</summary>
internal sealed class ScriptedStream(ReadOnlyMemory<byte> script, Random random) : Stream
{
    private readonly MemoryStream answers = new();
    private ReadOnlyMemory<byte> script = script;

    /// <summary>How many answers the client waits for before it leaves.</summary>
    public int Expected { get; init; }

    public byte[] Answers
    {
        get
        {
            lock (answers) return answers.ToArray();
        }
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        for (var pause = random.Next(4); pause > 0; pause--) await Task.Yield();
        cancellationToken.ThrowIfCancellationRequested();
        while (script.Length == 0 && Expected > 0 && Conversation.Responses(Answers).Count < Expected) await Task.Delay(1, cancellationToken);
        var count = Math.Min(buffer.Length, script.Length);
        if (count > 1 && random.Next(3) == 0) count = random.Next(1, count);
        script[..count].CopyTo(buffer);
        script = script[count..];
        return count;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        lock (answers) answers.Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
