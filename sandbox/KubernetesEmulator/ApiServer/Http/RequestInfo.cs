using KubernetesEmulator.Security;
using Microsoft.AspNetCore.Http;

namespace KubernetesEmulator.Http;

/// <summary>What a request wants, read from its method, path and query alone: whether the resource exists is known only to those who may ask.</summary>
internal static class RequestInfo
{
    public static AccessRequest Of(HttpRequest request)
    {
        var path = request.Path.Value ?? "/";
        var method = request.Method.ToUpperInvariant();
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts is not (["api", _, _, ..] or ["apis", _, _, _, ..]))
            return new(method.ToLowerInvariant(), "", "", "", "", "", path);
        var group = parts[0] == "api" ? "" : parts[1];
        var rest = parts.AsSpan(parts[0] == "api" ? 2 : 3);
        var ns = "";
        if (rest is ["namespaces", var inside, ..])
        {
            ns = inside;
            if (rest is [_, _, not ("status" or "finalize"), ..])
                rest = rest[2..];
        }

        var name = rest.Length > 1 ? rest[1] : "";
        var subresource = rest.Length > 2 ? rest[2] : "";
        var query = new RequestQuery(request.Query);
        if (name.Length > 0)
            return new(Verb(method, "get", "delete"), group, rest[0], subresource, ns, name);
        var verb = Verb(method, query.Flag("watch") ? "watch" : "list", "deletecollection");
        return new(verb, group, rest[0], subresource, ns, verb is "list" or "watch" ? SelectedName(query.Text("fieldSelector") ?? "") : "");
    }

    private static string Verb(string method, string get, string delete) => method switch
    {
        "GET" or "HEAD" => get,
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => delete,
        _ => "",
    };

    /// <summary>The one name that a field selector leaves, or nothing.</summary>
    private static string SelectedName(string selector) => selector.Split(',')
        .Select(term => term.Split("==") is [var field, var value] ? (field, value) : term.Split('=') is [var f, var v] ? (f, v) : ("", ""))
        .FirstOrDefault(term => term.Item1 == "metadata.name").Item2 ?? "";
}
