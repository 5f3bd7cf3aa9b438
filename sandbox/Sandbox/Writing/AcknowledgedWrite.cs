namespace Sandbox.Writing;

/// <summary>A row whose INSERT the client saw succeed.</summary>
/// <param name="Key">Its key.</param>
/// <param name="At">When the acknowledgement arrived, on the monotonic clock.</param>
/// <param name="Server">The instance that took it.</param>
internal readonly record struct AcknowledgedWrite(long Key, TimeSpan At, string Server);
