using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using SqlServerSimulator.Tds;

namespace Unit.Tds;

/// <summary>A listener on a free port of the loopback address, in front of a <see cref="FakeSqlServer"/>.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal abstract class TdsFixture
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly Lazy<X509Certificate2> Certificate = new(() => ServerCertificate.Create("fake", TimeProvider.System));

    protected FakeSqlServer Server { get; } = new();

    protected ConcurrentQueue<string> Log { get; } = new();

    protected TdsListener Listener { get; private set; } = null!;

    protected virtual TdsOptions Options => new() { Certificate = Certificate.Value, Log = Log.Enqueue, CancelTimeout = TimeSpan.FromSeconds(5) };

    [SetUp]
    public async Task Start() => Listener = await TdsListener.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), Server, Options, CancellationToken.None);

    [TearDown]
    public async Task Stop() => await Listener.DisposeAsync();
}
