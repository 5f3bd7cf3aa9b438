using System.Net;
using System.Net.Sockets;
using Agents.Hosting;

namespace Unit.Hosting;

/// <summary>Executables that are told to end while they wait for an API server that accepts connections and says nothing.</summary>
internal sealed class StoppedExecutableTests
{
    [TestCase("mssql-server-k8s-failover", "Stopped before there was an outcome")]
    [TestCase("mssql-server-k8s-rotate-creds", "Stopped. Run the Job again")]
    [TestCase("mssql-server-k8s-init-sql", "Stopped before the instance was configured.")]
    public async Task A_job_that_is_stopped_has_failed_and_says_so_last(string name, string why)
    {
        var (code, last) = await StopAsync(name);
        Assert.That(code, Is.EqualTo(ExitCodes.Failed));
        Assert.That(last, Does.StartWith(why));
    }

    [Test]
    public async Task What_runs_until_it_is_stopped_is_done_then() =>
        Assert.That((await StopAsync("mssql-server-k8s-operator")).Code, Is.EqualTo(ExitCodes.Done));

    private static async Task<(int Code, string? Last)> StopAsync(string name)
    {
        var folder = Directory.CreateTempSubdirectory("stopped").FullName;
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        try
        {
            var kubeconfig = Path.Combine(folder, "config");
            await File.WriteAllTextAsync(kubeconfig, $$$"""
                {
                  "current-context": "c",
                  "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                  "clusters": [{"name": "c", "cluster": {"server": "https://{{{silent.LocalEndpoint}}}"}}],
                  "users": [{"name": "u", "user": {"token": "t"}}]
                }
                """);
            foreach (var file in (string[])["username", "password", "certificate", "private-key", "private-key-password", "master-key-password"])
                await File.WriteAllTextAsync(Path.Combine(folder, file), "x");
            using var process = ShippedProcess.Start(
                name, ("KUBECONFIG", kubeconfig), ("MSSQL_K8S_NAMESPACE", "default"), ("MSSQL_K8S_SQL_SERVER_NAME", "mssql1"), ("MSSQL_K8S_AG_NAME", "ag1"),
                ("MSSQL_K8S_SA_PASSWORD", "x"), ("MSSQL_K8S_NEW_SA_PASSWORD", "y"), ("MSSQL_K8S_EXPECTED_SERVER_NAME", "mssql1-0"),
                ("MSSQL_K8S_AGENT_LOGIN_DIR", folder), ("MSSQL_K8S_MIRRORING_CERTIFICATE_DIR", folder));
            using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(40));
            using var waiting = await silent.AcceptTcpClientAsync(bound.Token);
            process.Terminate();
            return (await process.EndAsync(), process.Lines is [.., var last] ? last : null);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
