using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Tds;

/// <summary>Listens for TDS clients and serves each with a session of its own.</summary>
internal sealed class TdsListener : IAsyncDisposable
{
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(50);

    private readonly Socket socket;
    private readonly ISqlServer server;
    private readonly TdsOptions options;
    private readonly Lazy<Task<SslStreamCertificateContext>> certificate;
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentDictionary<TdsConnection, Task> connections = new();
    private readonly Task accepting;
    private int disposed;

    private TdsListener(Socket socket, ISqlServer server, TdsOptions options)
    {
        this.socket = socket;
        this.server = server;
        this.options = options;
        EndPoint = (IPEndPoint)socket.LocalEndPoint!;
        certificate = new(() => Task.Run(() => SslStreamCertificateContext.Create(
            options.Certificate ?? ServerCertificate.LoadOrCreate(options.CertificateCache, server.Identity.ServerName, options.Time),
            additionalCertificates: null,
            offline: true)));
        accepting = AcceptAsync();
    }

    /// <summary>Where clients find it; the port is the real one when 0 was asked for.</summary>
    public IPEndPoint EndPoint { get; }

    public int ConnectionCount => connections.Count;

    /// <summary>Binds, listens and returns; clients are served until the listener is disposed of.</summary>
    public static Task<TdsListener> StartAsync(IPEndPoint endPoint, ISqlServer server, TdsOptions options, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // A restarted instance takes its port again although old connections linger.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(endPoint);
            socket.Listen(512);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        var listener = new TdsListener(socket, server, options);
        if (options.Encryption != TdsEncryption.NotSupported) _ = listener.certificate.Value;
        return Task.FromResult(listener);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0) return;
        await stop.CancelAsync();
        socket.Dispose();
        await accepting;
        foreach (var connection in connections.Keys) connection.Abort();
        try
        {
            await Task.WhenAll(connections.Values).WaitAsync(CloseTimeout, options.Time);
        }
        catch (TimeoutException)
        {
            options.Log($"TDS: {connections.Count} connections did not end in time and were left behind.");
        }

        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await socket.AcceptAsync(stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                if (stop.IsCancellationRequested) return;
                options.Log($"TDS: accepting a connection failed: {e.SocketErrorCode}.");
                await Task.Delay(AcceptPause, options.Time, CancellationToken.None);
                continue;
            }

            if (connections.Count >= options.LargestConnectionCount)
            {
                options.Log("TDS: too many connections; one was refused.");
                client.Dispose();
                continue;
            }

            var connection = Open(client);
            if (connection is null) continue;
            var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            connections[connection] = ServeAsync(connection, start.Task);
            start.SetResult();
        }
    }

    /// <summary>The connection of a client, or null when it has gone already.</summary>
    private TdsConnection? Open(Socket client)
    {
        try
        {
            client.NoDelay = true;
            var name = (client.RemoteEndPoint as IPEndPoint)?.ToString() ?? "an unknown client";
            return new TdsConnection(options.Wrap(new NetworkStream(client, ownsSocket: true)), name, server, options, certificate);
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
        {
            client.Dispose();
            return null;
        }
    }

    private async Task ServeAsync(TdsConnection connection, Task start)
    {
        await start;
        try
        {
            await connection.RunAsync();
        }
        finally
        {
            connections.TryRemove(connection, out _);
            connection.Dispose();
        }
    }
}
