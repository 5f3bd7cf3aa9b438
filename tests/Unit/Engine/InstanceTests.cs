using System.Security.Cryptography;
using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;

namespace Unit.Engine;

public sealed class InstanceTests
{
    private static readonly TableName Numbers = new("db1", "dbo", "t");

    [Test]
    public void Logins_passwords_and_their_survival()
    {
        var node = new World().Add("a");
        Assert.That(node.Try(new CreateLogin("app", "short1!")), Is.EqualTo(33062));
        Assert.That(node.Try(new CreateLogin("app", "alllowercase")), Is.EqualTo(33064));
        node.Do(new CreateLogin("app", "G00d!Passw"));
        Assert.That(node.Try(new CreateLogin("APP", "G00d!Passw")), Is.EqualTo(15025));
        node.LogIn(user: "app", password: "G00d!Passw");
        node.Do(new AlterLogin("sa") { Password = "N3w!Passw0rd" });
        Assert.That(() => node.LogIn(), Throws.InstanceOf<SqlErrorException>().With.Property("Error").Property("Number").EqualTo(18456));
        node.Kill();
        node.Options = node.Options with { SaPassword = "ignored" };
        Assert.That(node.Start, Throws.InstanceOf<SqlErrorException>(), "the first password is no longer right");
        node.LogIn(password: "N3w!Passw0rd");
        node.Do(new AlterLogin("app") { Enabled = false }, node.LogIn(password: "N3w!Passw0rd"));
        Assert.That(
            () => node.LogIn(user: "app", password: "G00d!Passw"),
            Throws.InstanceOf<SqlErrorException>().With.Property("Error").Property("Number").EqualTo(18470));
    }

    [Test]
    public void A_login_without_rights_sees_no_group_and_may_change_none()
    {
        var ag = new ThreeReplicas();
        ag.A.Do(new CreateLogin("agent", "G00d!Passw"));
        var session = ag.A.LogIn(user: "agent", password: "G00d!Passw");
        Assert.That(ag.A.View("availability_groups", session), Is.Empty);
        Assert.That(
            () => ag.A.View("dm_hadr_availability_replica_states", session),
            Throws.InstanceOf<SqlErrorException>().With.Property("Error").Property("Number").EqualTo(300));
        Assert.That(ag.A.Try(new TakeOffline("ag1"), session), Is.EqualTo(15151));
        ag.A.Do(new ChangePermissions(GrantKind.Grant, ["VIEW SERVER STATE"], SecurableClass.Server, null, "agent"));
        Assert.That(ag.A.View("dm_hadr_availability_replica_states", session), Is.Empty);
        ag.A.Do(new ChangePermissions(GrantKind.Grant, ["ALTER", "CONTROL", "VIEW DEFINITION"], SecurableClass.AvailabilityGroup, "ag1", "agent"));
        Assert.That(ag.A.View("dm_hadr_availability_replica_states", session), Has.Count.EqualTo(3));
        Assert.That(ag.A.Try(new SetGroupOptions("ag1", new GroupOptions { DbFailover = true }), session), Is.Zero);
    }

    [Test]
    public void A_secondary_shows_its_own_rows_of_states_and_all_rows_of_the_catalog()
    {
        var ag = new ThreeReplicas();
        Assert.That(ag.A.View("dm_hadr_availability_replica_states"), Has.Count.EqualTo(3));
        Assert.That(ag.A.View("dm_hadr_database_replica_states"), Has.Count.EqualTo(3));
        Assert.That(ag.B.View("dm_hadr_availability_replica_states"), Has.Count.EqualTo(1));
        Assert.That(ag.B.View("dm_hadr_database_replica_states"), Has.Count.EqualTo(1));
        Assert.That(ag.B.View("availability_replicas"), Has.Count.EqualTo(3));
        Assert.That(ag.B.View("dm_hadr_availability_group_states").Single()["primary_replica"], Is.EqualTo("a"));
    }

    [Test]
    public void Every_view_gives_rows_of_the_right_width_and_carriers()
    {
        var ag = new ThreeReplicas(lease: 60);
        foreach (var node in ag.World.Nodes.Values)
        {
            foreach (var name in SystemCatalog.Names)
            {
                var view = SystemCatalog.Find("sys", name)!;
                foreach (var row in view.Rows(node.Instance, node.Sa))
                {
                    Assert.That(row, Has.Length.EqualTo(view.Columns.Count), name);
                    foreach (var (column, value) in view.Columns.Zip(row).Where(pair => pair.Second is not null))
                    {
                        Assert.That(Fits(column.Type.Kind, value!), $"{name}.{column.Name}: {value!.GetType()}");
                    }
                }
            }
        }
    }

