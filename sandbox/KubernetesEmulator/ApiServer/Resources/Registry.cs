using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Http;
using KubernetesEmulator.Patching;
using KubernetesEmulator.Schema;
using KubernetesEmulator.Storage;

namespace KubernetesEmulator.Resources;

/// <summary>The operations on objects, with the server's rules, below HTTP.</summary>
internal sealed class Registry(Store store, Catalog catalog, AddressPool addresses, string rootCertificate, TimeProvider time)
{
    private const int Attempts = 16;

    public Store Store => store;

    public Catalog Catalog => catalog;

    public StoredObject Get(Resource r, string ns, string name) => store.Get(r.Key, ns, name) ?? throw ApiError.NotFound(r, name);

    public StoredObject Create(Resource r, string ns, JsonObject body, WriteOptions options, string? appliedBy = null)
    {
        var o = body.Copy();
        CheckKind(r, o);
        Clean(r, o, options);
        var metadata = o.Ensure("metadata");
        if (metadata.Text("resourceVersion") is { Length: > 0 })
            throw ApiError.BadRequest("resourceVersion should not be set on objects to be created");
        CheckNamespace(r, ns, metadata);
        if (metadata.Text("name") is null or "")
        {
            if (metadata.Text("generateName") is not { Length: > 0 } prefix)
                throw ApiError.Invalid(r, "", [FieldError.Required("metadata.name", "name or generateName is required")]);
            metadata["name"] = prefix[..Math.Min(prefix.Length, 58)] + Admission.RandomSuffix(5);
        }

        var name = metadata.Text("name") ?? "";
        if (r.Namespaced)
            RequireNamespace(r, ns, name);
        foreach (var field in new[] { "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation", "resourceVersion" })
            metadata.Remove(field);
        if (appliedBy is null)
            metadata.Remove("managedFields");
        metadata["uid"] = Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = Document.Time(time.GetUtcNow());
        if (r.CountsGenerations)
            metadata["generation"] = 1;
        if (r.HasStatus)
            o.Remove("status");
        if (r.Key != Catalog.Services.Key)
            Admission.Create(r, o, store);
        Defaults.Apply(r, o);
        if (r.Key == Catalog.CustomResourceDefinitions.Key)
            Definitions.Accept(o, time);
        Validate(r, name, o, null, null);
        if (r.Key == Catalog.Services.Key)
        {
            Admission.Create(r, o, store);
            lock (addresses.Gate)
            {
                addresses.Assign(o);
                return Add(r, name, o, options, appliedBy);
            }
        }

        return Add(r, name, o, options, appliedBy);
    }

    /// <summary>PUT.</summary>
    public (StoredObject Object, bool Created) Update(Resource r, string ns, string name, string? subresource, JsonObject body, WriteOptions options)
    {
        var fresh = body.Copy();
        var present = store.Get(r.Key, ns, name) is not null;
        if (!present && fresh.Text("metadata", "uid") is { Length: > 0 } uid)
            throw ApiError.Conflict(r, name, $"Precondition failed: UID in precondition: {uid}, UID in object meta: ");
        if (present || !r.CreatesOnUpdate || subresource is not null)
            return (Mutate(r, ns, name, subresource, options, _ => body.Copy(), put: true), false);
        if (fresh.Text("metadata", "name") is { Length: > 0 } said && said != name)
            throw WrongName(said, name);
        fresh.Ensure("metadata")["name"] = name;
        fresh.Ensure("metadata").Remove("resourceVersion");
        return (Create(r, ns, fresh, options), true);
    }

