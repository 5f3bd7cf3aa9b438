using System.Text;
using System.Text.Json.Nodes;
using Agents.Operator.Specs;
using Agents.Security;

namespace Agents.Operator.Manifests;

/// <summary>Secrets that are made once and never overwritten.</summary>
internal static class SecretManifests
{
    public static readonly string[] AgentLoginKeys = ["username", "password"];
    public static readonly string[] MirroringCertificateKeys = ["certificate", "private-key", "private-key-password", "master-key-password"];

    public static JsonObject AgentLogin(InstanceSpec spec, string password)
    {
        var secret = Metadata.Document("v1", "Secret", Metadata.OfInstance(spec, Names.AgentLogin(spec.Name)));
        secret["type"] = "Opaque";
        secret["data"] = new JsonObject { ["username"] = Base64(Names.AgentLoginUser), ["password"] = Base64(password) };
        return secret;
    }

    /// <summary>Has no owner: instances whose volumes outlive their SqlServer still trust this certificate.</summary>
    public static JsonObject MirroringCertificate(string @namespace, MirroringCertificate certificate, string masterKeyPassword)
    {
        var secret = Metadata.Document("v1", "Secret", new JsonObject
        {
            ["name"] = Names.MirroringCertificate,
            ["namespace"] = @namespace,
            ["labels"] = new JsonObject { [Names.ManagedBy] = Names.FieldManager },
        });
        secret["type"] = "Opaque";
        secret["data"] = new JsonObject
        {
            ["certificate"] = Convert.ToBase64String(certificate.Certificate),
            ["private-key"] = Convert.ToBase64String(certificate.PrivateKey),
            ["private-key-password"] = Base64(certificate.PrivateKeyPassword),
            ["master-key-password"] = Base64(masterKeyPassword),
        };
        return secret;
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