    [Test]
    public void Uncommitted_changes_are_the_sessions_own_and_go_with_it()
    {
        var node = WithTable();
        var other = node.LogIn("db1");
        node.Do(new BeginTransaction());
        node.Do(ThreeReplicas.Row(1));
        Assert.That(node.Instance.Read(node.Sa, Numbers).Rows, Has.Count.EqualTo(1));
        Assert.That(node.Instance.Read(other, Numbers).Rows, Is.Empty);
        node.Instance.LogOut(node.Sa);
        Assert.That(node.Try(ThreeReplicas.Row(1), other), Is.Zero, "the key is free again");
        node.Restart();
        Assert.That(node.Values(), Is.EqualTo(new object[] { 1 }));
    }

    [Test]
    public void Writers_of_one_row_wait_for_each_other_and_see_what_the_first_left()
    {
        var node = WithTable();
        var other = node.LogIn("db1");
        node.Do(ThreeReplicas.Row(1));
        node.Do(new BeginTransaction());
        var increment = new UpdateRows(Numbers, row => (int)row[0]! == 1, row => [row[0], (int)row[1]! + 10]);
        node.Do(increment);
        var waiting = node.Begin(increment, other);
        Assert.That(waiting.IsCompleted, Is.False);
        node.Do(new CommitTransaction());
        Assert.That(waiting.Error, Is.Null);
        Assert.That(waiting.IsCompleted);
        Assert.That(node.Instance.Read(node.Sa, Numbers).Rows.Single()[1], Is.EqualTo(21));
    }

    [Test]
    public void A_change_by_key_looks_at_that_row_alone()
    {
        var node = WithTable();
        for (var id = 1; id <= 4; id++) node.Do(ThreeReplicas.Row(id));
        List<object?> seen = [];
        bool See(object?[] row)
        {
            seen.Add(row[0]);
            return true;
        }

        Assert.That(node.Begin(new DeleteRows(Numbers, See) { Key = [3] }).RowCount, Is.EqualTo(1));
        Assert.That(node.Begin(new DeleteRows(Numbers, See) { Key = [9] }).RowCount, Is.Zero);
        Assert.That(seen, Is.EqualTo(new object[] { 3 }));
        Assert.That(node.Begin(new DeleteRows(Numbers, See) { Top = 2 }).RowCount, Is.EqualTo(2));
        Assert.That(node.Values(), Has.Exactly(1).Items);
    }

    [Test]
    public void A_lock_time_out_and_a_deadlock_end_the_wait()
    {
        var node = WithTable();
        node.Do(ThreeReplicas.Row(1));
        node.Do(ThreeReplicas.Row(2));
        var other = node.LogIn("db1");
        UpdateRows Touch(int id) => new(Numbers, row => (int)row[0]! == id, row => [row[0], 0]);
        node.Do(new BeginTransaction());
        node.Do(Touch(1));
        other.LockTimeout = TimeSpan.FromSeconds(2);
        Assert.That(node.Try(Touch(1), other), Is.EqualTo(1222));
        other.LockTimeout = null;
        node.Do(new BeginTransaction(), other);
        node.Do(Touch(2), other);
        var waiting = node.Begin(Touch(1), other);
        Assert.That(node.Try(Touch(2)), Is.EqualTo(1205));
        Assert.That(waiting.IsCompleted && waiting.Error is null, "the victim's locks are free");
    }

    [Test]
    public void Keys_identities_and_nulls()
    {
        var node = WithTable();
        var table = new TableName("db1", "dbo", "i");
        node.Do(new CreateTable(
            table,
            [
                new ColumnDefinition("id", new SqlType(SqlKind.Int)) { Identity = true, IdentitySeed = 5, IdentityIncrement = 2 },
                new ColumnDefinition("name", new SqlType(SqlKind.NVarChar, 20, Nullable: false)),
            ],
            ["name"]));
        Assert.That(node.Do(new InsertRows(table, [[null, "x"], [null, "y"]])).Value, Is.EqualTo(7));
        Assert.That(node.Try(new InsertRows(table, [[null, "X "]])), Is.EqualTo(2627), "the collation takes no notice of case and trailing blanks");
        Assert.That(node.Try(new InsertRows(table, [[null, null]])), Is.EqualTo(515));
        node.Restart();
        Assert.That(node.Do(new InsertRows(table, [[null, "z"]])).Value, Is.EqualTo(9));
    }

