using System.Diagnostics.CodeAnalysis;

namespace Agents.Observation;

/// <summary>
/// What an observer came back with: <see cref="Seen{T}"/>, <see cref="Unreachable{T}"/> or <see cref="Refused{T}"/>. What was not seen is
/// never taken for healthy, absent or equal (rule S11).
/// </summary>
/// <typeparam name="T">The fact looked for.</typeparam>
public abstract record Sighting<T>
{
    private protected Sighting()
    {
    }

    /// <summary>True, with the fact, when it was seen.</summary>
    /// <param name="value">The fact.</param>
    public bool TryGet([MaybeNullWhen(false)] out T value)
    {
        if (this is Seen<T> seen)
        {
            value = seen.Value;
            return true;
        }

        value = default;
        return false;
    }

    /// <summary>Why the fact is not known; empty when it was seen.</summary>
    public string Why => this switch
    {
        Unreachable<T> unreachable => unreachable.Reason,
        Refused<T> refused => refused.Reason,
        _ => string.Empty,
    };
}

/// <summary>The fact was read.</summary>
/// <param name="Value">The fact.</param>
public sealed record Seen<T>(T Value) : Sighting<T>;

/// <summary>There was no answer: the other side may be dead, slow, frozen or cut off.</summary>
/// <param name="Reason">What was tried and what came of it.</param>
public sealed record Unreachable<T>(string Reason) : Sighting<T>;

/// <summary>The other side answered, and declined.</summary>
/// <param name="Reason">Its answer.</param>
public sealed record Refused<T>(string Reason) : Sighting<T>;
