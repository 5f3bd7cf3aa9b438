using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using KubernetesEmulator.Objects;
using KubernetesEmulator.Services;
using Unit.Nodes;

namespace Unit.Services;

[TestFixture, NonParallelizable]
internal sealed class ServiceForwarderTests
{
    private static readonly IPEndPoint ClusterIP = new(IPAddress.Parse("127.96.254.1"), 18080);

    private static readonly IPNetwork Loopback = IPNetwork.Parse("127.0.0.0/8");

    private FakeKubernetesApi _api = null!;
    private ServiceForwarder _forwarder = null!;
    private TcpListener[] _servers = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _api = new FakeKubernetesApi();
        _servers = [.. new[] { "127.80.254.2", "127.80.254.3" }.Select(x => new TcpListener(IPAddress.Parse(x), 18081))];
        foreach (var server in _servers)
            server.Start();
        await _api.AddAsync(Kinds.Services, """
            {"metadata":{"name":"svc","namespace":"ns"},"spec":{"clusterIP":"127.96.254.1","ports":[{"name":"sql","port":18080}]} }
            """);
        await _api.AddAsync(Kinds.Endpoints, """{"metadata":{"name":"svc","namespace":"ns"} }""");
        _forwarder = ServiceForwarder.Start(_api, Loopback, TimeProvider.System);
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _forwarder.DisposeAsync();
        foreach (var server in _servers)
            server.Dispose();
    }

    [Test]
    public async Task Without_endpoints_a_client_is_refused()
    {
        using var client = new TcpClient();
        var failure = await Assert.ThrowsAsync<SocketException>(() => client.ConnectAsync(ClusterIP));
        Assert.That(failure!.SocketErrorCode, Is.EqualTo(SocketError.ConnectionRefused));
        await RouteAsync("127.80.254.2");
        using var second = await ConnectAsync();
        await RouteAsync();
        await Until.HoldsAsync(Refused, "refused again");
    }

    [Test]
    public async Task Bytes_go_both_ways_and_an_end_is_passed_on()
    {
        await RouteAsync("127.80.254.2");
        using var client = await ConnectAsync();
        using var server = await _servers[0].AcceptTcpClientAsync();
        var (near, far) = (client.GetStream(), server.GetStream());
        using var request = new StreamReader(far);
        using var answer = new StreamReader(near);
        await near.WriteAsync("ping"u8.ToArray());
        client.Client.Shutdown(SocketShutdown.Send);
        Assert.That(await request.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(30)), Is.EqualTo("ping"));
        await far.WriteAsync("pong"u8.ToArray());
        server.Client.Shutdown(SocketShutdown.Send);
        Assert.That(await answer.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(30)), Is.EqualTo("pong"));
    }

    [Test]
    public async Task New_connections_take_turns()
    {
        await RouteAsync("127.80.254.2", "127.80.254.3");
        using var first = await ConnectAsync();
        using var second = await ConnectAsync();
        using var a = await _servers[0].AcceptTcpClientAsync().WaitAsync(TimeSpan.FromSeconds(30));
        using var b = await _servers[1].AcceptTcpClientAsync().WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Test]
    public async Task A_connection_to_an_endpoint_that_left_is_cut()
    {
        await RouteAsync("127.80.254.2");
        using var client = await ConnectAsync();
        using var server = await _servers[0].AcceptTcpClientAsync();
        await RouteAsync("127.80.254.3");
        Assert.That(
            async () => await client.GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromSeconds(30)),
            Throws.InstanceOf<IOException>());
        using var again = await ConnectAsync();
        using var other = await _servers[1].AcceptTcpClientAsync().WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Test]
    public void Ports_are_matched_by_name_and_only_ready_addresses_are_taken()
    {
        var service = Parse("""
            {"metadata":{"name":"s","namespace":"n"},"spec":{"clusterIP":"127.96.0.9","ports":[{"name":"a","port":1},{"name":"b","port":2},{"name":"u","port":3,"protocol":"UDP"}]}}
            """);
        var endpoints = Parse("""
            {"subsets":[{"addresses":[{"ip":"127.80.0.2"}],"notReadyAddresses":[{"ip":"127.80.0.3"}],"ports":[{"name":"b","port":22},{"name":"u","port":33}]}]}
            """);
        var routes = ServiceForwarder.Routes(Loopback, [service], _ => endpoints);
        Assert.That(routes.Keys, Is.EqualTo(new[] { IPEndPoint.Parse("127.96.0.9:2") }));
        Assert.That(routes.Values.Single(), Is.EqualTo(new[] { IPEndPoint.Parse("127.80.0.2:22") }));
    }

    [Test]
    public void Names_are_those_of_cluster_DNS()
    {
        var headless = Parse("""{"metadata":{"name":"h","namespace":"n"},"spec":{"clusterIP":"None"}}""");
        var plain = Parse("""{"metadata":{"name":"s","namespace":"n"},"spec":{"clusterIP":"127.96.0.9"}}""");
        var endpoints = Parse("""{"subsets":[{"addresses":[{"ip":"127.80.0.2","hostname":"p-0"}],"notReadyAddresses":[{"ip":"127.80.0.3","hostname":"p-1"}]}]}""");
        Assert.That(ClusterNames.Text([headless, plain], x => x == "n/h" ? endpoints : null), Is.EqualTo("""
            127.80.0.2 h.n h.n.svc h.n.svc.cluster.local p-0.h.n p-0.h.n.svc p-0.h.n.svc.cluster.local
            127.96.0.9 s.n s.n.svc s.n.svc.cluster.local

            """));
    }

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();

    private static bool Refused()
    {
        using var client = new TcpClient();
        try
        {
            client.Connect(ClusterIP);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    private static async Task<TcpClient> ConnectAsync()
    {
        TcpClient? client = null;
        await Until.HoldsAsync(
            () =>
            {
                var attempt = new TcpClient();
                try
                {
                    attempt.Connect(ClusterIP);
                    client = attempt;
                    return true;
                }
                catch (SocketException)
                {
                    attempt.Dispose();
                    return false;
                }
            },
            "it listens");
        return client!;
    }

    private Task<JsonObject> RouteAsync(params string[] addresses)
    {
        var subset = new JsonObject
        {
            ["addresses"] = addresses.Select(x => new JsonObject { ["ip"] = x }).ToJson(),
            ["ports"] = new JsonArray(new JsonObject { ["name"] = "sql", ["port"] = 18081 }),
        };
        return _api.MergePatchAsync(Kinds.Endpoints, "ns", "svc", new JsonObject { ["subsets"] = new JsonArray(subset) }, default);
    }
}
