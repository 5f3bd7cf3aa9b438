namespace Conformance;

/// <summary>Whose API server a fixture talks to.</summary>
internal enum Backend
{
    /// <summary>Ours.</summary>
    Emulator,

    /// <summary>kube-apiserver, with etcd and kube-controller-manager.</summary>
    ControlPlane,
}
