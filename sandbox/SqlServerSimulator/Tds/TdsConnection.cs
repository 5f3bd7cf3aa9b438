using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Tds;

/// <summary>One client from its first byte to its last.</summary>
internal sealed class TdsConnection : IDisposable
{
    private const int LargestLogin = 128 * 1024;
    private const byte TlsHandshakeRecord = 0x16;
    private static readonly SslApplicationProtocol StrictProtocol = new("tds/8.0");
    private static readonly TimeSpan RoutedClientTimeout = TimeSpan.FromSeconds(10);

    private readonly Stream stream;
    private readonly ISqlServer server;
    private readonly TdsOptions options;
    private readonly Lazy<Task<SslStreamCertificateContext>> certificate;
    private readonly CancellationTokenSource closing = new();
    private readonly string client;
    private volatile CancellationTokenSource? running;

    /// <param name="stream">The client's bytes; the connection closes it.</param>
    /// <param name="client">The client as the log calls it.</param>
    /// <param name="server">Checks the login and gives the session.</param>
    /// <param name="options">The listener's settings.</param>
    /// <param name="certificate">The listener's certificate, which may still be in the making.</param>
    public TdsConnection(Stream stream, string client, ISqlServer server, TdsOptions options, Lazy<Task<SslStreamCertificateContext>> certificate)
    {
        this.stream = stream;
        this.client = client;
        this.server = server;
        this.options = options;
        this.certificate = certificate;
    }

    /// <summary>Ends the connection, whatever it does at the moment.</summary>
    public void Abort()
    {
        try
        {
            _ = closing.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            return;
        }

        // The source of a request has no timer and no parent: it is never disposed of, and can be cancelled at any time.
        if (running is { } request) _ = request.CancelAsync();
    }

    public void Dispose() => closing.Dispose();

    /// <summary>Serves the client. Never throws: what goes wrong here ends this connection and no other.</summary>
    public async Task RunAsync()
    {
        SslStream? tls = null;
        PacketStream? packets = null;
        try
        {
            packets = new PacketStream(stream, LargestLogin);
            ISqlSession? session;
            // The time-out covers the whole way to the session, so that a silent client holds nothing for long.
            using (var tooLong = new CancellationTokenSource(options.LoginTimeout, options.Time))
            using (var opening = CancellationTokenSource.CreateLinkedTokenSource(closing.Token, tooLong.Token))
            {
                (session, tls) = await OpenAsync(packets, opened => tls = opened, opening.Token);
            }

            if (session is null) return;
            packets.LargestMessage = options.LargestMessage;
            await ServeAsync(session, packets);
        }
        catch (OperationCanceledException)
        {
            // Closed by this side: shutdown, the end of the session, or a login that took too long.
        }
        catch (Exception e) when (e is TdsProtocolException or AuthenticationException)
        {
            options.Log($"TDS: connection from {client} closed: {e.Message}");
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // The client is gone.
        }
#pragma warning disable CA1031 // A defect met by one client must not end the server for all.
        catch (Exception e)
        {
            options.Log($"TDS: connection from {client} failed: {e}");
        }
#pragma warning restore CA1031
        finally
        {
            await closing.CancelAsync();
            if (packets is not null) await packets.QuiesceAsync();
            if (tls is not null) await tls.DisposeAsync();
            await stream.DisposeAsync();
        }
    }

    private async Task<(ISqlSession? Session, SslStream? Tls)> OpenAsync(PacketStream packets, Action<SslStream> opened, CancellationToken cancellationToken)
    {
        SslStream? tls = null;
        if (await packets.PeekAsync(cancellationToken) is not { } first) return (null, null);
        var strict = first == TlsHandshakeRecord;
        if (strict)
        {
            tls = await EncryptAsync(new PrefixedStream(packets.TakeBuffered(), stream), strict: true, opened, cancellationToken);
            packets.Stream = tls;
        }

        if (await packets.ReadAsync(cancellationToken) is not { } hello) return (null, tls);
        if (hello.Type != PacketType.PreLogin) throw new TdsProtocolException("The first message is not PRELOGIN.");
        var preLogin = PreLogin.Parse(hello.Payload.Span);
        var encryption = strict ? EncryptionOption.On : PreLogin.Negotiate(preLogin.Encryption, options.Encryption);
        PreLogin.WriteReply(packets.Output, server.Identity, encryption, preLogin.AsksFederatedAuthentication);
        await packets.FlushAsync(endOfMessage: true, cancellationToken);

        if (!strict)
        {
            var clientInsists = preLogin.Encryption is EncryptionOption.On or EncryptionOption.Required;
            if (encryption == EncryptionOption.NotSupported && clientInsists) return (null, null);
            if (encryption == EncryptionOption.Required && preLogin.Encryption == EncryptionOption.NotSupported) return (null, null);
            if (encryption != EncryptionOption.NotSupported)
            {
                // What came before the handshake must not pass for encrypted.
                if (packets.TakeBuffered().Length > 0) throw new TdsProtocolException("The client sent more before its TLS handshake.");
                var wrapped = new PreLoginTlsStream(stream);
                tls = await EncryptAsync(wrapped, strict: false, opened, cancellationToken);
                wrapped.HandshakeDone = true;
                packets.Stream = tls;
            }
        }

        if (await packets.ReadAsync(cancellationToken) is not { } message) return (null, tls);
        if (message.Type != PacketType.Login7) throw new TdsProtocolException("The second message is not a login.");
        var login = Login7.Parse(message.Payload.Span);
        // Neither side asked for more than an encrypted login.
        if (encryption == EncryptionOption.Off) packets.Stream = stream;
        return (await LogInAsync(login, strict, packets, cancellationToken), tls);
    }

