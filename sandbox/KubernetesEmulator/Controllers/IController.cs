namespace KubernetesEmulator.Controllers;

/// <summary>Brings one kind of object nearer to what it asks for.</summary>
internal interface IController
{
    /// <summary>One turn over everything. Failures of single objects are collected by <see cref="ControllerHost.EachAsync{T}"/>.</summary>
    Task ReconcileAsync(ClusterView view, CancellationToken cancellationToken);
}
