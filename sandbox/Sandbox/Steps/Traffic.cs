using KubernetesEmulator.Faults;

namespace Sandbox.Steps;

/// <summary>What pods asked of the API server during a step.</summary>
/// <param name="Over">How long it was counted.</param>
/// <param name="WatchedBytes">Bytes in the streams of their watches.</param>
/// <param name="Requests">Number of requests by client, verb and resource.</param>
internal sealed record Traffic(TimeSpan Over, long WatchedBytes, IReadOnlyDictionary<string, long> Requests)
{
    /// <summary>What has come by up to <paramref name="now"/>.</summary>
    public static Traffic Of(ApiTraffic proxy, TimeSpan now) =>
        new(now, proxy.WatchedBytes, proxy.ByKind.ToDictionary(x => $"{x.Key.Client} {x.Key.Verb} {x.Key.Resource}", x => x.Value));

    /// <summary>What came by since <paramref name="earlier"/>.</summary>
    public Traffic Since(Traffic earlier) => new(
        Over - earlier.Over,
        WatchedBytes - earlier.WatchedBytes,
        Requests.Select(x => KeyValuePair.Create(x.Key, x.Value - earlier.Requests.GetValueOrDefault(x.Key))).Where(x => x.Value > 0)
            .OrderByDescending(x => x.Value).ToDictionary());
}
