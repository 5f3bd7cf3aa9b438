using Agents.Hosting;
using Agents.InitSql;
using Agents.Kubernetes;
using Agents.Sql;
using Microsoft.Extensions.Logging;

const string name = "mssql-server-k8s-init-sql";
const string description = "Brings a SQL Server instance to its desired configuration.";
const string stopped = "Stopped before the instance was configured.";

return await Executable.RunJobAsync(args, description, InitSqlOptions.Variables, stopped, async (context, stop) =>
{
    var options = InitSqlOptions.Read(context.Environment);
    var logger = context.Logging.CreateLogger("InitSql");
    using var api = options.Kubernetes is { } kubernetes ? new HttpKubernetesApi(kubernetes, context.Time, new Random(), name) : null;
    var initialization = new Initialization(
        options,
        new InstanceAddress(api, options),
        (host, login) => new SqlClientInstance(host, options.Port, () => login, name, context.Time),
        context.Time,
        logger);
    Outcome outcome;
    try
    {
        var desired = DesiredInstance.Read(options, new AgentLoginFiles(options.AgentLoginDirectory).Read());
        outcome = await initialization.RunAsync(desired, stop).ConfigureAwait(false);
    }
    catch (Exception error) when (error is IOException or UnauthorizedAccessException or SqlInstanceException)
    {
        outcome = new Outcome(ExitCodes.Failed, error.Message);
    }

    if (outcome.ExitCode == ExitCodes.Done)
        InitSqlLog.Done(logger, outcome.Message);
    else
        InitSqlLog.Failed(logger, outcome.Message);
    return outcome.ExitCode;
}).ConfigureAwait(false);

internal static partial class InitSqlLog
{
    [LoggerMessage(LogLevel.Information, "{Message}")]
    public static partial void Done(ILogger logger, string message);

    [LoggerMessage(LogLevel.Error, "{Message}")]
    public static partial void Failed(ILogger logger, string message);
}
