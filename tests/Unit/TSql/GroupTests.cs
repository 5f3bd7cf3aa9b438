using System.Net;
using Agents.Groups;
using Agents.InitSql;
using Agents.Security;
using Agents.Sql;
using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.Hosting;
using SqlServerSimulator.TSql.Execution;
using AvailabilityMode = Agents.Groups.AvailabilityMode;

namespace Unit.TSql;

/// <summary>
/// The statements of the product, in the order in which it sends them, on instances that are connected by real mirroring endpoints: what
/// they are answered, and what the product's queries then say.
/// </summary>
public sealed class GroupTests
{
    private const string Group = "ag1";
    private const int Lease = 600;

    [Test]
    [CancelAfter(120_000)]
    public async Task A_group_forms_takes_a_database_and_fails_over(CancellationToken cancellationToken)
    {
        await using var cluster = await Cluster.StartAsync(3);
        var (first, second, third) = (cluster[0], cluster[1], cluster[2]);
        await first.RunAsync(GroupStatements.Create(Group, first.Member, Lease));
        await first.RunAsync(GroupStatements.GrantCreateDatabase(Group));
        Assert.That(await first.RoleAsync(), Is.EqualTo(1));

        foreach (var other in (Instance[])[second, third])
        {
            await first.RunAsync(GroupStatements.AddReplica(Group, other.Member));
            await other.RunAsync(GroupStatements.Join(Group));
            Assert.That(await other.RoleAsync(), Is.Zero, "RESOLVING until it is told otherwise");
            await other.RunAsync(GroupStatements.GrantCreateDatabase(Group));
            await other.FollowAsync(cancellationToken);
            await other.UntilAsync($"SELECT role FROM sys.dm_hadr_availability_replica_states WHERE is_local = 1", "[2]", cancellationToken);
        }

        await first.RunAsync(GroupStatements.SetRequiredSecondaries(Group, 1));
        await first.RunAsync("CREATE DATABASE d; BACKUP DATABASE d TO DISK = 'd.bak'; ALTER AVAILABILITY GROUP [ag1] ADD DATABASE d; USE d; CREATE TABLE t (id int PRIMARY KEY, v int DEFAULT (7))");
        await first.UntilAsync("SELECT COUNT(*) FROM sys.dm_hadr_database_replica_states WHERE synchronization_state_desc = 'SYNCHRONIZED'", "[3]", cancellationToken);
        await first.RunAsync("USE d; INSERT t (id) VALUES (1), (2)");

        Assert.That(await second.ErrorsAsync("USE d"), Is.EqualTo([978]));
        Assert.That(await second.ErrorsAsync("ALTER AVAILABILITY GROUP [ag1] FAILOVER"), Is.EqualTo([47104]));
        Assert.That(await second.ErrorsAsync("ALTER AVAILABILITY GROUP [ag1] ADD DATABASE e"), Is.Not.Empty);
        Assert.That(await first.ErrorsAsync("EXEC sp_set_session_context 'external_cluster', 'yes' ALTER AVAILABILITY GROUP ag1 FAILOVER"), Is.EqualTo([41122]));
        Assert.That(await first.ErrorsAsync("ALTER AVAILABILITY GROUP [ag1] SET (REQUIRED_SYNCHRONIZED_SECONDARIES_TO_COMMIT = 3)"), Is.EqualTo([35248]));
        Assert.That(await first.ErrorsAsync("ALTER AVAILABILITY GROUP [ag1] SET (WRITE_LEASE_VALIDITY = 1)"), Is.EqualTo([47119]));
        Assert.That(await first.ErrorsAsync("ALTER AVAILABILITY GROUP [nope] OFFLINE"), Is.SubsetOf([41100, 15151]));
        Assert.That(await first.ErrorsAsync("CREATE AVAILABILITY GROUP [ag1] WITH (CLUSTER_TYPE = EXTERNAL) FOR REPLICA ON 'mssql0' WITH (ENDPOINT_URL = 'TCP://127.0.0.1:1', AVAILABILITY_MODE = SYNCHRONOUS_COMMIT, FAILOVER_MODE = EXTERNAL)"), Is.EqualTo([41042]));

        await first.RunAsync(GroupStatements.Offline(Group));
        await first.UntilAsync("SELECT role FROM sys.dm_hadr_availability_replica_states WHERE is_local = 1", "[0]", cancellationToken);
        Assert.That(await first.ErrorsAsync("USE d"), Is.EqualTo([983]));
        await second.RunAsync(GroupStatements.Failover(Group, Lease, long.MaxValue / 2));
        await second.UntilAsync("SELECT role FROM sys.dm_hadr_availability_replica_states WHERE is_local = 1", "[1]", cancellationToken);
        foreach (var other in (Instance[])[first, third]) await other.FollowAsync(cancellationToken);
        await second.UntilAsync("SELECT COUNT(*) FROM sys.dm_hadr_database_replica_states WHERE synchronization_state_desc = 'SYNCHRONIZED'", "[3]", cancellationToken);
        Assert.That((await second.TryAsync("USE d; INSERT t (id) VALUES (3); SELECT id, v FROM t")).Story, Does.EndWith("(1) [1,7] [2,7] [3,7] (3)"));
        Assert.That((await second.TryAsync("SELECT sys.fn_hadr_is_primary_replica('d'), sys.fn_hadr_backup_is_preferred_replica('d')")).Story, Is.EqualTo("[True,False] (1)"));
        Assert.That((await second.TryAsync("EXEC sp_server_diagnostics")).Rows[^1][2], Is.EqualTo(Group));

        var local = await second.TryAsync(GroupQueries.Local(Group).Text);
        Assert.Multiple(() =>
        {
            Assert.That(local.Errors, Is.Empty);
            Assert.That(local.Sets, Has.Count.EqualTo(5));
            Assert.That(local.Sets[1].Select(column => column.Name), Is.EqualTo(
                ["replica_id", "sequence_number", "required_synchronized_secondaries_to_commit", "role", "availability_mode", "connected_state", "primary_replica", "commit_pending_seconds"]));
        });

        await second.RunAsync("USE master; DROP AVAILABILITY GROUP [ag1]");
        Assert.That((await second.TryAsync("SELECT COUNT(*) FROM sys.availability_groups SELECT COUNT(*) FROM d.dbo.t")).Story, Is.EqualTo("[0] (1) [3] (1)"));
    }

