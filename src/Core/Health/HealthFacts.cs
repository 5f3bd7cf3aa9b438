namespace Agents.Health;

/// <summary>What is known of an instance at one moment.</summary>
/// <param name="Contact">How the last attempt to talk to it went.</param>
/// <param name="Report">The last diagnostics since it was last lost, or null when there were none.</param>
/// <param name="Silence">Time since those diagnostics, or since they could first have been expected; null when they could not.</param>
public sealed record HealthFacts(Contact Contact, DiagnosticsReport? Report, TimeSpan? Silence);

/// <summary>How the last attempt to talk to an instance went.</summary>
public abstract record Contact
{
    private protected Contact()
    {
    }
}

/// <summary>It has never answered since this process started.</summary>
/// <param name="Why">How the last attempt ended.</param>
public sealed record NeverReached(string Why) : Contact;

/// <summary>Logged in.</summary>
public sealed record Connected : Contact;

/// <summary>It answers, but declines: the login, or the diagnostics.</summary>
/// <param name="Why">Its answer.</param>
public sealed record Declined(string Why) : Contact;

/// <summary>It answered before, and does no longer.</summary>
/// <param name="Why">How the last attempt ended.</param>
/// <param name="For">How long ago it was last in contact.</param>
public sealed record Lost(string Why, TimeSpan For) : Contact;

/// <summary>What the health agent is asked to tolerate.</summary>
/// <param name="Level"><c>monitorPolicy</c>, 0 to 5.</param>
/// <param name="LostFor">How long the instance may be unreachable.</param>
/// <param name="SilentFor">How long it may send no diagnostics.</param>
public sealed record HealthPolicy(int Level, TimeSpan LostFor, TimeSpan SilentFor);

/// <summary>What the facts amount to.</summary>
/// <param name="State">The state.</param>
/// <param name="IsAlive">False when the instance shall be restarted, or may not yet be counted on.</param>
/// <param name="Because">The reason.</param>
public sealed record HealthVerdict(HealthState State, bool IsAlive, string Because);

/// <summary>States of an instance.</summary>
public enum HealthState
{
    /// <summary>Not known to be well, nor to be ill.</summary>
    Unknown,

    /// <summary>Well, as far as the policy looks.</summary>
    Healthy,

    /// <summary>Ill in a way that the policy counts.</summary>
    Unhealthy,
}
