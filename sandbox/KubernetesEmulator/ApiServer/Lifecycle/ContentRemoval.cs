using KubernetesEmulator.Wire;
using KubernetesEmulator.Resources;

namespace KubernetesEmulator.Lifecycle;

/// <summary>Empties namespaces and custom resource collections that are being deleted, then lets them go.</summary>
internal static class ContentRemoval
{
    public const string NamespaceFinalizer = "kubernetes.io/namespace-content";
    public const string DefinitionFinalizer = "customresourcecleanup.apiextensions.k8s.io";

    public static void Run(Registry registry)
    {
        foreach (var ns in registry.Store.List(Catalog.Namespaces.Key, null).Items.Where(n => n.Deleting))
        {
            if (Empty(registry, [.. registry.Catalog.Collections.Where(c => c.Namespaced)], ns.Name))
                Release(registry, Catalog.Namespaces, ns.Name, NamespaceFinalizer);
        }

        foreach (var definition in registry.Store.List(Catalog.CustomResourceDefinitions.Key, null).Items.Where(d => d.Deleting))
        {
            if (Empty(registry, [.. registry.Catalog.Collections.Where(c => c.IsCustom && c.Key == definition.Name)], null))
                Release(registry, Catalog.CustomResourceDefinitions, definition.Name, DefinitionFinalizer);
        }
    }

    private static bool Empty(Registry registry, IReadOnlyList<Resource> resources, string? ns)
    {
        var left = false;
        foreach (var r in resources)
        {
            foreach (var o in registry.Store.List(r.Key, ns).Items)
            {
                if (o.Deleting)
                    left = true;
                else
                    left |= !Cleanup.TryDelete(registry, r, o, new Deletion(Uid: o.Uid));
            }
        }

        return !left;
    }

    private static void Release(Registry registry, Resource r, string name, string finalizer)
    {
        if (registry.Store.Get(r.Key, "", name) is { } o && o.Json.Texts("metadata", "finalizers").Contains(finalizer))
            Cleanup.DropFinalizer(registry, r, o, finalizer);
    }
}