    /// <summary>
    /// Reads, changes and writes until nobody came between. <paramref name="change"/> gets a copy of the object in the version of
    /// <paramref name="r"/>; <paramref name="appliedBy"/> says that it has already written the field managers.
    /// </summary>
    public StoredObject Mutate(
        Resource r, string ns, string name, string? subresource, WriteOptions options, Func<JsonObject, JsonObject> change, bool put = false,
        string? appliedBy = null)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var current = Get(r, ns, name);
            var old = current.Json.Copy();
            old["apiVersion"] = r.ApiVersion;
            var proposed = change(old.Copy());
            CheckKind(r, proposed);
            var now = Prepare(r, ns, current, old, proposed, subresource, options, put, appliedBy);
            options.Guard?.Invoke(old, now);
            if (SameButManagers(old, now) && (appliedBy is null || Document.Same(old.At("metadata", "managedFields"), now.At("metadata", "managedFields"))))
                return current;
            if (appliedBy is null)
                ServerSideApply.Track(r, old, now, options.FieldManager, subresource, time.GetUtcNow());
            if (options.DryRun)
                return StoredObject.Of(now, current.Version);
            var metadata = now.Child("metadata");
            var finished = metadata?.ContainsKey("deletionTimestamp") == true && !metadata.Texts("finalizers").Any()
                && metadata.Number("deletionGracePeriodSeconds") is null or 0;
            var stored = finished ? store.TryRemove(r.Key, current, now) : store.TryReplace(r.Key, current, now);
            if (stored is not null)
                return stored;
            if (put && proposed.Text("metadata", "resourceVersion") is { Length: > 0 })
                throw ApiError.Conflict(r, name);
        }

        throw ApiError.Conflict(r, name);
    }

    /// <summary>Deletes or begins to delete.</summary>
    /// <returns>The object's last known state and whether it is gone.</returns>
    public (StoredObject Object, bool Gone) Delete(Resource r, string ns, string name, Deletion deletion)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var current = Get(r, ns, name);
            if (deletion.Uid is { } uid && uid != current.Uid)
                throw ApiError.Conflict(r, name, $"the UID in the precondition ({uid}) does not match the UID in record ({current.Uid}). "
                    + "The object might have been deleted and then recreated");
            if (deletion.ResourceVersion is { Length: > 0 } version && version != current.Json.Text("metadata", "resourceVersion"))
                throw ApiError.Conflict(r, name, $"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record "
                    + $"({current.Json.Text("metadata", "resourceVersion")}). The object might have been modified");
            var next = current.Json.Copy();
            var metadata = next.Ensure("metadata");
            Finalizers(r, metadata, deletion.Propagation);
            var grace = Grace(r, current.Json, deletion.GracePeriodSeconds);
            if (grace == 0 && !metadata.Texts("finalizers").Any())
            {
                if (deletion.DryRun || store.TryRemove(r.Key, current) is not null)
                    return (current, true);
                continue;
            }

            var before = metadata.Number("deletionGracePeriodSeconds");
            if (!current.Deleting)
            {
                metadata["deletionTimestamp"] = Document.Time(time.GetUtcNow().AddSeconds(grace));
                metadata["deletionGracePeriodSeconds"] = grace;
                if (r.CountsGenerations)
                    metadata["generation"] = (metadata.Number("generation") ?? 0) + 1;
                if (r.Key == Catalog.Namespaces.Key)
                    next.Ensure("status")["phase"] = "Terminating";
            }
            else if (grace < before)
            {
                metadata["deletionGracePeriodSeconds"] = grace;
                metadata["deletionTimestamp"] = Document.Time(time.GetUtcNow().AddSeconds(grace));
            }

            if (deletion.DryRun || Document.Same(next, current.Json))
                return (current, false);
            if (store.TryReplace(r.Key, current, next) is { } stored)
                return (stored, false);
        }

        throw ApiError.Conflict(r, name);
    }

    /// <summary>The object's bytes in the version that <paramref name="r"/> serves.</summary>
    public static JsonObject InVersion(Resource r, StoredObject o)
    {
        if (o.Json.Text("apiVersion") == r.ApiVersion)
            return o.Json;
        var copy = o.Json.Copy();
        copy["apiVersion"] = r.ApiVersion;
        return copy;
    }

    public static void CheckKind(Resource r, JsonObject o)
    {
        var (kind, version) = (o.Text("kind"), o.Text("apiVersion"));
        if (r.IsCustom && kind is null or "")
            throw ApiError.BadRequest($"Object 'Kind' is missing in '{Document.Show(o)[..Math.Min(200, Document.Show(o).Length)]}'");
        if (version is { Length: > 0 } && version != r.ApiVersion)
            throw ApiError.BadRequest($"the API version in the data ({version}) does not match the expected API version ({r.ApiVersion})");
        if (kind is { Length: > 0 } && kind != r.Kind)
            throw ApiError.BadRequest($"{kind} in version \"{r.Version}\" cannot be handled as a {r.Kind}: the kind in the data ({kind}) does not match the expected kind ({r.Kind})");
        o["kind"] = r.Kind;
        o["apiVersion"] = r.ApiVersion;
    }

    private static ApiError WrongName(string said, string name) =>
        ApiError.BadRequest($"the name of the object ({said}) does not match the name on the URL ({name})");

    private static void Finalizers(Resource r, JsonObject metadata, string? propagation)
    {
        var wanted = propagation switch { "Foreground" => "foregroundDeletion", "Orphan" => "orphan", _ => null };
        if (r.Key == Catalog.Namespaces.Key)
            wanted = Lifecycle.ContentRemoval.NamespaceFinalizer;
        else if (r.Key == Catalog.CustomResourceDefinitions.Key)
            wanted = Lifecycle.ContentRemoval.DefinitionFinalizer;
        if (metadata.ContainsKey("deletionTimestamp"))
            return;
        if (wanted is not null && !metadata.Texts("finalizers").Contains(wanted))
        {
            if (metadata["finalizers"] is not JsonArray finalizers)
                metadata["finalizers"] = finalizers = [];
            finalizers.Add(wanted);
        }
    }

    private static long Grace(Resource r, JsonObject o, long? asked)
    {
        if (r.Key != Catalog.Pods.Key)
            return 0;
        if (o.Text("spec", "nodeName") is null or "" || o.Text("status", "phase") is "Succeeded" or "Failed")
            return 0;
        return Math.Max(0, asked ?? o.Number("metadata", "deletionGracePeriodSeconds") ?? o.Number("spec", "terminationGracePeriodSeconds") ?? 30);
    }

    private static void CheckNamespace(Resource r, string ns, JsonObject metadata)
    {
        if (!r.Namespaced)
        {
            metadata.Remove("namespace");
            return;
        }

        if (metadata.Text("namespace") is { Length: > 0 } said && said != ns)
            throw ApiError.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        metadata["namespace"] = ns;
    }

    private static bool SameButManagers(JsonObject old, JsonObject now)
    {
        var (a, b) = (old.Copy(), now.Copy());
        a.Child("metadata")?.Remove("managedFields");
        b.Child("metadata")?.Remove("managedFields");
        return Document.Same(a, b);
    }

    private static void Clean(Resource r, JsonObject o, WriteOptions options)
    {
        List<string> unknown;
        try
        {
            unknown = Decoder.Decode(r, o);
        }
        catch (FormatException e)
        {
            throw Undecodable(r, options, e.Message);
        }

        var texts = unknown.Select(u => $"unknown field \"{u}\"");
        if (unknown.Count > 0 && options.StrictFields)
            throw Undecodable(r, options, $"strict decoding error: {string.Join(", ", texts)}");
        foreach (var text in texts)
            options.Warn?.Invoke(text);
        if (r.IsCustom)
            SchemaCheck.Default(o, r.Schema);
    }

    private static ApiError Undecodable(Resource r, WriteOptions options, string why) => options.Patch is { } patch
        ? ApiError.Invalid("", [FieldError.Invalid("patch", Document.Show(patch), why)])
        : ApiError.BadRequest($"{r.Kind} in version \"{r.Version}\" cannot be handled as a {r.Kind}: {why}");

    private static void Validate(Resource r, string name, JsonObject o, JsonObject? old, string? subresource)
    {
        var errors = Validation.Check(r, o);
        if (r.IsCustom)
            SchemaCheck.Validate(o, r.Schema, errors);
        if (old is not null && subresource is null)
            errors.AddRange(Validation.CheckUpdate(r, old, o));
        if (errors.Count > 0)
            throw ApiError.Invalid(r, name, errors);
    }

    private StoredObject Add(Resource r, string name, JsonObject o, WriteOptions options, string? appliedBy)
    {
        options.Guard?.Invoke(null, o);
        if (appliedBy is null)
            ServerSideApply.Track(r, null, o, options.FieldManager, null, time.GetUtcNow());
        if (options.DryRun)
            return store.Get(r.Key, o.Text("metadata", "namespace") ?? "", name) is null ? StoredObject.Of(o, 0) : throw ApiError.AlreadyExists(r, name);
        var stored = store.TryAdd(r.Key, o) ?? throw ApiError.AlreadyExists(r, name);
        if (r.Key == Catalog.Namespaces.Key)
            Furnish(name);
        return stored;
    }

    private void Furnish(string ns)
    {
        var options = new WriteOptions("kube-controller-manager");
        Create(Catalog.ServiceAccounts, ns, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "default" } }, options);
        Create(Catalog.ConfigMaps, ns, new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "kube-root-ca.crt" },
            ["data"] = new JsonObject { ["ca.crt"] = rootCertificate },
        }, options);
    }

    private void RequireNamespace(Resource r, string ns, string name)
    {
        var found = store.Get(Catalog.Namespaces.Key, "", ns) ?? throw ApiError.NotFound(Catalog.Namespaces, ns);
        if (found.Deleting)
            throw ApiError.Forbidden(r, name, $"unable to create new content in namespace {ns} because it is being terminated");
    }

    private JsonObject Prepare(
        Resource r, string ns, StoredObject current, JsonObject old, JsonObject proposed, string? subresource, WriteOptions options, bool put,
        string? appliedBy)
    {
        var name = current.Name;
        var metadata = proposed.Ensure("metadata");
        CheckNamespace(r, ns, metadata);
        if (metadata.Text("name") is { Length: > 0 } said && said != name)
            throw WrongName(said, name);
        if (metadata.Text("uid") is { Length: > 0 } uid && uid != current.Uid)
            throw ApiError.Conflict(r, name, $"Precondition failed: UID in precondition: {uid}, UID in object meta: {current.Uid}");
        if (metadata.Text("resourceVersion") is { Length: > 0 } version)
        {
            if (version != old.Text("metadata", "resourceVersion"))
                throw ApiError.Conflict(r, name);
        }
        else if (put && !r.UnconditionalUpdate)
        {
            throw ApiError.Invalid(r, name, [new FieldError("metadata.resourceVersion", "FieldValueInvalid", "Invalid value: 0x0: must be specified for an update")]);
        }

        JsonObject now;
        if (subresource is null)
        {
            now = proposed.Copy();
            var oldMetadata = old.Ensure("metadata");
            metadata = now.Ensure("metadata");
            foreach (var field in new[] { "name", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "resourceVersion", "selfLink", "generateName" })
                metadata.Put(field, oldMetadata[field]);
            if (metadata["managedFields"] is null)
                metadata.Put("managedFields", oldMetadata["managedFields"]);
            if (r.HasStatus)
                now.Put("status", old["status"]);
            if (current.Deleting && metadata.Texts("finalizers").Except(oldMetadata.Texts("finalizers")).ToList() is { Count: > 0 } added)
                throw ApiError.Invalid(r, name, [FieldError.Forbidden("metadata.finalizers", $"no new finalizers can be added if the object is being deleted, found new finalizers {Document.Show(new JsonArray([.. added]))}")]);
            Carry(r, old, now);
        }
        else
        {
            now = old.Copy();
            now.Put("status", proposed["status"]);
            if (appliedBy is not null)
                now.Ensure("metadata").Put("managedFields", proposed.At("metadata", "managedFields"));
        }

        Clean(r, now, options);
        Defaults.Apply(r, now);
        now = (JsonObject)Document.Parse(Document.Write(now))!;
        if (r.Key == Catalog.Services.Key && subresource is null)
        {
            lock (addresses.Gate)
                addresses.Assign(now);
        }

        Validate(r, name, now, old, subresource);
        if (r.Key == Catalog.CustomResourceDefinitions.Key)
            Definitions.Accept(now, time);
        if (subresource is null && r.CountsGenerations && SpecChanged(r, old, now))
            now.Ensure("metadata")["generation"] = (old.Number("metadata", "generation") ?? 0) + 1;
        return (JsonObject)Document.Parse(Document.Write(now))!;
    }

    /// <summary>Keeps what the server once chose and a full replacement usually leaves out.</summary>
    private static void Carry(Resource r, JsonObject old, JsonObject now)
    {
        switch (r.Key)
        {
            case "services":
                var (from, to) = (old.Child("spec"), now.Ensure("spec"));
                if (to.Text("type") == "ExternalName" || from.Text("clusterIP") is null)
                    break;
                if (to.Text("clusterIP") is null or "")
                    to.Put("clusterIP", from?["clusterIP"]);
                if (!to.Texts("clusterIPs").Any())
                    to.Put("clusterIPs", from?["clusterIPs"]);
                break;
            case "persistentvolumeclaims":
                foreach (var field in new[] { "volumeName", "storageClassName" })
                {
                    if (now.Ensure("spec")[field] is null)
                        now.Ensure("spec").Put(field, old.At("spec", field));
                }

                break;
            case "jobs.batch":
                if (now.Ensure("spec")["selector"] is null)
                    now.Ensure("spec").Put("selector", old.At("spec", "selector"));
                break;
        }
    }

    private static bool SpecChanged(Resource r, JsonObject old, JsonObject now)
    {
        if (!r.IsCustom)
            return !Document.Same(old["spec"], now["spec"]);
        var (a, b) = (old.Copy(), now.Copy());
        foreach (var o in new[] { a, b })
        {
            o.Remove("metadata");
            if (r.HasStatus)
                o.Remove("status");
        }

        return !Document.Same(a, b);
    }
}
