namespace Agents.Kubernetes;

/// <summary>Conditions and manner of a deletion.</summary>
/// <param name="GracePeriodSeconds">Seconds a pod gets to end, or null for its own setting.</param>
/// <param name="Uid">Delete only the object with this uid, or null for whichever bears the name.</param>
/// <param name="ResourceVersion">Delete only this version, or null.</param>
/// <param name="Orphan">Leaves what the object owns, without an owner; otherwise that is deleted after it, in the background.</param>
public sealed record DeleteOptions(int? GracePeriodSeconds = null, string? Uid = null, string? ResourceVersion = null, bool Orphan = false);
