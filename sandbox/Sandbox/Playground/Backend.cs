namespace Sandbox.Playground;

/// <summary>Whose API server and controllers a cluster has.</summary>
internal enum Backend
{
    /// <summary>Ours, in this process.</summary>
    Emulator,

    /// <summary>The real ones.</summary>
    ControlPlane,
}