    [Test]
    public void A_garbled_last_record_is_cut_on_a_lone_instance()
    {
        var node = WithTable();
        node.Do(ThreeReplicas.Row(1));
        node.Do(ThreeReplicas.Row(2));
        node.Kill();
        node.Garble(node.Files.Single(file => file.StartsWith("db-", StringComparison.Ordinal)));
        node.Start();
        Assert.That(node.Values(), Is.EqualTo(new object[] { 1 }));
        node.Do(ThreeReplicas.Row(3));
        node.Restart();
        Assert.That(node.Values(), Is.EqualTo(new object[] { 1, 3 }));
    }

    [Test]
    public void Private_keys_travel_as_PVK_under_a_password()
    {
        using var key = RSA.Create(2048);
        var file = PrivateKeyFile.Encode(key, "Pvk!Pass1", [.. Enumerable.Range(0, 16).Select(value => (byte)value)]);
        using var decoded = PrivateKeyFile.Decode(file, "Pvk!Pass1");
        Assert.That(decoded!.ExportPkcs8PrivateKey(), Is.EqualTo(key.ExportPkcs8PrivateKey()));
        Assert.That(PrivateKeyFile.Decode(file, "wrong"), Is.Null);
        Assert.That(PrivateKeyFile.Decode(file, null), Is.Null);
        Assert.That(PrivateKeyFile.Decode(file[..100], "Pvk!Pass1"), Is.Null);
    }

    [Test]
    public void Endpoints_and_certificates_refuse_as_documented()
    {
        var node = new World().Add("a");
        Assert.That(node.Try(new CreateEndpoint("second", 5023, "dbm")), Is.EqualTo(7862));
        Assert.That(node.Try(new DropCertificate("dbm")), Is.EqualTo(15352));
        Assert.That(node.Try(new CreateMasterKey("M4ster!Key")), Is.EqualTo(15578));
        Assert.That(node.Try(new CreateCertificate("again", null, World.CertificateDer)), Is.EqualTo(15232));
        Assert.That(node.Try(new CreateCertificate("bad", null, [1, 2, 3])), Is.EqualTo(15297));
        Assert.That(node.Instance.IsTrustedPeer(World.CertificateDer));
        node.Do(new AlterEndpoint("dbm") { Started = false });
        Assert.That(node.Instance.IsTrustedPeer(World.CertificateDer), Is.False);
        Assert.That(node.Instance.EndpointIdentity(), Is.Null);
    }

    [Test]
    public void A_new_server_name_counts_from_the_next_start()
    {
        var node = new World().Add("a");
        node.Do(new DropServer("a"));
        node.Do(new AddServer("longer-name-0", Local: true));
        Assert.That(node.View("servers").Single(row => (int)row["server_id"]! == 0)["name"], Is.EqualTo("longer-name-0"));
        Assert.That(node.Instance.ServerName, Is.EqualTo("a"));
        node.Restart();
        Assert.That(node.Instance.ServerName, Is.EqualTo("longer-name-0"));
    }

    private static World.Node WithTable()
    {
        var node = new World().Add("a");
        node.Do(new CreateDatabase("db1"));
        node.Do(new CreateTable(
            Numbers, [new ColumnDefinition("id", new SqlType(SqlKind.Int)), new ColumnDefinition("v", new SqlType(SqlKind.Int))], ["id"]));
        return node;
    }

    private static bool Fits(SqlKind kind, object value) => kind switch
    {
        SqlKind.Bit => value is bool,
        SqlKind.TinyInt => value is byte,
        SqlKind.SmallInt => value is short,
        SqlKind.Int => value is int,
        SqlKind.BigInt => value is long,
        SqlKind.Float => value is double,
        SqlKind.Numeric => value is System.Numerics.BigInteger,
        SqlKind.DateTime => value is DateTime,
        SqlKind.UniqueIdentifier => value is Guid,
        SqlKind.VarBinary => value is byte[],
        SqlKind.Variant => true,
        _ => value is string,
    };
}
