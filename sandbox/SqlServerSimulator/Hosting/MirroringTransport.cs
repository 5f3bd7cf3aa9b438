using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Threading.Channels;
using SqlServerSimulator.Engine;

namespace SqlServerSimulator.Hosting;

/// <summary>Carries the engine's messages between instances: framed TCP on the mirroring port, both sides authenticated by certificate.</summary>
internal sealed class MirroringTransport(InstanceHost host, IPAddress address, Action<string> log) : IAsyncDisposable
{
    private const int LargestMessage = 256 << 20;
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(400);

    private readonly ConcurrentDictionary<long, Channel<byte[]>> up = new();
    private readonly Dictionary<long, CancellationTokenSource> dialling = [];
    private readonly ConcurrentDictionary<long, CancellationTokenSource> answered = new();
    private readonly ConcurrentDictionary<Task, bool> tasks = new();
    private readonly CancellationTokenSource end = new();
    private CancellationTokenSource? listening;
    private long lastIncoming;

    // Open, Close, Listen, StopListening and Send are called under the host's lock.

    public void Open(long link, string url)
    {
        Close(link);
        var stop = CancellationTokenSource.CreateLinkedTokenSource(end.Token);
        dialling[link] = stop;
        Track(DialAsync(link, url, stop.Token));
    }

    public void Close(long link)
    {
        if (dialling.Remove(link, out var stop) || answered.TryRemove(link, out stop))
            Cancel(stop);
        up.TryRemove(link, out _);
    }

    public void Listen(int port)
    {
        StopListening();
        listening = CancellationTokenSource.CreateLinkedTokenSource(end.Token);
        Track(ListenAsync(port, listening.Token));
    }

    public void StopListening()
    {
        if (listening is null)
            return;
        Cancel(listening);
        listening = null;
        foreach (var link in answered.Keys)
            Close(link);
    }

