namespace Agents.Groups;

/// <summary>A replica that the resources ask for.</summary>
/// <param name="Name">Pod name, server name and replica name in one.</param>
/// <param name="Instance">Name of the <c>SqlServer</c> resource.</param>
/// <param name="Mode">Availability mode asked for.</param>
/// <param name="Endpoint">Mirroring endpoint URL, <c>TCP://host:port</c>.</param>
public sealed record GroupMember(string Name, string Instance, AvailabilityMode Mode, string Endpoint)
{
    /// <summary>Its <c>SqlServer</c> is deleted or no longer lists the group, so it is to leave. A member that is merely missing does not leave (rule S11).</summary>
    public bool Leaving { get; init; }
}
