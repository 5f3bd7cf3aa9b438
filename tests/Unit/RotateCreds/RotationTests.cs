using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using Agents.Hosting;
using Agents.Kubernetes;
using Agents.RotateCreds;
using Agents.Sql;
using Microsoft.Extensions.Logging.Abstractions;
using Unit.Nodes;

namespace Unit.RotateCreds;

internal sealed class RotationTests
{
    private const string Old = "Old-Password1";
    private const string New = "New-Password1";

    private const string Container = """
        {"name": "mssql-server", "env": [{"name": "MSSQL_SA_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "sql-secrets", "key": "sapassword"} } }]}
        """;

    private static readonly ResourceType<JsonObject> Secrets = KubernetesTypes.Untyped("", "v1", "secrets", "Secret", true);
    private FakeKubernetesApi api = null!;
    private FakeServer server = null!;

    [SetUp]
    public async Task SetUp()
    {
        api = new FakeKubernetesApi();
        server = new FakeServer { Password = Old };
        await api.AddAsync(KubernetesTypes.Untyped("apps", "v1", "statefulsets", "StatefulSet", true),
            $$"""{"metadata": {"name": "mssql1", "namespace": "ns"}, "spec": {"template": {"spec": {"containers": [{{Container}}]} } } }""");
        await api.AddAsync(KubernetesTypes.Untyped("", "v1", "pods", "Pod", true),
            Pod("mssql1-0"));
        await api.CreateAsync(Secrets, "ns", FakeKubernetesApi.Secret("sql-secrets", ("sapassword", Old), ("other", "kept")), CancellationToken.None);
    }

    [Test]
    public async Task Changes_the_login_and_then_the_key_of_the_Secret_and_no_other_key()
    {
        var outcome = await RunAsync();
        Assert.Multiple(() =>
        {
            Assert.That(outcome.ExitCode, Is.EqualTo(ExitCodes.Done));
            Assert.That(server.Password, Is.EqualTo(New));
            Assert.That(Key("sapassword"), Is.EqualTo(New));
            Assert.That(Key("other"), Is.EqualTo("kept"));
        });
    }

    [Test]
    public async Task A_run_that_was_cut_off_after_the_login_is_completed_by_the_next()
    {
        server.Password = New;
        var outcome = await RunAsync();
        Assert.Multiple(() =>
        {
            Assert.That(outcome.ExitCode, Is.EqualTo(ExitCodes.Done));
            Assert.That(Key("sapassword"), Is.EqualTo(New));
            Assert.That(server.Statements, Has.None.StartsWith("ALTER LOGIN"));
        });
    }

    [Test]
    public async Task An_instance_that_shares_the_Secret_is_rotated_after_the_Secret_holds_the_new_password()
    {
        await api.AddAsync(KubernetesTypes.Untyped("", "v1", "pods", "Pod", true), Pod("mssql2-0"));
        Assert.That((await RunAsync()).ExitCode, Is.EqualTo(ExitCodes.Done));
        Assert.That(Key("sapassword.previous"), Is.EqualTo(Old));
        server.Password = Old;
        var second = await RunAsync(options => options with { CurrentSaPassword = new SqlSecret(New) });
        Assert.Multiple(() =>
        {
            Assert.That(second.ExitCode, Is.EqualTo(ExitCodes.Done));
            Assert.That(server.Password, Is.EqualTo(New));
        });
    }

    [Test]
    public async Task Neither_password_works_is_a_refusal_and_shows_none()
    {
        server.Password = "Third-Password1";
        var outcome = await RunAsync();
        Assert.Multiple(() =>
        {
            Assert.That(outcome.ExitCode, Is.EqualTo(ExitCodes.Refused));
            Assert.That(outcome.Message, Does.Not.Contain(Old).And.Not.Contain(New));
            Assert.That(Key("sapassword"), Is.EqualTo(Old));
        });
    }

    [Test]
    public async Task A_password_that_the_server_declines_changes_nothing()
    {
        server.Policy = 33064;
        var outcome = await RunAsync();
        Assert.Multiple(() =>
        {
            Assert.That(outcome.ExitCode, Is.EqualTo(ExitCodes.Refused));
            Assert.That(Key("sapassword"), Is.EqualTo(Old));
        });
    }

    [Test]
    public async Task An_unreachable_server_is_a_failure_not_a_refusal()
    {
        server.Down = true;
        Assert.That((await RunAsync()).ExitCode, Is.EqualTo(ExitCodes.Failed));
    }

    [Test]
    public async Task An_API_server_lost_after_the_login_was_changed_is_told_so()
    {
        server.AfterAlter = () => api.Down = true;
        var outcome = await RunAsync();
        Assert.Multiple(() =>
        {
            Assert.That(outcome.ExitCode, Is.EqualTo(ExitCodes.Failed));
            Assert.That(outcome.Message, Does.Contain("Run the Job again"));
            Assert.That(server.Password, Is.EqualTo(New));
        });
    }

