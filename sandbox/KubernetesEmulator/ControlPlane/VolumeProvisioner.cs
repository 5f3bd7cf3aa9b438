using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.ControlPlane;

/// <summary>
/// The default StorageClass of a cluster whose volumes are folders of this machine, and the PersistentVolume for each claim that asks for it. Binding
/// them is the real controller's work.
/// </summary>
internal sealed class VolumeProvisioner : IAsyncDisposable
{
    private const string Class = "standard";
    private const string Provisioner = "process-node/folder";

    private readonly IKubernetesApi _api;
    private readonly string _directory;
    private readonly Action<string> _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Wake _wake = new();
    private readonly Mirror _claims;
    private readonly Mirror _volumes;
    private readonly Task _tasks;

    private VolumeProvisioner(IKubernetesApi api, string directory, TimeProvider time, Action<string> log)
    {
        (_api, _directory, _log) = (api, directory, log);
        _claims = new Mirror(api, Kinds.Claims, time, _wake.Set);
        _volumes = new Mirror(api, Kinds.Volumes, time, _wake.Set);
        _tasks = Task.WhenAll(Task.Run(() => _claims.RunAsync(_stop.Token)), Task.Run(() => _volumes.RunAsync(_stop.Token)), Task.Run(LoopAsync));
    }

    public static async Task<VolumeProvisioner> StartAsync(
        IKubernetesApi api, string directory, TimeProvider time, Action<string> log, CancellationToken cancellationToken)
    {
        var storageClass = new JsonObject
        {
            ["apiVersion"] = "storage.k8s.io/v1",
            ["kind"] = "StorageClass",
            ["metadata"] = new JsonObject
            {
                ["name"] = Class,
                ["annotations"] = new JsonObject { ["storageclass.kubernetes.io/is-default-class"] = "true" },
            },
            ["provisioner"] = Provisioner,
            ["reclaimPolicy"] = "Delete",
            ["volumeBindingMode"] = "Immediate",
            ["allowVolumeExpansion"] = true,
        };
        await api.CreateAsync(Kinds.StorageClasses, null, storageClass, cancellationToken).ConfigureAwait(false);
        return new VolumeProvisioner(api, directory, time, log);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _tasks.ConfigureAwait(false);
        _stop.Dispose();
        _wake.Dispose();
    }

    private static string NameFor(JsonObject claim) => $"pvc-{claim.Uid()}";

    private async Task LoopAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _wake.WaitAsync(TimeSpan.FromSeconds(1), _stop.Token).ConfigureAwait(false);
                if (_claims.Synced && _volumes.Synced)
                    await ReconcileAsync().ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (KubernetesException e)
            {
                _log($"volumes: {e.Message}");
            }
        }
    }

    private async Task ReconcileAsync()
    {
        var claims = _claims.Items.Values.Where(x => x.Text("spec", "storageClassName") == Class && !x.Deleting()).ToList();
        foreach (var claim in claims.Where(x => x.Text("spec", "volumeName") is null && !_volumes.Items.ContainsKey($"/{NameFor(x)}")))
        {
            try
            {
                await _api.CreateAsync(Kinds.Volumes, null, VolumeFor(claim), _stop.Token).ConfigureAwait(false);
            }
            catch (KubernetesException e) when (e.Failure == KubernetesFailure.AlreadyExists)
            {
                // The mirror lags behind.
            }
        }

        foreach (var volume in _volumes.Items.Values.Where(x => x.Text("status", "phase") == "Released" && x.Text("spec", "storageClassName") == Class && !x.Deleting()))
            await _api.DeleteAsync(Kinds.Volumes, null, volume.Name(), _stop.Token, new DeleteOptions(Uid: volume.Uid())).ConfigureAwait(false);
    }

    private JsonObject VolumeFor(JsonObject claim) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "PersistentVolume",
        ["metadata"] = new JsonObject
        {
            ["name"] = NameFor(claim),
            ["annotations"] = new JsonObject { ["pv.kubernetes.io/provisioned-by"] = Provisioner },
        },
        ["spec"] = new JsonObject
        {
            ["capacity"] = new JsonObject { ["storage"] = claim.Text("spec", "resources", "requests", "storage") },
            ["accessModes"] = claim.At("spec", "accessModes")?.DeepClone(),
            ["persistentVolumeReclaimPolicy"] = "Delete",
            ["storageClassName"] = Class,
            ["hostPath"] = new JsonObject { ["path"] = Path.Combine(_directory, $"{claim.Namespace()}_{claim.Name()}_{claim.Uid()}") },
            ["claimRef"] = new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "PersistentVolumeClaim",
                ["namespace"] = claim.Namespace(),
                ["name"] = claim.Name(),
                ["uid"] = claim.Uid(),
            },
        },
    };
}
