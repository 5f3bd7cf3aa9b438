using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>Where a login to a group's database ends: here ("stays"), at another replica's URL, or with an error.</summary>
public sealed class RoutingTests
{
    private static readonly AvailabilityMode[] Three = [AvailabilityMode.SynchronousCommit, AvailabilityMode.SynchronousCommit, AvailabilityMode.SynchronousCommit];

    /// <summary>Clients that only read and come to the primary.</summary>
    [TestCase("", PrimaryConnections.All, "stays")]
    [TestCase("", PrimaryConnections.ReadWrite, "979")]
    [TestCase("b", PrimaryConnections.All, "b")]
    [TestCase("b", PrimaryConnections.ReadWrite, "b", TestName = "The primary need not want readers to route them")]
    [TestCase("c b", PrimaryConnections.All, "c")]
    [TestCase("down b", PrimaryConnections.All, "b")]
    [TestCase("down", PrimaryConnections.All, "982")]
    [TestCase("down", PrimaryConnections.ReadWrite, "982")]
    [TestCase("closed b", PrimaryConnections.All, "b")]
    [TestCase("closed", PrimaryConnections.All, "982")]
    [TestCase("suspended b", PrimaryConnections.All, "b")]
    [TestCase("a b", PrimaryConnections.All, "stays")]
    [TestCase("a b", PrimaryConnections.ReadWrite, "b")]
    public void Readers_on_the_primary(string list, PrimaryConnections primary, string expected)
    {
        var ag = Group();
        var names = list.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        SetList(ag, [.. names.Select(name => new[] { name is "down" or "closed" or "suspended" ? "c" : name })]);
        Modify(ag, "a", new ReplicaOptions { PrimaryConnections = primary });
        switch (names.FirstOrDefault())
        {
            case "down":
                ag.C.Kill();
                ag.World.Run(15);
                break;
            case "closed":
                Modify(ag, "c", new ReplicaOptions { SecondaryConnections = SecondaryConnections.No });
                break;
            case "suspended":
                ag.C.Do(new SetHadr("db1", HadrAction.Suspend));
                ag.World.Run(1);
                break;
            default:
                break;
        }

        Assert.That(LogIn(ag.A, readOnly: true), Is.EqualTo(expected));
        Assert.That(LogIn(ag.A, readOnly: false), Is.EqualTo("stays"), "who writes is not routed");
        Assert.That(LogIn(ag.A, readOnly: true, "master"), Is.EqualTo("stays"), "nor is who does not ask for a database of the group");
    }

    [Test]
    public void A_set_takes_turns_and_the_next_set_waits_until_none_of_it_is_there()
    {
        var ag = Group();
        SetList(ag, [["b", "c"], ["a"]]);
        Assert.That(Enumerable.Range(0, 6).Select(_ => LogIn(ag.A, readOnly: true)), Is.EqualTo(new[] { "b", "c", "b", "c", "b", "c" }));
        ag.B.Kill();
        ag.World.Run(15);
        Assert.That(Enumerable.Range(0, 3).Select(_ => LogIn(ag.A, readOnly: true)), Is.EqualTo(new[] { "c", "c", "c" }));
        ag.C.Kill();
        ag.World.Run(15);
        Assert.That(LogIn(ag.A, readOnly: true), Is.EqualTo("stays"), "the primary is the last set");
    }

    [Test]
    public void A_group_without_listener_routes_no_readers_unless_told_so([Values] bool routes)
    {
        var ag = Group(new UncertainFacts { RoutesWithoutListener = routes }, listener: false);
        SetList(ag, [["b"]]);
        Assert.That(LogIn(ag.A, readOnly: true), Is.EqualTo(routes ? "b" : "stays"));
        Modify(ag, "a", new ReplicaOptions { PrimaryConnections = PrimaryConnections.ReadWrite });
        Assert.That(LogIn(ag.A, readOnly: true), Is.EqualTo(routes ? "b" : "979"));
    }

    [Test]
    public void Without_a_readable_secondary([Values] bool needs)
    {
        var ag = Group(new UncertainFacts { ReadIntentNeedsSecondary = needs });
        SetList(ag, [["c"]]);
        Modify(ag, "c", new ReplicaOptions { SecondaryConnections = SecondaryConnections.No });
        Assert.That(LogIn(ag.A, readOnly: true), Is.EqualTo(needs ? "982" : "stays"));
    }

    /// <summary>Clients that come to a secondary; the primary has a READ_WRITE_ROUTING_URL or none.</summary>
    [TestCase(SecondaryConnections.All, false, true, "a")]
    [TestCase(SecondaryConnections.All, false, false, "stays")]
    [TestCase(SecondaryConnections.All, true, true, "stays")]
    [TestCase(SecondaryConnections.ReadOnly, false, true, "978")]
    [TestCase(SecondaryConnections.ReadOnly, true, true, "stays")]
    [TestCase(SecondaryConnections.No, false, true, "976")]
    [TestCase(SecondaryConnections.No, true, true, "976")]
    public void On_a_secondary(SecondaryConnections allowed, bool readOnly, bool hasUrl, string expected)
    {
        var ag = Group(listener: false);
        Modify(ag, "b", new ReplicaOptions { SecondaryConnections = allowed });
        if (hasUrl)
        {
            Modify(ag, "a", new ReplicaOptions { ReadWriteRoutingUrl = "TCP://a.example:1433" });
        }

        ag.World.Run(1);
        Assert.That(LogIn(ag.B, readOnly), Is.EqualTo(expected));
        Assert.That(LogIn(ag.B, readOnly, "master"), Is.EqualTo("stays"));
    }