    public void Send(long link, byte[] message)
    {
        if (up.TryGetValue(link, out var queue))
            queue.Writer.TryWrite(message);
    }

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(tasks.Keys).ConfigureAwait(false);
        end.Dispose();
    }

    // Cancelling runs continuations; not under the engine's lock.
    private static void Cancel(CancellationTokenSource stop) => ThreadPool.UnsafeQueueUserWorkItem(static stop => stop.Cancel(), stop, preferLocal: false);

    private void Track(Task task)
    {
        tasks[task] = true;
        _ = task.ContinueWith(done => tasks.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task DialAsync(long link, string url, CancellationToken cancellationToken)
    {
        await Task.Yield();
        var pause = FirstPause;
        var lastWhy = string.Empty;
        while (!cancellationToken.IsCancellationRequested)
        {
            string why;
            try
            {
                using var socket = await ConnectAsync(url, cancellationToken).ConfigureAwait(false);
                pause = FirstPause;
                why = await CarryAsync(link, socket, dialled: true, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when (error is SocketException or IOException or InvalidDataException or CryptographicException or OperationCanceledException)
            {
                why = error.Message;
                if (error is UnknownHostException)
                    host.Enter(engine => engine.LinkUnresolved(link));
            }

            if (cancellationToken.IsCancellationRequested)
                return;
            if (why != lastWhy)
            {
                log($"The connection to {url} is down: {why}");
                host.Enter(engine => engine.LinkFailed(link, why));
            }

            lastWhy = why;
            try
            {
                await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            pause = pause * 2 > LongestPause ? LongestPause : pause * 2;
        }
    }

    private async Task<Socket> ConnectAsync(string url, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Port <= 0)
            throw new InvalidDataException($"'{url}' is no endpoint URL.");
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(ConnectTimeout);
        var target = await HostNames.ResolveAsync(uri.Host, bound.Token).ConfigureAwait(false)
            ?? throw new UnknownHostException($"the name '{uri.Host}' is not known (11001)");
        var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // From the own address, as from a pod's network.
            if (!address.Equals(IPAddress.Any))
                socket.Bind(new IPEndPoint(address, 0));
            await socket.ConnectAsync(new IPEndPoint(target, uri.Port), bound.Token).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task ListenAsync(int port, CancellationToken cancellationToken)
    {
        await Task.Yield();
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
                socket.Bind(new IPEndPoint(address, port));
                socket.Listen(64);
                while (true)
                {
                    var client = await socket.AcceptAsync(cancellationToken).ConfigureAwait(false);
                    client.NoDelay = true;
                    Track(AnswerAsync(client, cancellationToken));
                }
            }
            catch (SocketException error)
            {
                log(string.Create(CultureInfo.InvariantCulture, $"The mirroring port {port} cannot be used: {error.Message}"));
                await Task.Delay(LongestPause, CancellationToken.None).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task AnswerAsync(Socket socket, CancellationToken cancellationToken)
    {
        await Task.Yield();
        var link = -Interlocked.Increment(ref lastIncoming);
        using (socket)
        {
            var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            answered[link] = stop;
            try
            {
                await CarryAsync(link, socket, dialled: false, stop.Token).ConfigureAwait(false);
            }
            catch (Exception error) when (error is SocketException or IOException or InvalidDataException or CryptographicException or OperationCanceledException)
            {
                if (error is InvalidDataException)
                    log($"A connection to the mirroring port was refused: {error.Message}");
            }
            finally
            {
                answered.TryRemove(link, out _);
            }
        }
    }

    // Authenticates, then carries messages until the connection breaks. Returns why.
    private async Task<string> CarryAsync(long link, Socket socket, bool dialled, CancellationToken cancellationToken)
    {
        using var stream = host.Freezable(new NetworkStream(socket, ownsSocket: false));
        using (var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
        {
            bound.CancelAfter(HandshakeTimeout);
            var (identity, expired, now) = host.Enter(engine => (engine.EndpointIdentity(), engine.Fault<ExpiredCertificate>() is not null, host.UtcNow));
            var own = identity ?? throw new InvalidDataException("the own endpoint is not started");
            var theirs = await MirroringHandshake.RunAsync(stream, dialled, expired ? MirroringHandshake.Expire(own, now) : own, now, bound.Token).ConfigureAwait(false);
            if (!host.Enter(engine => engine.IsTrustedPeer(theirs)))
                throw new InvalidDataException("the peer's certificate is not known here, or its owner may not connect");
        }

        var queue = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true });
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var writing = Task.CompletedTask;
        var why = "closed";
        host.Enter(engine =>
        {
            if (cancellationToken.IsCancellationRequested)
                return;
            up[link] = queue;
            writing = WriteAsync(stream, queue.Reader, broken);
            engine.LinkUp(link);
        });
        try
        {
            while (true)
            {
                var message = await MirroringHandshake.ReadFrameAsync(stream, LargestMessage, broken.Token).ConfigureAwait(false);
                host.Enter(engine =>
                {
                    if (up.TryGetValue(link, out var present) && present == queue)
                        engine.Receive(link, message);
                });
            }
        }
        catch (Exception error) when (error is SocketException or IOException or InvalidDataException or OperationCanceledException)
        {
            why = error.Message;
        }
        finally
        {
            queue.Writer.TryComplete();
            await broken.CancelAsync().ConfigureAwait(false);
            await writing.ConfigureAwait(false);
            host.Enter(engine =>
            {
                if (up.TryGetValue(link, out var present) && present == queue)
                {
                    up.TryRemove(link, out _);
                    engine.LinkDown(link, why);
                }
            });
        }

        return why;
    }

    private static async Task WriteAsync(Stream stream, ChannelReader<byte[]> messages, CancellationTokenSource broken)
    {
        try
        {
            await foreach (var message in messages.ReadAllAsync(broken.Token).ConfigureAwait(false))
                await MirroringHandshake.WriteAsync(stream, message, broken.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is SocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            await broken.CancelAsync().ConfigureAwait(false);
        }
    }

    private sealed class UnknownHostException(string message) : IOException(message);
}
