using System.Text;
using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Services;

/// <summary>The cluster's DNS as a hosts file, replaced as a whole when Services or their endpoints change.</summary>
public sealed class ClusterNames : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Wake _wake = new();
    private readonly Mirror _services;
    private readonly Mirror _endpoints;
    private readonly string _path;
    private readonly Task _tasks;

    private ClusterNames(IKubernetesApi api, string path, TimeProvider time)
    {
        _path = path;
        Write("");
        _services = new Mirror(api, Kinds.Services, time, _wake.Set);
        _endpoints = new Mirror(api, Kinds.Endpoints, time, _wake.Set);
        _tasks = Task.WhenAll(
            Task.Run(() => _services.RunAsync(_stop.Token)), Task.Run(() => _endpoints.RunAsync(_stop.Token)), Task.Run(LoopAsync));
    }

    /// <summary>Starts to keep the file; ends with <see cref="DisposeAsync"/>.</summary>
    public static ClusterNames Start(IKubernetesApi api, string path, TimeProvider time) => new(api, path, time);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _tasks.ConfigureAwait(false);
        _stop.Dispose();
        _wake.Dispose();
    }

    /// <summary>The file's text: a line per address, sorted.</summary>
    internal static string Text(IEnumerable<JsonObject> services, Func<string, JsonObject?> endpoints)
    {
        var names = new SortedDictionary<string, SortedSet<string>>(StringComparer.Ordinal);
        void Add(string? address, string name)
        {
            if (string.IsNullOrEmpty(address))
                return;
            if (!names.TryGetValue(address, out var known))
                names[address] = known = new SortedSet<string>(StringComparer.Ordinal);
            known.UnionWith([name, name + ".svc", name + ".svc.cluster.local"]);
        }

        foreach (var service in services)
        {
            var name = $"{service.Name()}.{service.Namespace()}";
            if (service.Text("spec", "clusterIP") is { Length: > 0 } address && address != "None")
            {
                Add(address, name);
                continue;
            }

            foreach (var endpoint in endpoints(service.Key()).Items("subsets").SelectMany(x => x.Items("addresses")))
            {
                Add(endpoint.Text("ip"), name);
                if (endpoint.Text("hostname") is { Length: > 0 } hostname)
                    Add(endpoint.Text("ip"), $"{hostname}.{name}");
            }
        }

        return string.Concat(names.Select(x => $"{x.Key} {string.Join(' ', x.Value)}\n"));
    }

    private async Task LoopAsync()
    {
        var written = "";
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _wake.WaitAsync(TimeSpan.FromSeconds(5), _stop.Token).ConfigureAwait(false);
                if (!_services.Synced || !_endpoints.Synced)
                    continue;
                var text = Text(_services.Items.Values, x => _endpoints.Items.GetValueOrDefault(x));
                if (text != written)
                    Write(written = text);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (IOException)
            {
                written = "";
            }
        }
    }

    private void Write(string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(_path))!);
        File.WriteAllText(_path + ".new", text, new UTF8Encoding(false));
        File.Move(_path + ".new", _path, overwrite: true);
    }
}
