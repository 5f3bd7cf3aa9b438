using Clients.Drivers;
using Microsoft.Data.SqlClient;

namespace Clients;

/// <summary>The clients of the suite, for the whole run.</summary>
[SetUpFixture]
internal sealed class AllClients
{
    public static IReadOnlyList<Client> List { get; } =
    [
        new SqlClientClient(SqlConnectionEncryptOption.Optional),
        new SqlClientClient(SqlConnectionEncryptOption.Mandatory),
        new SqlClientClient(SqlConnectionEncryptOption.Strict),
        new TsqlClient("off"),
        new TsqlClient("require"),
        new BsqldbClient("request"),
        new NodeClient("tedious"),
        new NodeClient("mssql"),
        new GoClient(),
    ];

    /// <summary>Ignores the test when the client is not there.</summary>
    public static void Require(Client client)
    {
        if (client.Missing is { } why)
            Assert.Ignore(why);
    }

    [OneTimeTearDown]
    public async Task EndAsync()
    {
        foreach (var client in List)
            await client.DisposeAsync();
    }
}
