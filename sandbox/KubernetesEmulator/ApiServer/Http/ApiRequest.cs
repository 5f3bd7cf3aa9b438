using KubernetesEmulator.Resources;
using Microsoft.AspNetCore.Http;

namespace KubernetesEmulator.Http;

/// <summary>What the path of a request names.</summary>
internal sealed record ApiRequest(Resource Resource, string? Namespace, string? Name, string? Subresource)
{
    public string Ns => Namespace ?? "";

    /// <summary>Reads <c>/api/v1/…</c> and <c>/apis/group/version/…</c>; null when the path names no resource.</summary>
    public static ApiRequest? Parse(Catalog catalog, PathString path)
    {
        var parts = (path.Value ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);
        ReadOnlySpan<string> rest;
        string group, version;
        if (parts is ["api", var v, _, ..])
        {
            (group, version) = ("", v);
            rest = parts.AsSpan(2);
        }
        else if (parts is ["apis", var g, var gv, _, ..])
        {
            (group, version) = (g, gv);
            rest = parts.AsSpan(3);
        }
        else
        {
            return null;
        }

        string? ns = null;
        if (rest is ["namespaces", var inside, var plural, ..] && (group.Length > 0 || plural is not ("status" or "finalize")))
        {
            ns = inside;
            rest = rest[2..];
        }

        if (rest.Length > 3 || catalog.Find(group, version, rest[0]) is not { } resource || (ns is not null && !resource.Namespaced))
            return null;
        if (ns is null && resource.Namespaced && rest.Length > 1)
            return null;
        return new ApiRequest(resource, ns, rest.Length > 1 ? rest[1] : null, rest.Length > 2 ? rest[2] : null);
    }
}
