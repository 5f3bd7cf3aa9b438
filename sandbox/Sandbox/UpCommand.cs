using Sandbox.Output;
using Sandbox.Playground;
using Sandbox.Steps;

namespace Sandbox;

/// <summary>Leaves the cluster running until Ctrl-C.</summary>
internal sealed class UpCommand(Backend backend, IScreen screen)
{
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await using var cluster = await Cluster.StartAsync(backend, screen, cancellationToken);
        await using var scene = new Scene(cluster.Group, TimeProvider.System);
        var formed = await new StepRunner(screen, TimeProvider.System)
            .RunAsync([new FormAg(scene, cluster.ApplyGroupAsync) { Writes = false }], static _ => { }, cancellationToken);
        if (!formed[0].Ok)
        {
            await Diagnosis.TellAsync(cluster, screen);
            cluster.KeepFiles();
            screen.Warning($"Logs and volumes are kept in {cluster.Directory}");
            return 1;
        }

        await TellAsync(cluster, cancellationToken);
        try
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            screen.Line("stopping");
        }

        return 0;
    }

    private async Task TellAsync(Cluster cluster, CancellationToken cancellationToken)
    {
        screen.Line("");
        screen.Line($"kubeconfig: {cluster.KubeConfig}");
        screen.Line("connection strings:");
        foreach (var service in Cluster.Instances.Prepend($"{Group.Name}-secondary").Prepend($"{Group.Name}-primary"))
        {
            var text = await cluster.Group.ConnectionStringAsync(service, Group.Database, cancellationToken);
            screen.Line($"  {service}: {text}{(service.EndsWith("-secondary", StringComparison.Ordinal) ? ";Application Intent=ReadOnly" : "")}");
        }

        screen.Line($"logs and volumes: {cluster.Directory}");
        screen.Line("try:");
        screen.Line($"  export KUBECONFIG={cluster.KubeConfig}");
        screen.Line("  kubectl get sqlservers,pods,leases -n ag1");
        screen.Line("  kubectl get pods -n ag1 -L role.ag.mssql.microsoft.com/ag1 --watch");
        screen.Line("  kubectl delete pod mssql1-0 -n ag1");
        screen.Line("  kubectl logs mssql1-0 -c mssql-ha-supervisor -n ag1 --follow");
        screen.Line("Running until Ctrl-C.");
    }
}