    [Test]
    [CancelAfter(60_000)]
    public async Task A_late_batch_neither_extends_nor_fails_over(CancellationToken cancellationToken)
    {
        await using var cluster = await Cluster.StartAsync(1);
        await cluster[0].RunAsync(GroupStatements.Create(Group, cluster[0].Member, Lease));
        Assert.That(await cluster[0].ErrorsAsync(GroupStatements.ExtendWriteLease(Group, Lease + 60, 0).Text), Is.EqualTo([50000]));
        Assert.That(await cluster[0].ErrorsAsync(GroupStatements.ExtendWriteLease(Group, Lease + 60, long.MaxValue / 2).Text), Is.Empty);
        Assert.That(await cluster[0].ErrorsAsync(GroupStatements.Failover(Group, Lease + 120, 0).Text), Is.EqualTo([50000]));
        Assert.That(await cluster[0].ErrorsAsync(GroupStatements.Failover("nope", Lease, long.MaxValue / 2).Text), Has.Length.EqualTo(1), "nothing after the refused lease");
    }

    private sealed class Cluster : IAsyncDisposable
    {
        private readonly List<Instance> _instances = [];

        public Instance this[int index] => _instances[index];

        public static async Task<Cluster> StartAsync(int count)
        {
            var passwords = new PasswordGenerator();
            var certificate = MirroringCertificate.Create(DateTimeOffset.UtcNow, passwords, 2048);
            var cluster = new Cluster();
            for (var i = 0; i < count; i++)
            {
                var instance = await Instance.StartAsync($"mssql{i}", IPAddress.Parse($"127.0.73.{i + 1}"));
                cluster._instances.Add(instance);
                var desired = new DesiredInstance(
                    instance.Member.Name, new SqlLogin("agent", new SqlSecret(passwords.Create())), certificate.Certificate, new SqlSecretBytes(certificate.PrivateKey),
                    new SqlSecret(certificate.PrivateKeyPassword), new SqlSecret(passwords.Create()));
                var plan = InstancePlanner.Plan(desired, new InstanceFacts
                {
                    ServerName = instance.Member.Name, HadrEnabled = true, AgentLogin = LoginState.Absent, HasMasterKey = false,
                });
                foreach (var step in plan.Steps) await instance.RunAsync(step.Batch);
            }

            return cluster;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var instance in _instances) await instance.DisposeAsync();
        }
    }

    private sealed class Instance(string directory, InstanceHost host, SqlServer server, GroupMember member) : IAsyncDisposable
    {
        public GroupMember Member => member;

        public static Task<Instance> StartAsync(string name, IPAddress address)
        {
            var directory = Directory.CreateTempSubdirectory("tsql-").FullName;
            var host = new InstanceHost(new InstanceOptions { MachineName = name, SaPassword = SqlFixture.Password }, directory, address, _ => { });
            var server = new SqlServer(host, new SqlServerSettings { DiagnosticsDuration = TimeSpan.FromMilliseconds(1) });
            return Task.FromResult(new Instance(directory, host, server, new GroupMember(name, name, AvailabilityMode.SynchronousCommit, $"TCP://{address}:5022")));
        }

        public Task RunAsync(SqlText batch) => RunAsync(batch.Text);

        public async Task RunAsync(string batch)
        {
            var output = await TryAsync(batch);
            Assert.That(output.Messages.Where(message => message.IsError), Is.Empty, batch);
        }

        public async Task<int[]> ErrorsAsync(string batch) => (await TryAsync(batch)).Errors.ToArray();

        public async Task<object?> RoleAsync() => (await TryAsync(GroupQueries.Role(Group).Text)).Rows.Single()[0];

        /// <summary>Becomes a secondary; 41104 says that the new primary is not ready yet.</summary>
        public async Task FollowAsync(CancellationToken cancellationToken)
        {
            while (await ErrorsAsync(GroupStatements.BecomeSecondary(Group).Text) is { Length: > 0 } errors)
            {
                Assert.That(errors, Is.EqualTo([41104]));
                await Task.Delay(20, cancellationToken);
            }
        }

        public async Task UntilAsync(string query, string row, CancellationToken cancellationToken)
        {
            while (!(await TryAsync(query)).Story.StartsWith(row, StringComparison.Ordinal))
                await Task.Delay(20, cancellationToken);
        }

        /// <summary>In a session of its own, as the role of a replica ends those that are in its databases.</summary>
        public async Task<RecordingOutput> TryAsync(string batch)
        {
            var outcome = await server.LoginAsync(new LoginRequest("sa", SqlFixture.Password, "", false, "tests", "here"), CancellationToken.None);
            await using var session = outcome.Session!;
            return await SqlFixture.RunAsync(session, batch).WaitAsync(TimeSpan.FromSeconds(60));
        }

        public async ValueTask DisposeAsync()
        {
            await host.DisposeAsync();
            Directory.Delete(directory, recursive: true);
        }
    }
}
