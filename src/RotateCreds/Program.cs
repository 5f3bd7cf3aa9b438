using Agents.Hosting;
using Agents.Kubernetes;
using Agents.RotateCreds;
using Agents.Sql;
using Microsoft.Extensions.Logging;

const string name = "mssql-server-k8s-rotate-creds";
const string description = "Rotates the credentials of one SQL Server instance.";
const string stopped = "Stopped. Run the Job again to complete the rotation.";

return await Executable.RunJobAsync(args, description, RotateCredsOptions.Variables, stopped, async (context, stop) =>
{
    var options = RotateCredsOptions.Read(context.Environment);
    var logger = context.Logging.CreateLogger("RotateCreds");
    using var api = new HttpKubernetesApi(options.Kubernetes, context.Time, new Random(), name);
    var rotation = new Rotation(
        options, api, (host, login) => new SqlClientInstance(host, options.Port, () => login, name, context.Time), logger);
    var outcome = await rotation.RunAsync(stop).ConfigureAwait(false);
    if (outcome.ExitCode == ExitCodes.Done)
        RotateCredsLog.Done(logger, outcome.Message);
    else
        RotateCredsLog.Failed(logger, outcome.Message);
    return outcome.ExitCode;
}).ConfigureAwait(false);

internal static partial class RotateCredsLog
{
    [LoggerMessage(LogLevel.Information, "{Message}")]
    public static partial void Done(ILogger logger, string message);

    [LoggerMessage(LogLevel.Error, "{Message}")]
    public static partial void Failed(ILogger logger, string message);
}
