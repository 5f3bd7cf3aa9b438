using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace KubernetesEmulator.Services;

/// <summary>One listening address of a Service.</summary>
internal sealed class ServicePort : IDisposable
{
    private static readonly TimeSpan ConnectBound = TimeSpan.FromSeconds(10);

    private readonly Socket _listener;
    private readonly Lock _lock = new();
    private readonly HashSet<Connection> _connections = [];
    private IReadOnlyList<IPEndPoint> _targets;
    private bool _disposed;
    private int _next;

    private ServicePort(Socket listener, IReadOnlyList<IPEndPoint> targets)
    {
        (_listener, _targets) = (listener, targets);
        _ = AcceptAsync();
    }

    /// <exception cref="SocketException">The address is taken.</exception>
    public static ServicePort Listen(IPEndPoint address, IReadOnlyList<IPEndPoint> targets)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(address);
            listener.Listen(512);
            return new ServicePort(listener, targets);
        }
        catch (SocketException)
        {
            listener.Dispose();
            throw;
        }
    }

    /// <summary>New connections go to these; those to others are cut.</summary>
    public void Retarget(IReadOnlyList<IPEndPoint> targets)
    {
        lock (_lock)
        {
            _targets = targets;
            foreach (var connection in _connections.Where(x => !targets.Contains(x.Target)))
                connection.Dispose();
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (var connection in _connections)
                connection.Dispose();
        }

        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                lock (_lock)
                {
                    if (_disposed)
                        return;
                }

                continue;
            }

            Connection connection;
            lock (_lock)
            {
                connection = new Connection(client, _targets[_next++ % _targets.Count]);
                if (_disposed)
                    connection.Dispose();
                else
                    _connections.Add(connection);
            }

            _ = CarryAsync(connection);
        }
    }

    private async Task CarryAsync(Connection connection)
    {
        await connection.RunAsync(ConnectBound).ConfigureAwait(false);
        lock (_lock)
            _connections.Remove(connection);
    }

    private sealed class Connection(Socket client, IPEndPoint target) : IDisposable
    {
        private readonly Socket _server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        public IPEndPoint Target => target;

        /// <summary>Ends it from any thread, with a reset.</summary>
        public void Dispose()
        {
            try
            {
                client.LingerState = new LingerOption(true, 0);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // It is closed already.
            }

            client.Dispose();
            _server.Dispose();
        }

        public async Task RunAsync(TimeSpan connectBound)
        {
            try
            {
                client.NoDelay = true;
                _server.NoDelay = true;
                using (var bound = new CancellationTokenSource(connectBound))
                    await _server.ConnectAsync(target, bound.Token).ConfigureAwait(false);
                await Task.WhenAll(CopyAsync(client, _server), CopyAsync(_server, client)).ConfigureAwait(false);
                client.Dispose();
                _server.Dispose();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                Dispose();
            }
        }

        private async Task CopyAsync(Socket from, Socket to)
        {
            var buffer = ArrayPool<byte>.Shared.Rent(32768);
            try
            {
                for (int count; (count = await from.ReceiveAsync(buffer).ConfigureAwait(false)) > 0;)
                {
                    for (var sent = 0; sent < count;)
                        sent += await to.SendAsync(buffer.AsMemory(sent, count - sent)).ConfigureAwait(false);
                }

                to.Shutdown(SocketShutdown.Send);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The other direction must not wait for a peer that is gone.
                Dispose();
                throw;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }
}
