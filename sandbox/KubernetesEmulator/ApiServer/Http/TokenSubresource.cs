using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Security;
using KubernetesEmulator.Storage;

namespace KubernetesEmulator.Http;

/// <summary>Issues a service account's token, which ends with its time, its account or the pod it is bound to.</summary>
internal static class TokenSubresource
{
    public static JsonObject Issue(Registry registry, Tokens tokens, StoredObject account, JsonObject request, TimeProvider time)
    {
        var seconds = request.Number("spec", "expirationSeconds") ?? 3600;
        if (seconds < 600)
            throw new ApiError(422, "Invalid", $"TokenRequest.authentication.k8s.io \"{account.Name}\" is invalid: spec.expirationSeconds: Invalid value: {seconds}: "
                + "may not specify a duration less than 10 minutes");
        var expires = time.GetUtcNow().AddSeconds(seconds);
        var pod = request.Child("spec", "boundObjectRef") is { } bound && bound.Text("kind") == "Pod" ? bound : null;
        if (pod is not null && !PodLives(registry, account.Namespace, pod))
            throw ApiError.NotFound(Catalog.Pods, pod.Text("name") ?? "");
        var identity = Identity.OfServiceAccount(account.Namespace, account.Name) with { Uid = account.Uid };
        IReadOnlyList<string> audiences = request.Texts("spec", "audiences").ToList() is { Count: > 0 } given ? given : [Tokens.ApiAudience];
        var token = tokens.Issue(identity, audiences, expires, () =>
            registry.Store.Get(Catalog.ServiceAccounts.Key, account.Namespace, account.Name)?.Uid == account.Uid
            && (pod is null || PodLives(registry, account.Namespace, pod)));
        var answer = request.Copy();
        answer["kind"] = "TokenRequest";
        answer["apiVersion"] = "authentication.k8s.io/v1";
        answer.Ensure("metadata")["name"] = account.Name;
        answer.Ensure("metadata")["namespace"] = account.Namespace;
        answer.Ensure("spec")["expirationSeconds"] = seconds;
        answer.Ensure("spec")["audiences"] = new JsonArray([.. audiences]);
        answer["status"] = new JsonObject { ["token"] = token, ["expirationTimestamp"] = Document.Time(expires) };
        return answer;
    }

    private static bool PodLives(Registry registry, string ns, JsonObject bound) =>
        registry.Store.Get(Catalog.Pods.Key, ns, bound.Text("name") ?? "") is { } pod && (bound.Text("uid") is null or "" || pod.Uid == bound.Text("uid"));
}
