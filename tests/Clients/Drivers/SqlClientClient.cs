using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Clients.Cases;
using Microsoft.Data.SqlClient;

namespace Clients.Drivers;

/// <summary>
/// Microsoft.Data.SqlClient in one mode of encryption. Its calls with parameters need an assembly that is not to be had here, so it does batches.
/// </summary>
internal sealed class SqlClientClient(SqlConnectionEncryptOption encrypt) : Client
{
    public string Encrypt =>
        encrypt == SqlConnectionEncryptOption.Strict ? "strict" : encrypt == SqlConnectionEncryptOption.Mandatory ? "mandatory" : "optional";

    public override string Name => $"SqlClient {Encrypt}";

    public override Abilities Abilities =>
        Abilities.LoginNumbers | Abilities.Notices | Abilities.AllErrors | Abilities.GoesOn | Abilities.Cancel | Abilities.Transactions | Abilities.Reset | Abilities.ReadOnlyIntent | Abilities.Values;

    public override string? Missing => null;

    public override async Task<IReadOnlyList<Reply>> RunAsync(Login login, IReadOnlyList<Step> steps)
    {
        var builder = new SqlConnectionStringBuilder
        {
            DataSource = $"tcp:{login.Host},{login.Port}",
            UserID = login.User,
            Password = login.Password,
            InitialCatalog = login.Database,
            ApplicationIntent = login.ReadOnlyIntent ? ApplicationIntent.ReadOnly : ApplicationIntent.ReadWrite,
            Encrypt = encrypt,
            TrustServerCertificate = encrypt != SqlConnectionEncryptOption.Strict,
            Pooling = steps.Any(step => step.Kind == StepKind.Reset),
            ApplicationName = TestContext.CurrentContext.Test.ID,
            ConnectRetryCount = 0,
        };
        var certificate = encrypt == SqlConnectionEncryptOption.Strict ? await CertificateAsync(login) : null;
        if (certificate is not null)
            builder.ServerCertificate = certificate;
        var replies = new List<Reply>();
        using var connection = new SqlConnection(builder.ConnectionString);
        try
        {
            await connection.OpenAsync();
            replies.Add(new Reply());
        }
        catch (SqlException e)
        {
            var refused = new Reply();
            Collect(refused, e.Errors);
            return [refused];
        }
        finally
        {
            if (certificate is not null)
                File.Delete(certificate);
        }

        SqlTransaction? transaction = null;
        var reply = new Reply();
        connection.FireInfoMessageEventOnUserErrors = true;
        SqlCommand? cancel = null;
        connection.InfoMessage += (_, e) =>
        {
            Collect(reply, e.Errors);
            if (Interlocked.Exchange(ref cancel, null) is { } command)
                ThreadPool.QueueUserWorkItem(_ => command.Cancel());
        };
        foreach (var step in steps)
        {
            replies.Add(reply = new Reply());
            using var command = new SqlCommand(step.Sql, connection, transaction);
            try
            {
                switch (step.Kind)
                {
                    case StepKind.Begin:
                        transaction = connection.BeginTransaction();
                        break;
                    case StepKind.Commit:
                        transaction!.Commit();
                        transaction = null;
                        break;
                    case StepKind.Rollback:
                        transaction!.Rollback();
                        transaction = null;
                        break;
                    case StepKind.Reset:
                        connection.Close();
                        connection.Open();
                        break;
                    default:
                        cancel = step.Kind == StepKind.Cancelled ? command : null;

                        // Not asynchronously: this client's asynchronous reads fail on long values (dotnet/SqlClient issue 3519).
                        await Task.Run(() => Read(command, reply));
                        break;
                }
            }
            catch (SqlException e)
            {
                Collect(reply, e.Errors);
            }

            Cancelled(reply, step);
        }

        if (builder.Pooling)
            SqlConnection.ClearPool(connection);
        return replies;
    }

    private static void Read(SqlCommand command, Reply reply)
    {
        using var reader = command.ExecuteReader();
        do
        {
            if (reader.FieldCount == 0)
                continue;
            var set = new ResultSet { Columns = [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)] };
            reply.Sets.Add(set);
            while (reader.Read())
                set.Rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(i => Text(reader.GetValue(i)))]);
        }
        while (reader.NextResult());
    }

    private static string? Text(object value) => value switch
    {
        DBNull => null,
        bool bit => bit ? "1" : "0",
        byte[] bytes => Convert.ToHexString(bytes),
        DateTime time => time.ToString("yyyy-MM-dd'T'HH:mm:ss.fff", CultureInfo.InvariantCulture),
        Guid guid => guid.ToString().ToUpperInvariant(),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };

    private static void Collect(Reply reply, SqlErrorCollection errors) =>
        reply.Messages.AddRange(errors.Cast<SqlError>().Select(error => new Message(error.Number, error.Class, error.State, error.Message)));

    /// <summary>This client tells of a cancelled command by an error of its own, number 0 of severity 11.</summary>
    private static void Cancelled(Reply reply, Step step)
    {
        if (step.Kind == StepKind.Cancelled)
            reply.Cancelled = reply.Messages.RemoveAll(message => message is { Number: 0, Severity: 11 }) > 0;
    }

    /// <summary>The strict mode trusts no certificate that nobody vouches for, so take the server's own, as it is copied from the server.</summary>
    private static async Task<string> CertificateAsync(Login login)
    {
        using var certificate = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(login.CertificateFile));
        var file = Path.GetTempFileName();
        await File.WriteAllBytesAsync(file, certificate.Export(X509ContentType.Cert));
        return file;
    }
}
