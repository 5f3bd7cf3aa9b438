using System.Globalization;
using System.Net;
using Agents.Groups;
using Agents.Sql;
using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.Hosting;
using SqlServerSimulator.TSql.Execution;
using Unit.TSql;

namespace Unit.AgAgent;

/// <summary>S3 and S6 on the engine: a batch that comes after its bound changes nothing, and the same batch in time works.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class LateBatchTests : IAsyncDisposable
{
    private const string Password = "Str0ng!Passw0rd";
    private const long InTime = long.MaxValue;
    private const long Late = 0;

    private readonly string folder = Directory.CreateTempSubdirectory("late-batch-").FullName;
    private readonly InstanceHost host;
    private ISqlSession? session;

    public LateBatchTests() =>
        host = new InstanceHost(new InstanceOptions { MachineName = "one-0", SaPassword = Password }, folder, IPAddress.Loopback, _ => { });

    [SetUp]
    public async Task CreateGroup()
    {
        var login = await new SqlServer(host).LoginAsync(new LoginRequest("sa", Password, "master", false, "test", "test"), CancellationToken.None);
        session = login.Session;
        var member = new GroupMember("one-0", "one", Agents.Groups.AvailabilityMode.SynchronousCommit, "TCP://127.0.0.1:5022");
        Assert.That((await RunAsync(GroupStatements.Create("ag1", member, 60))).Errors, Is.Empty);
    }

    [Test]
    public async Task S3_an_extension_that_comes_late_is_not_carried_out()
    {
        Assert.That((await RunAsync(GroupStatements.ExtendWriteLease("ag1", 3600, Late))).Errors, Is.EqualTo(new[] { 50000 }));
        Assert.That(await RemainingAsync(), Is.LessThanOrEqualTo(60_000));
        Assert.That((await RunAsync(GroupStatements.ExtendWriteLease("ag1", 3600, InTime))).Errors, Is.Empty);
        Assert.That(await RemainingAsync(), Is.GreaterThan(60_000));
    }

    [Test]
    public async Task S6_a_failover_that_comes_late_is_not_carried_out()
    {
        Assert.That((await RunAsync(GroupStatements.Offline("ag1"))).Errors, Is.Empty);
        Assert.That((await RunAsync(GroupStatements.Failover("ag1", 3600, Late))).Errors, Is.EqualTo(new[] { 50000 }));
        Assert.That(await RoleAsync(), Is.EqualTo(Agents.Groups.ReplicaRole.Resolving));
        Assert.That((await RunAsync(GroupStatements.Failover("ag1", 3600, InTime))).Errors, Is.Empty);
        Assert.That(await RoleAsync(), Is.EqualTo(Agents.Groups.ReplicaRole.Primary));
    }

    public async ValueTask DisposeAsync()
    {
        if (session is not null)
            await session.DisposeAsync();
        await host.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private async Task<RecordingOutput> RunAsync(SqlText batch)
    {
        var output = new RecordingOutput();
        await session!.ExecuteBatchAsync(batch.Text, [], output, CancellationToken.None);
        return output;
    }

    private async Task<Agents.Groups.ReplicaRole> RoleAsync() =>
        (Agents.Groups.ReplicaRole)Convert.ToInt32((await RunAsync(GroupQueries.Role("ag1"))).Rows[0][0], CultureInfo.InvariantCulture);

    private async Task<long> RemainingAsync() => Convert.ToInt64(
        (await RunAsync(SqlText.Of($"SELECT write_lease_remaining_ticks FROM sys.dm_hadr_availability_replica_states"))).Rows[0][0], CultureInfo.InvariantCulture);
}
