using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Http;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Storage;

namespace KubernetesEmulator.Lifecycle;

/// <summary>Steps that the background controllers share. Losing a race is fine: the change that won wakes them again.</summary>
internal static class Cleanup
{
    private static readonly WriteOptions Options = new("kube-controller-manager");

    /// <summary>True when the object is gone.</summary>
    public static bool TryDelete(Registry registry, Resource r, StoredObject o, Deletion deletion)
    {
        try
        {
            return registry.Delete(r, o.Namespace, o.Name, deletion).Gone;
        }
        catch (ApiError e)
        {
            return e.Code == 404;
        }
    }

    public static void DropFinalizer(Registry registry, Resource r, StoredObject o, string finalizer) => TryChange(registry, r, o, metadata =>
    {
        if (metadata["finalizers"] is JsonArray finalizers)
            metadata["finalizers"] = new JsonArray([.. finalizers.Texts().Where(f => f != finalizer)]);
    });

    public static void DropOwners(Registry registry, Resource r, StoredObject o, Func<string, bool> gone) => TryChange(registry, r, o, metadata =>
        metadata["ownerReferences"] = new JsonArray([.. metadata.Objects("ownerReferences").Where(w => !gone(w.Text("uid") ?? "")).Select(w => w.DeepClone())]));

    private static void TryChange(Registry registry, Resource r, StoredObject o, Action<JsonObject> change)
    {
        try
        {
            registry.Mutate(r, o.Namespace, o.Name, null, Options, current =>
            {
                if (current.Text("metadata", "uid") == o.Uid)
                    change(current.Ensure("metadata"));
                return current;
            });
        }
        catch (ApiError)
        {
            // Someone else changed or removed it first.
        }
    }
}
