using System.Text.Json.Nodes;

namespace Agents.Operator.Reconciliation;

/// <summary>One thing to do at the API server.</summary>
internal abstract record Step
{
    private Step()
    {
    }

    /// <summary>Makes Secret <c>&lt;name&gt;-agent-login</c> with a new random password.</summary>
    internal sealed record CreateAgentLogin(Specs.InstanceSpec Spec) : Step;

    /// <summary>Makes Secret <c>mssql-mirroring-certificate</c> with a new certificate.</summary>
    internal sealed record CreateMirroringCertificate(string Namespace) : Step;

    /// <summary>Applies a document by server-side apply.</summary>
    internal sealed record Apply(JsonObject Manifest) : Step;

    /// <summary>Deletes one run of the init Job. Its successor is created when it is gone.</summary>
    internal sealed record DeleteJob(string Namespace, string Name, string Uid, string Because) : Step;

    /// <summary>Creates the init Job.</summary>
    internal sealed record CreateJob(JsonObject Manifest) : Step;

    /// <summary>Deletes a pod so that the StatefulSet makes it anew from the current template.</summary>
    internal sealed record RestartPod(string Namespace, string Name, string Uid, string Because) : Step;

    /// <summary>Sets the finalizers of a <c>SqlServer</c> as it was seen.</summary>
    internal sealed record SetFinalizers(string Namespace, string Name, string ResourceVersion, IReadOnlyList<string> Finalizers, string Because) : Step;

    /// <summary>Deletes a Service that the specification no longer asks for.</summary>
    internal sealed record DeleteService(string Namespace, string Name, string Uid) : Step;

    /// <summary>Asks for a larger volume. Its storage class may refuse.</summary>
    internal sealed record GrowVolume(string Namespace, string Claim, string Storage) : Step;

    /// <summary>
    /// Deletes a StatefulSet and leaves its pod running, so that the next turn makes it anew with other claim templates, which cannot be changed. The new
    /// one adopts the pod.
    /// </summary>
    internal sealed record ReplaceStatefulSet(string Namespace, string Name, string Uid) : Step;

    /// <summary>Puts a request for a planned failover into the group's ConfigMap, unless one is there that nobody has finished.</summary>
    internal sealed record RequestFailover(string Namespace, string Group, string Id, string Target, string Because) : Step;
}