    [Test]
    public void A_secondary_routes_to_whoever_is_primary_and_to_nobody_when_it_follows_nobody()
    {
        var ag = Group(listener: false);
        foreach (var name in new[] { "a", "b", "c" })
        {
            Modify(ag, name, new ReplicaOptions { ReadWriteRoutingUrl = $"TCP://{name}.example:1433" });
            Modify(ag, name, new ReplicaOptions { SecondaryConnections = SecondaryConnections.All });
        }

        ag.World.Run(1);
        Assert.That(LogIn(ag.C, readOnly: false), Is.EqualTo("a"));
        ag.Promote(ag.B);
        ag.Follow(ag.B, ag.C);
        Assert.That(LogIn(ag.C, readOnly: false), Is.EqualTo("b"));
        ag.C.Do(new TakeOffline("ag1"));
        Assert.That(LogIn(ag.C, readOnly: false), Is.EqualTo("983"));
    }

    [Test]
    public void A_login_without_access_is_not_told_where_to_go()
    {
        var ag = Group();
        SetList(ag, [["b"]]);
        ag.A.Do(new CreateLogin("stranger", "Str4nger!pass"));
        var result = ag.A.Instance.LogIn(new LoginRequest("stranger", "Str4nger!pass", "db1", true, "test", "test"));
        Assert.That((result.Route, result.Errors[0].Number), Is.EqualTo(((object?)null, 4060)));
    }

    [Test]
    public void A_listener_is_a_row_whose_address_is_offline()
    {
        var ag = Group();
        foreach (var node in ag.Nodes)
        {
            var listener = node.View("availability_group_listeners").Single();
            Assert.That((listener["dns_name"], listener["port"]), Is.EqualTo(("ag1-listener", 1433)), node.Name);
            var address = node.View("availability_group_listener_ip_addresses").Single();
            Assert.That((address["ip_address"], address["ip_subnet_mask"], address["state"], address["state_desc"]), Is.EqualTo(("10.0.0.9", "255.255.255.0", (byte)0, "OFFLINE")), node.Name);
            Assert.That(address["listener_id"], Is.EqualTo(listener["listener_id"]), node.Name);
        }

        ag.A.Do(new ModifyListener("ag1", new ListenerSpec("AG1-LISTENER", [], 14330)));
        ag.A.Do(new ModifyListener("ag1", new ListenerSpec("ag1-listener", [new ListenerAddress("fd00::9", null)], null)));
        ag.World.Run(1);
        Assert.That(ag.B.View("availability_group_listeners").Single()["port"], Is.EqualTo(14330));
        Assert.That(ag.B.View("availability_group_listener_ip_addresses"), Has.Count.EqualTo(2));
        Assert.That(ag.A.Try(new RemoveListener("ag1", "other")), Is.EqualTo(19469));
        Assert.That(ag.A.Try(new AddListener("ag1", new ListenerSpec("second", [new ListenerAddress("10.0.0.8", "255.0.0.0")], null))), Is.EqualTo(50505));
        Assert.That(ag.B.Try(new RemoveListener("ag1", "ag1-listener")), Is.EqualTo(41190), "only on the primary");
        ag.A.Do(new RemoveListener("ag1", "ag1-listener"));
        ag.World.Run(1);
        Assert.That(ag.B.View("availability_group_listeners"), Is.Empty);
    }

    private static Replicas Group(UncertainFacts? facts = null, bool listener = true)
    {
        var ag = new Replicas(Three, options: options => options with { Facts = facts ?? options.Facts });
        if (listener)
        {
            ag.A.Do(new AddListener("ag1", new ListenerSpec("ag1-listener", [new ListenerAddress("10.0.0.9", "255.255.255.0")], null)));
        }

        foreach (var name in new[] { "a", "b", "c" })
        {
            Modify(ag, name, new ReplicaOptions { ReadOnlyRoutingUrl = $"TCP://{name}.example:1433" });
        }

        ag.World.Run(1);
        return ag;
    }

    private static void SetList(Replicas ag, string[][] list) => Modify(ag, "a", new ReplicaOptions { ReadOnlyRoutingList = list });

    private static void Modify(Replicas ag, string name, ReplicaOptions options) => ag.A.Do(new ModifyReplica("ag1", new ReplicaSpec(name, options)));

    private static string LogIn(World.Node node, bool readOnly, string database = "db1")
    {
        var result = node.Instance.LogIn(new LoginRequest("sa", "Sa!Passw0rd", database, readOnly, "test", "test"));
        return result.Route is { } route ? route.Server.Split('.')[0] : result.Session is not null ? "stays" : $"{result.Errors[0].Number}";
    }
}
