using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Win32.SafeHandles;
using SqlServerSimulator.Engine;

namespace SqlServerSimulator.Hosting;

/// <summary>
/// Lends one engine the world: files, clocks, timers and peers. All entries to the engine go through one lock. What the engine writes is with
/// the operating system when the call returns, and so survives the death of the process. Sends and completions go out only after it is on the
/// disk: the disk is waited for outside of the lock, once for all that has gathered meanwhile.
/// </summary>
internal sealed class InstanceHost : IInstanceGate, IEngineEnvironment, IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly ConditionalWeakTable<EngineSession, CancellationTokenSource> ends = [];
    private List<Action> afterwards = [];
    private readonly TaskCompletionSource exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FileStore files;
    private readonly MirroringTransport transport;
    private readonly Action<string> log;
    private readonly Timer timer;
    private readonly SqlInstance instance;
    private readonly Freezer freezer = new();
    private Timer? thaw;
    private TimeSpan tickDue = TimeSpan.MaxValue;
    private Task flushing = Task.CompletedTask;
    private bool isFlushing;
    private bool disposed;

    /// <summary>Opens the instance.</summary>
    /// <param name="options">Options of the engine.</param>
    /// <param name="directory">Where it keeps its files.</param>
    /// <param name="address">Address of the mirroring port.</param>
    /// <param name="log">Takes lines for the error log.</param>
    /// <param name="synchronize">Whether what is acknowledged is on the disk, or only with the operating system.</param>
    public InstanceHost(InstanceOptions options, string directory, IPAddress address, Action<string> log, bool synchronize = true)
    {
        this.log = log;
        files = new FileStore(directory, synchronize) { Backups = BackupDevice.IsInHome(options.BackupFolder) ? "" : options.BackupFolder };
        timer = new Timer(_ => Enter(engine =>
        {
            tickDue = TimeSpan.MaxValue;
            engine.Tick();
        }));
        transport = new MirroringTransport(this, address, log);
        lock (gate)
        {
            instance = new SqlInstance(options, this);
            RunAfterwards();
        }
    }

    /// <summary>Ends when SHUTDOWN was executed.</summary>
    public Task Exited => exit.Task;

    public TimeSpan Now => TimeProvider.System.GetElapsedTime(0);

    public DateTime UtcNow => DateTime.UtcNow + (instance?.Fault<ClockJump>()?.Offset ?? TimeSpan.Zero);

    /// <summary>Faults in force.</summary>
    public IReadOnlyList<ActiveFault> Faults => instance.Faults;

    /// <summary>A connection of this process, which stands still while it is frozen.</summary>
    public FreezableStream Freezable(Stream connection) => new(connection, freezer);

    /// <summary>Ends when the process is not frozen.</summary>
    public Task ThawedAsync() => freezer.PassAsync(CancellationToken.None).AsTask();

    /// <summary>Makes something go wrong, for a time or until it is healed; also while frozen.</summary>
    public void Inflict(Fault fault, TimeSpan? duration)
    {
        lock (gate)
        {
            if (disposed)
                return;
            instance.Inflict(fault, duration);
            RunAfterwards();
            if (fault is not Freeze)
                return;
            thaw?.Dispose();

            // The engine's own timer stands still.
            thaw = duration is { } time ? new Timer(_ => Heal(fault => fault is Freeze), null, time, Timeout.InfiniteTimeSpan) : null;
            freezer.Freeze();
        }
    }

    /// <summary>Takes faults back; also while frozen.</summary>
    /// <returns>How many there were.</returns>
    public int Heal(Predicate<Fault> which)
    {
        lock (gate)
        {
            if (disposed)
                return 0;
            var healed = instance.Heal(which);
            RunAfterwards();
            if (instance.Fault<Freeze>() is null)
                freezer.Thaw();
            return healed;
        }
    }

    /// <summary>Runs something in the engine, and then what came of it.</summary>
    public void Enter(Action<SqlInstance> work) => Enter(engine =>
    {
        work(engine);
        return true;
    });

    /// <summary>Runs something in the engine, and then what came of it.</summary>
    public T Enter<T>(Func<SqlInstance, T> work)
    {
        freezer.Pass();
        lock (gate)
        {
            if (disposed)
                return default!;
            try
            {
                return work(instance);
            }
            finally
            {
                RunAfterwards();
            }
        }
    }

    public Task<Operation> ExecuteAsync(EngineSession session, EngineCommand command, CancellationToken attention) =>
        AwaitAsync(engine => engine.Execute(session, command), attention);

    public async Task<Operation> AwaitAsync(Func<SqlInstance, Operation> begin, CancellationToken attention)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var operation = Enter(engine =>
        {
            var begun = begin(engine);
            begun.OnCompleted(_ => afterwards.Add(() => done.TrySetResult()));
            return begun;
        }) ?? throw new OperationCanceledException("The instance is shutting down.");
        using (attention.Register(() => Enter(_ => operation.Cancel())))
            await done.Task.ConfigureAwait(false);
        return operation;
    }

    public T Read<T>(Func<SqlInstance, T> look)
    {
        freezer.Pass();
        lock (gate)
        {
            try
            {
                return look(instance);
            }
            finally
            {
                RunAfterwards();
            }
        }
    }

    public CancellationToken Ended(EngineSession session) => EndOf(session).Token;

    public Guid NewGuid() => Guid.NewGuid();

    void IEngineEnvironment.Random(Span<byte> buffer) => RandomNumberGenerator.Fill(buffer);

    public (byte[] Certificate, byte[] PrivateKey) CreateCertificate(string subject, DateTime notBefore, DateTime notAfter)
    {
        using var key = RSA.Create(2048);
        var name = new X500DistinguishedName($"CN=\"{subject.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(
            new DateTimeOffset(notBefore, TimeSpan.Zero), new DateTimeOffset(notAfter, TimeSpan.Zero));
        return (certificate.RawData, key.ExportPkcs8PrivateKey());
    }

    byte[]? IEngineEnvironment.Read(string file) => files.Read(file);

    public void Replace(string file, byte[] content) => files.Replace(file, content);

    public void Append(string file, ReadOnlySpan<byte> bytes) => files.Append(file, bytes);

    public void Truncate(string file, long length) => files.Truncate(file, length);

    public void Delete(string file) => files.Delete(file);

    public byte[]? ReadServerFile(string path) => files.ReadServerFile(path);

    public bool CreateServerFile(string path, byte[] content) => files.CreateServerFile(path, content);

    public void Listen(int port) => afterwards.Add(() => transport.Listen(port));

    public void StopListening() => afterwards.Add(transport.StopListening);

    public void OpenLink(long link, string url) => afterwards.Add(() => transport.Open(link, url));

    public void CloseLink(long link) => afterwards.Add(() => transport.Close(link));

    public void Send(long link, byte[] message) => afterwards.Add(() => transport.Send(link, message));

    public void RequestTick(TimeSpan at)
    {
        // A tick too many does no harm, and most requests are for what is due already.
        if (at >= tickDue)
            return;
        tickDue = at;

        // A little late rather than a little early, so that the engine does not ask again for the same moment.
        var wait = at - Now;
        timer.Change(wait <= TimeSpan.Zero ? 1 : (long)Math.Min(Math.Ceiling(wait.TotalMilliseconds), int.MaxValue), Timeout.Infinite);
    }

    public void Log(string message) => log(message);

    public void EndSession(EngineSession session)
    {
        var end = EndOf(session);
        afterwards.Add(() => ThreadPool.UnsafeQueueUserWorkItem(static end => end.Cancel(), end, preferLocal: false));
    }

    public void Exit() => afterwards.Add(() => exit.TrySetResult());

    public async ValueTask DisposeAsync()
    {
        lock (gate)
        {
            if (disposed)
                return;
            disposed = true;
            thaw?.Dispose();
            freezer.Thaw();
        }

        await timer.DisposeAsync().ConfigureAwait(false);
        await flushing.ConfigureAwait(false);
        await transport.DisposeAsync().ConfigureAwait(false);
        lock (gate)
            files.Dispose();
    }

    private CancellationTokenSource EndOf(EngineSession session) => ends.GetValue(session, static _ => new CancellationTokenSource());

    private void RunAfterwards()
    {
        if (isFlushing)
            return;
        if (files.IsBehind)
        {
            isFlushing = true;
            flushing = Task.Run(Flush);
            return;
        }

        foreach (var action in afterwards)
            action();
        afterwards.Clear();
    }

    /// <summary>Group commit: while the disk is busy with some, others gather for its next turn.</summary>
    private void Flush()
    {
        List<Action> due = [];
        List<SafeFileHandle> handles;
        while (true)
        {
            lock (gate)
            {
                files.Return();
                foreach (var action in due)
                    action();
                due.Clear();
                if (!files.IsBehind && afterwards.Count == 0)
                {
                    isFlushing = false;
                    return;
                }

                (due, afterwards) = (afterwards, due);
                handles = files.Take();
            }

            foreach (var handle in handles)
                Synchronize(handle);
        }
    }

    private static void Synchronize(SafeFileHandle handle)
    {
        try
        {
            RandomAccess.FlushToDisk(handle);
        }
        catch (ObjectDisposedException)
        {
            // Closed, and synchronized before that.
        }
        catch (IOException error)
        {
            // What the disk did not take must not be acknowledged, and nobody knows what it took.
            Environment.FailFast($"The log cannot be written: {error.Message}");
        }
    }
}
