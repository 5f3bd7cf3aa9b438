using System.Globalization;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Sandbox.Output;
using Sandbox.Playground;
using SqlServerSimulator.Hosting.Control;

namespace Sandbox;

/// <summary>Asks a running sandbox's instance for a fault: <c>fault mssql1 slow-disk latencyMs=200 forMs=5000</c>.</summary>
internal sealed class FaultCommand(IScreen screen, string root)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public async Task<int> RunAsync(string instance, string fault, IReadOnlyList<string> fields, CancellationToken cancellationToken)
    {
        if (Request(fault, fields, out var mistake) is not { } request)
        {
            screen.Warning(mistake);
            return 1;
        }

        var sockets = ControlSockets.Of(root, instance);
        if (sockets.Count == 0)
        {
            screen.Warning($"found no running instance {instance}, expected one of a sandbox on this machine (sandbox up), such as mssql1");
            return 1;
        }

        foreach (var socket in sockets)
        {
            using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            bound.CancelAfter(Patience);
            try
            {
                var answer = await ControlClient.AskAsync(socket, request, bound.Token);
                if (answer["ok"]?.GetValue<bool>() != true)
                {
                    screen.Warning(answer["error"]?.GetValue<string>() ?? answer.ToJsonString());
                    return 1;
                }

                screen.Line(answer.ToJsonString());
                return 0;
            }
            catch (Exception error) when (error is SocketException or IOException)
            {
                // Left behind by a sandbox that is gone.
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                screen.Warning($"{instance} does not answer on its control channel");
                return 1;
            }
        }

        screen.Warning($"{instance} is not running");
        return 1;
    }

    /// <summary>The request that the words of the command line stand for; null with the mistake.</summary>
    internal static JsonObject? Request(string fault, IReadOnlyList<string> fields, out string mistake)
    {
        mistake = "";
        if (fault == "list" && fields.Count == 0)
            return new JsonObject { ["list"] = true };
        if (fault == "clear" && fields.Count <= 1)
            return new JsonObject { ["clear"] = fields.Count == 0 ? "all" : fields[0] };
        var request = new JsonObject { ["fault"] = fault };
        foreach (var field in fields)
        {
            if (field.Split('=', 2) is not [{ Length: > 0 } name, var value] || request.ContainsKey(name))
            {
                mistake = $"found '{field}', expected NAME=VALUE once for each name";
                return null;
            }

            request[name] = long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : value;
        }

        return request;
    }
}
