using KubernetesEmulator.Security;
using Microsoft.AspNetCore.Http;

namespace KubernetesEmulator.Http;

/// <summary>Acting as somebody else, as <c>kubectl --as</c> does, for whoever holds the verb <c>impersonate</c>.</summary>
internal static class Impersonation
{
    /// <returns>Whom the request is to be judged as.</returns>
    /// <exception cref="ApiError">He may not act as that one.</exception>
    public static Identity Apply(HttpRequest request, Identity identity, RbacAuthorizer authorizer)
    {
        var (user, groups) = (request.Headers["Impersonate-User"].ToString(), request.Headers["Impersonate-Group"].OfType<string>().ToList());
        if (user.Length == 0)
            return groups.Count == 0
                ? identity
                : throw new ApiError(500, "InternalError", "Internal error occurred: requested [groups] without impersonating a user");
        var account = user.Split(':') is ["system", "serviceaccount", var ns, var name] ? (Namespace: ns, Name: name) : default;
        Require(account.Name is null ? Wish("users", "", user) : Wish("serviceaccounts", account.Namespace, account.Name));
        groups.ForEach(group => Require(Wish("groups", "", group)));
        if (account.Name is not null && groups.Count == 0)
            return Identity.OfServiceAccount(account.Namespace, account.Name);
        return user == Identity.Anonymous.Name ? Identity.Anonymous : new Identity(user, [.. groups.Except([Identity.Authenticated]), Identity.Authenticated]);

        static AccessRequest Wish(string resource, string ns, string name) => new("impersonate", "", resource, "", ns, name);

        void Require(AccessRequest wish)
        {
            if (authorizer.Authorize(identity, wish) is { Allowed: false } refusal)
                throw ApiError.Forbidden(identity, wish, refusal.Reason);
        }
    }
}