    private async Task<ISqlSession?> LogInAsync(Login7 login, bool strict, PacketStream packets, CancellationToken cancellationToken)
    {
        var writer = new ResponseWriter(packets, server.Identity, closing.Token);
        var outcome = await CheckAsync(login, strict, cancellationToken);
        if (outcome.Session is null && outcome.Route is null)
        {
            foreach (var error in outcome.Errors) options.Log($"TDS: login of '{login.User}' from {client} failed: {error.Number}, state {error.State}.");
            // The true state is for the error log only.
            writer.Failed(outcome.Errors.Select(error => error.Number == 18456 ? error with { State = 1 } : error));
            await packets.FlushAsync(endOfMessage: true, cancellationToken);
            if ((stream is Hosting.FreezableStream freezable ? freezable.Inner : stream) is NetworkStream network) network.Socket.Shutdown(SocketShutdown.Send);
            return null;
        }

        var session = outcome.Session;
        try
        {
            packets.SessionId = session?.SessionId ?? 0;
            var packetSize = login.PacketSize == 0 ? Tds.DefaultPacketSize : (int)Math.Clamp(login.PacketSize, 512, Tds.LargestPacketSize);
            var version = strict && login.Version == Tds.Version80 ? Tds.Version80 : Math.Min(login.Version, Tds.Version74);
            writer.LoginAccepted(session?.Database ?? "master", version, packetSize, outcome.Route, login.Features.Contains(Feature.Utf8Support));
            await packets.FlushAsync(endOfMessage: true, cancellationToken);
            packets.PacketSize = packetSize;
            packets.NullBitmaps = version is >= Tds.Version73B or Tds.Version80;
        }
        catch
        {
            if (session is not null) await session.DisposeAsync();
            throw;
        }

        if (outcome.Route is null) return session;
        if (session is not null) await session.DisposeAsync();
        using var patience = new CancellationTokenSource(RoutedClientTimeout, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        while (await packets.ReadAsync(either.Token) is not null)
        {
        }

        return null;
    }

    private async Task<LoginOutcome> CheckAsync(Login7 login, bool strict, CancellationToken cancellationToken)
    {
        if (login.Version < Tds.Version72 && !(strict && login.Version == Tds.Version80))
            return Refused(17828, 20, "The prelogin packet used to open the connection is structurally invalid; the connection has been closed. Please contact the vendor of the client library.");
        if (login.IntegratedSecurity)
            return Refused(18452, 14, "Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication.");
        if (login.Features.Contains(Feature.FederatedAuthentication)) return Refused(18456, 14, $"Login failed for user '{login.User}'.");
        try
        {
            return await server.LoginAsync(
                new LoginRequest(login.User, login.Password, login.Database, login.ReadOnlyIntent, login.ApplicationName, login.HostName),
                cancellationToken);
        }
        catch (SqlErrorException e)
        {
            return new LoginOutcome(null, [e.Error]);
        }

        static LoginOutcome Refused(int number, byte severity, string message) => new(null, [new SqlError(number, severity, 1, message)]);
    }

    private async Task ServeAsync(ISqlSession session, PacketStream packets)
    {
        var abandoned = false;
        // A server that ends the session ends the connection with it.
        using var ended = session.Ended.Register(Abort);
        try
        {
            abandoned = !await new RequestLoop(session, packets, server.Identity, options, request => running = request, closing.Token).RunAsync();
        }
        finally
        {
            await closing.CancelAsync();
            if (abandoned) options.Log($"TDS: session {session.SessionId} did not end its cancelled request in time.");
            else await session.DisposeAsync();
        }
    }

    private async Task<SslStream> EncryptAsync(Stream inner, bool strict, Action<SslStream> opened, CancellationToken cancellationToken)
    {
        var tls = new SslStream(inner, leaveInnerStreamOpen: true);
        opened(tls);
        var authentication = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = await certificate.Value.WaitAsync(cancellationToken),
            ClientCertificateRequired = false,
#pragma warning disable CA5398 // Inside PRELOGIN packets clients cannot take what TLS 1.3 sends after its handshake.
            EnabledSslProtocols = strict ? SslProtocols.Tls12 | SslProtocols.Tls13 : SslProtocols.Tls12,
#pragma warning restore CA5398
            ApplicationProtocols = strict ? [StrictProtocol] : null,
        };
        await tls.AuthenticateAsServerAsync(authentication, cancellationToken);
        return tls;
    }
}
