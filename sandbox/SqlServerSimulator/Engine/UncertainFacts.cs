using System.Globalization;

namespace SqlServerSimulator.Engine;

/// <summary>
/// What the sources leave open about the real engine, one property each. The default is the reading that is harder for a caller, or
/// the one that was seen on a live server; both readings are tested.
/// </summary>
public sealed record UncertainFacts
{
    private static readonly SortedDictionary<string, Func<UncertainFacts, string, UncertainFacts?>> Readers = new(StringComparer.OrdinalIgnoreCase)
    {
        [nameof(RestartsAsPrimary)] = Flag((facts, on) => facts with { RestartsAsPrimary = on }),
        [nameof(MissingContextError)] = OneOf([47104, 41105], (facts, number) => facts with { MissingContextError = number }),
        [nameof(NotReadyLatches)] = Flag((facts, on) => facts with { NotReadyLatches = on }),
        [nameof(LeaseTicksPerSecond)] = OneOf([1000, 10_000_000], (facts, number) => facts with { LeaseTicksPerSecond = number }),
        [nameof(LeaseExpiryMessage)] = OneOf([19407, 41091], (facts, number) => facts with { LeaseExpiryMessage = number }),
        [nameof(SetRoleDemotesPrimary)] = Flag((facts, on) => facts with { SetRoleDemotesPrimary = on }),
        [nameof(SecondaryGoesOffline)] = Flag((facts, on) => facts with { SecondaryGoesOffline = on }),
        [nameof(OfflineCountsDisconnected)] = Flag((facts, on) => facts with { OfflineCountsDisconnected = on }),
        [nameof(FailoverReadyWithoutPrimary)] = Flag((facts, on) => facts with { FailoverReadyWithoutPrimary = on }),
        [nameof(RequiredBesideConfigurationOnly)] = Flag((facts, on) => facts with { RequiredBesideConfigurationOnly = on }),
        [nameof(SetRoleCancelsSeeding)] = Flag((facts, on) => facts with { SetRoleCancelsSeeding = on }),
        [nameof(UnresolvedNameIsFinal)] = Flag((facts, on) => facts with { UnresolvedNameIsFinal = on }),
        [nameof(RoutesWithoutListener)] = Flag((facts, on) => facts with { RoutesWithoutListener = on }),
        [nameof(ReadIntentNeedsSecondary)] = Flag((facts, on) => facts with { ReadIntentNeedsSecondary = on }),
    };

    /// <summary>Names that <see cref="TryWith"/> knows.</summary>
    public static IReadOnlyCollection<string> Names => Readers.Keys;

    /// <summary>A replica that was primary is PRIMARY after a restart. One page of the documentation says so; RESOLVING is what operators see.</summary>
    public bool RestartsAsPrimary { get; init; }

    /// <summary>What FAILOVER answers without the session key external_cluster: 47104, or 41105.</summary>
    public int MissingContextError { get; init; } = 47104;

    /// <summary>
    /// 41104, answered to an old primary that came back before the new one was ready, stays until the local endpoint restarts, the new
    /// primary's endpoint restarts later on, or the replica is dropped and joined again. Otherwise the next try may succeed.
    /// </summary>
    public bool NotReadyLatches { get; init; } = true;

    /// <summary>Unit of write_lease_remaining_ticks: milliseconds, or 100 ns.</summary>
    public int LeaseTicksPerSecond { get; init; } = 1000;

    /// <summary>What the end of a write lease writes to the error log: 19407, which also fails waiting commits, or 41091.</summary>
    public int LeaseExpiryMessage { get; init; } = 19407;

    /// <summary>SET (ROLE = SECONDARY) is accepted on a PRIMARY that was not taken offline before; otherwise 41104.</summary>
    public bool SetRoleDemotesPrimary { get; init; }

    /// <summary>OFFLINE is accepted on a SECONDARY, as Microsoft's agent uses it; otherwise 41140.</summary>
    public bool SecondaryGoesOffline { get; init; } = true;

    /// <summary>OFFLINE is refused (19416) because of a disconnected synchronous secondary even when no secondary is required to commit.</summary>
    public bool OfflineCountsDisconnected { get; init; } = true;

    /// <summary>is_failover_ready keeps the stored value on a replica that has no primary; otherwise it is 0 there.</summary>
    public bool FailoverReadyWithoutPrimary { get; init; } = true;

    /// <summary>REQUIRED_SYNCHRONIZED_SECONDARIES_TO_COMMIT above 0 is allowed beside a configuration-only replica; otherwise 47108.</summary>
    public bool RequiredBesideConfigurationOnly { get; init; }

    /// <summary>SET (ROLE = SECONDARY) throws away a copy that is being seeded.</summary>
    public bool SetRoleCancelsSeeding { get; init; } = true;

    /// <summary>A name that does not resolve when a replica is first dialled leaves it DISCONNECTED until an endpoint restarts or its URL is set again.</summary>
    public bool UnresolvedNameIsFinal { get; init; }

    /// <summary>READ_ONLY_ROUTING_LIST routes clients of a group that has no listener; otherwise they stay where they came.</summary>
    public bool RoutesWithoutListener { get; init; }

    /// <summary>982 for a client that only reads when no replica of the routing list can be read now; otherwise it stays on the primary.</summary>
    public bool ReadIntentNeedsSecondary { get; init; } = true;

    /// <summary>Takes NAME=VALUE; a mistake is told with what was expected.</summary>
    public static bool TryWith(UncertainFacts facts, string setting, out UncertainFacts changed, out string mistake)
    {
        changed = facts;
        var parts = setting.Split('=', 2);
        if (!Readers.TryGetValue(parts[0], out var reader))
        {
            mistake = $"found '{parts[0]}', expected one of {string.Join(", ", Names)}.";
            return false;
        }

        if (parts.Length < 2 || reader(facts, parts[1]) is not { } next)
        {
            mistake = $"{parts[0]}: found '{(parts.Length < 2 ? "" : parts[1])}', expected another value, as docs/simulator.md lists them.";
            return false;
        }

        changed = next;
        mistake = "";
        return true;
    }

    private static Func<UncertainFacts, string, UncertainFacts?> Flag(Func<UncertainFacts, bool, UncertainFacts> set) =>
        (facts, text) => bool.TryParse(text, out var on) ? set(facts, on) : null;

    private static Func<UncertainFacts, string, UncertainFacts?> OneOf(int[] values, Func<UncertainFacts, int, UncertainFacts> set) =>
        (facts, text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && values.Contains(number) ? set(facts, number) : null;
}
