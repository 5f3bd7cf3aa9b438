using KubernetesEmulator.Wire;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Storage;

namespace KubernetesEmulator.Lifecycle;

/// <summary>Deletes what no longer has an owner, and carries out foreground and orphaning deletions.</summary>
internal static class GarbageCollector
{
    public static void Run(Registry registry)
    {
        var all = registry.Catalog.Collections
            .SelectMany(r => registry.Store.List(r.Key, null).Items.Select(o => (Resource: r, Object: o))).ToList();
        var live = all.Select(a => a.Object.Uid).ToHashSet();
        var dependents = all.Where(a => a.Object.Json.Objects("metadata", "ownerReferences").Any()).ToList();

        foreach (var (resource, o) in all.Where(a => a.Object.Deleting))
        {
            var finalizers = o.Json.Texts("metadata", "finalizers").ToList();
            var mine = dependents.Where(d => Owners(d.Object).Contains(o.Uid)).ToList();
            if (finalizers.Contains("orphan"))
            {
                foreach (var (r, d) in mine)
                    Cleanup.DropOwners(registry, r, d, uid => uid == o.Uid);
                Cleanup.DropFinalizer(registry, resource, o, "orphan");
            }
            else if (finalizers.Contains("foregroundDeletion"))
            {
                var blocked = false;
                foreach (var (r, d) in mine)
                {
                    var gone = !d.Deleting && Cleanup.TryDelete(registry, r, d, new Deletion(Propagation: "Foreground", Uid: d.Uid));
                    blocked |= !gone && d.Json.Objects("metadata", "ownerReferences").Any(w => w.Text("uid") == o.Uid && w.Flag("blockOwnerDeletion"));
                }

                if (!blocked)
                    Cleanup.DropFinalizer(registry, resource, o, "foregroundDeletion");
            }
        }

        foreach (var (r, d) in dependents.Where(d => !d.Object.Deleting))
        {
            var absent = Owners(d).Where(uid => !live.Contains(uid) && !Exists(registry, uid)).ToHashSet();
            if (absent.Count == 0)
                continue;
            if (absent.Count == Owners(d).Count())
                Cleanup.TryDelete(registry, r, d, new Deletion(Propagation: "Background", Uid: d.Uid));
            else
                Cleanup.DropOwners(registry, r, d, absent.Contains);
        }
    }

    private static IEnumerable<string> Owners(StoredObject o) => o.Json.Objects("metadata", "ownerReferences").Select(w => w.Text("uid") ?? "");

    /// <summary>The collections are listed one after another: an owner made meanwhile was not in an earlier list.</summary>
    private static bool Exists(Registry registry, string uid) =>
        registry.Catalog.Collections.Any(r => registry.Store.List(r.Key, null).Items.Any(o => o.Uid == uid));
}
