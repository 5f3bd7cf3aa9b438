using System.Text.Json.Nodes;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Security;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Http;

/// <summary>Questions about rights and tokens: nothing is stored, the answer is the question with its status.</summary>
internal sealed class Reviews(RbacAuthorizer authorizer, Tokens tokens)
{
    public JsonObject Answer(Resource r, string ns, Identity identity, JsonObject question)
    {
        Registry.CheckKind(r, question);
        var spec = question.Child("spec");
        var answer = new JsonObject
        {
            ["kind"] = r.Kind,
            ["apiVersion"] = r.ApiVersion,
            ["metadata"] = ns.Length == 0 ? [] : new JsonObject { ["namespace"] = ns },
            ["spec"] = spec?.DeepClone() ?? new JsonObject(),
        };
        answer["status"] = r.Kind switch
        {
            "SelfSubjectAccessReview" => Access(r, identity, spec),
            "SelfSubjectRulesReview" => Rules(identity, spec),
            "SubjectAccessReview" => Access(r, Subject(r, spec), spec),
            "LocalSubjectAccessReview" when spec.Text("resourceAttributes", "namespace") == ns => Access(r, Subject(r, spec), spec),
            "LocalSubjectAccessReview" => throw Invalid(r, "spec.resourceAttributes.namespace", spec.At("resourceAttributes", "namespace"), "must match metadata.namespace"),
            _ => Token(spec),
        };
        return answer;
    }

    private static ApiError Invalid(Resource r, string field, JsonNode? value, string why) => ApiError.Invalid(r, "", [FieldError.Invalid(field, value, why)]);

    private static Identity Subject(Resource r, JsonObject? spec)
    {
        var (user, groups) = (spec.Text("user") ?? "", spec.Texts("groups").ToList());
        return user.Length == 0 && groups.Count == 0
            ? throw Invalid(r, "spec.user", "", "at least one of user or group must be specified")
            : new Identity(user, groups);
    }

    private JsonObject Access(Resource r, Identity identity, JsonObject? spec)
    {
        var (objects, path) = (spec.Child("resourceAttributes"), spec.Child("nonResourceAttributes"));
        if (objects is null == path is null)
            throw Invalid(r, "spec.resourceAttributes", "null", "exactly one of nonResourceAttributes or resourceAttributes must be specified");
        string Of(string field) => (objects ?? path).Text(field) ?? "";
        var decision = authorizer.Decide(
            identity, new AccessRequest(Of("verb"), Of("group"), Of("resource"), Of("subresource"), Of("namespace"), Of("name"), path is null ? null : Of("path")));
        var status = new JsonObject { ["allowed"] = decision.Allowed };
        if (decision.Reason.Length > 0)
            status["reason"] = decision.Reason;
        return status;
    }

    private JsonObject Rules(Identity identity, JsonObject? spec)
    {
        var ns = spec.Text("namespace") is { Length: > 0 } given ? given : throw ApiError.BadRequest("no namespace on request");
        var failures = new List<string>();
        var rules = authorizer.RulesOf(identity, ns, failures);
        var status = new JsonObject
        {
            ["resourceRules"] = new JsonArray([.. rules.Where(rule => rule.Resources.Count > 0).Select(rule => rule.ToJson())]),
            ["nonResourceRules"] = new JsonArray([.. rules.Where(rule => rule.Paths.Count > 0).Select(rule => rule.ToJson())]),
            ["incomplete"] = false,
        };
        if (failures.Count > 0)
            status["evaluationError"] = RbacAuthorizer.Aggregate(failures);
        return status;
    }

    private JsonObject Token(JsonObject? spec)
    {
        if (spec.Text("token") is not { Length: > 0 } token)
            throw ApiError.BadRequest("token is required for TokenReview in authentication");
        IReadOnlyList<string> wanted = spec.Texts("audiences").ToList() is { Count: > 0 } given ? given : [Tokens.ApiAudience];
        if (tokens.Find(token) is not { } credential)
            return new JsonObject { ["user"] = new JsonObject(), ["error"] = "invalid bearer token" };
        var audiences = credential.Audiences.Intersect(wanted).ToList();
        if (audiences.Count == 0)
            return new JsonObject
            {
                ["user"] = new JsonObject(),
                ["error"] = $"[invalid bearer token, token audiences {PolicyRule.Quote(credential.Audiences)} is invalid for the target audiences {PolicyRule.Quote(wanted)}]",
            };
        var user = new JsonObject { ["username"] = credential.Identity.Name, ["groups"] = new JsonArray([.. credential.Identity.Groups]) };
        if (credential.Identity.Uid.Length > 0)
            user["uid"] = credential.Identity.Uid;
        return new JsonObject { ["authenticated"] = true, ["user"] = user, ["audiences"] = new JsonArray([.. audiences]) };
    }
}
