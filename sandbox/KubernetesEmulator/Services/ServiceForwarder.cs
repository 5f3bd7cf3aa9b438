using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Services;

/// <summary>
/// Carries connections to Services' cluster IPs, which are addresses of this machine, to ready endpoints in turn. A Service without
/// ready endpoints is not listened for, so that clients are refused at once; connections to an endpoint that left are cut.
/// </summary>
public sealed class ServiceForwarder : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Wake _wake = new();
    private readonly Mirror _services;
    private readonly Mirror _endpoints;
    private readonly ConcurrentDictionary<IPEndPoint, ServicePort> _ports = [];
    private readonly HashSet<IPEndPoint> _refused = [];
    private readonly IPNetwork _range;
    private readonly Action<string> _log;
    private readonly Task _tasks;

    private ServiceForwarder(IKubernetesApi api, IPNetwork range, TimeProvider time, Action<string> log)
    {
        (_range, _log) = (range, log);
        _services = new Mirror(api, Kinds.Services, time, _wake.Set);
        _endpoints = new Mirror(api, Kinds.Endpoints, time, _wake.Set);
        _tasks = Task.WhenAll(
            Task.Run(() => _services.RunAsync(_stop.Token)), Task.Run(() => _endpoints.RunAsync(_stop.Token)), Task.Run(LoopAsync));
    }

    /// <summary>Starts to forward for Services within <paramref name="range"/>; ends with <see cref="DisposeAsync"/>.</summary>
    public static ServiceForwarder Start(IKubernetesApi api, IPNetwork range, TimeProvider time, Action<string>? log = null) =>
        new(api, range, time, log ?? (static _ => { }));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _tasks.ConfigureAwait(false);
        foreach (var port in _ports.Values)
            port.Dispose();
        _stop.Dispose();
        _wake.Dispose();
    }

    /// <summary>Where each address of each Service leads; Services without ready endpoints are left out.</summary>
    internal static Dictionary<IPEndPoint, IReadOnlyList<IPEndPoint>> Routes(
        IPNetwork range, IEnumerable<JsonObject> services, Func<string, JsonObject?> endpoints)
    {
        var routes = new Dictionary<IPEndPoint, IReadOnlyList<IPEndPoint>>();
        foreach (var service in services)
        {
            if (!IPAddress.TryParse(service.Text("spec", "clusterIP"), out var address) || !range.Contains(address))
                continue;
            var subsets = endpoints(service.Key()).Items("subsets");
            foreach (var port in service.Items("spec", "ports"))
            {
                if (port.Number("port") is not { } number || (port.Text("protocol") ?? "TCP") != "TCP")
                    continue;
                var name = port.Text("name") ?? "";
                var targets = subsets
                    .SelectMany(x => x.Items("ports").Where(y => (y.Text("name") ?? "") == name).SelectMany(y => x.Items("addresses")
                        .Select(z => new IPEndPoint(IPAddress.Parse(z.Text("ip")!), y.Number("port") ?? 0))))
                    .Distinct()
                    .ToList();
                if (targets.Count > 0)
                    routes[new IPEndPoint(address, number)] = targets;
            }
        }

        return routes;
    }

    private async Task LoopAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _wake.WaitAsync(TimeSpan.FromSeconds(1), _stop.Token).ConfigureAwait(false);
                if (_services.Synced && _endpoints.Synced)
                    Apply(Routes(_range, _services.Items.Values, x => _endpoints.Items.GetValueOrDefault(x)));
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The top of the loop: one odd Service must not end forwarding for the others.
                _log($"services: {e.Message}");
            }
        }
    }

    private void Apply(Dictionary<IPEndPoint, IReadOnlyList<IPEndPoint>> routes)
    {
        foreach (var (address, port) in _ports)
        {
            if (!routes.ContainsKey(address) && _ports.TryRemove(address, out _))
                port.Dispose();
        }

        foreach (var (address, targets) in routes)
        {
            if (_ports.TryGetValue(address, out var port))
            {
                port.Retarget(targets);
                continue;
            }

            try
            {
                _ports[address] = ServicePort.Listen(address, targets);
                _refused.Remove(address);
            }
            catch (SocketException e)
            {
                if (_refused.Add(address))
                    _log($"services: cannot listen on {address}: {e.Message}");
            }
        }
    }
}