    [Test]
    public async Task The_master_key_is_regenerated_with_the_password_that_is_in_force()
    {
        var outcome = await RunAsync(options => options with { NewMasterKeyPassword = new SqlSecret("Master-Password1") });
        Assert.Multiple(() =>
        {
            Assert.That(outcome.ExitCode, Is.EqualTo(ExitCodes.Done));
            Assert.That(server.Statements, Does.Contain("ALTER MASTER KEY REGENERATE WITH ENCRYPTION BY PASSWORD = N'***';"));
        });
    }

    [Test]
    public async Task What_is_not_supported_or_not_there_is_refused_before_the_server_is_asked()
    {
        var certificate = await RunAsync(options => options with { RotateCertificate = true });
        var nothing = await RunAsync(options => options with { NewSaPassword = null });
        var unknown = await RunAsync(options => options with { SqlServer = "mssql9" });
        Assert.Multiple(() =>
        {
            Assert.That(new[] { certificate, nothing, unknown }.Select(outcome => outcome.ExitCode), Is.All.EqualTo(ExitCodes.Refused));
            Assert.That(server.Statements, Is.Empty);
        });
    }

    [Test]
    public void Both_names_of_the_preview_are_read()
    {
        var values = new Dictionary<string, string>
        {
            ["MSSQL_K8S_STATEFULSET_NAME"] = "mssql1", ["MSSQL_K8S_SA_PASSWORD"] = Old, ["MSSQL_K8S_NAMESPACE"] = "ns", ["MSSQL_ROTATE_CERT"] = "False",
            ["KUBERNETES_SERVICE_HOST"] = "",
        };
        var reader = new EnvironmentReader(values.GetValueOrDefault);
        Assert.That(() => RotateCredsOptions.Read(reader), Throws.InstanceOf<ConfigurationException>(), "there is no API server here");
        Assert.That(reader.Mistakes, Has.None.Contains("MSSQL_"));
    }

    private static string Pod(string name) =>
        $$"""{"metadata": {"name": "{{name}}", "namespace": "ns"}, "spec": {"containers": [{{Container}}]}, "status": {"podIP": "127.0.0.9"} }""";

    private string Key(string key) =>
        Encoding.UTF8.GetString(Convert.FromBase64String((string)api.Find(Secrets, "ns", "sql-secrets")!["data"]![key]!));

    private Task<Outcome> RunAsync(Func<RotateCredsOptions, RotateCredsOptions>? change = null)
    {
        var options = new RotateCredsOptions
        {
            Namespace = "ns",
            SqlServer = "mssql1",
            CurrentSaPassword = new SqlSecret(Old),
            NewSaPassword = new SqlSecret(New),
            QueryTimeout = TimeSpan.FromSeconds(10),
            Kubernetes = new KubernetesConfiguration { Server = new Uri("https://localhost") },
        };
        return new Rotation(change?.Invoke(options) ?? options, api, (_, login) => new Session(server, login), NullLogger.Instance)
            .RunAsync(CancellationToken.None);
    }

    private sealed class FakeServer
    {
        public string Password { get; set; } = string.Empty;

        public int? Policy { get; set; }

        public bool Down { get; set; }

        public Action? AfterAlter { get; set; }

        public List<string> Statements { get; } = [];
    }

    private sealed class Session(FakeServer server, SqlLogin login) : ISqlInstance
    {
        public Task<IReadOnlyList<SqlResultSet>> QueryAsync(SqlText batch, TimeSpan timeout, CancellationToken cancellationToken)
        {
            if (server.Down)
                throw new SqlInstanceException(SqlFailure.Unreachable, [], "no connection");
            if (login.User != "sa" || login.Password.Reveal() != server.Password)
                throw new SqlInstanceException(SqlFailure.LoginFailed, [18456], "Login failed for user 'sa'.");
            server.Statements.Add(batch.ToString());
            const string alter = "ALTER LOGIN [sa] WITH PASSWORD = N'";
            if (batch.Text.StartsWith(alter, StringComparison.Ordinal))
            {
                if (server.Policy is { } number)
                    throw new SqlInstanceException(SqlFailure.Statement, [number], "Password validation failed.");
                server.Password = batch.Text[alter.Length..^2];
                server.AfterAlter?.Invoke();
            }

            return Task.FromResult<IReadOnlyList<SqlResultSet>>([new SqlResultSet(["one"], [new SqlRow(["one"], [1])])]);
        }

        public async IAsyncEnumerable<SqlResultSet> StreamAsync(
            SqlText batch, TimeSpan connectTimeout, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.CompletedTask;
            yield break;
        }
    }
}
