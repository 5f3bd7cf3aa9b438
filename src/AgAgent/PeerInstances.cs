using System.Collections.Concurrent;
using System.Text;
using Agents.Groups;
using Agents.Kubernetes;
using Agents.Sql;

namespace Agents.AgAgent;

/// <summary>The other replicas' instances, reached by pod IP with the login of their own Secret.</summary>
internal sealed class PeerInstances(
    IKubernetesApi api, string @namespace, int port, Func<string, int, Func<SqlLogin>, ISqlInstance> connect)
{
    private readonly ConcurrentDictionary<string, SqlLogin> logins = new(StringComparer.Ordinal);

    /// <summary>The instance of a member.</summary>
    /// <exception cref="KubernetesException">Its login cannot be read.</exception>
    public async Task<ISqlInstance> ForAsync(GroupMember member, string address, CancellationToken cancellationToken)
    {
        if (!logins.TryGetValue(member.Instance, out var login))
        {
            var name = $"{member.Instance}-agent-login";
            var secret = await api.GetAsync(KubernetesTypes.Secrets, @namespace, name, cancellationToken).ConfigureAwait(false);
            if (secret?.Data is null || !secret.Data.TryGetValue("username", out var user) || !secret.Data.TryGetValue("password", out var password))
                throw new KubernetesException(KubernetesFailure.NotFound, $"Secret {name} does not hold 'username' and 'password'.");
            login = new SqlLogin(Encoding.UTF8.GetString(user), new SqlSecret(Encoding.UTF8.GetString(password)));
            logins[member.Instance] = login;
        }

        return connect(address, port, () => login);
    }

    /// <summary>Reads the login again next time: it was refused, perhaps because it was rotated.</summary>
    public void Forget(GroupMember member) => logins.TryRemove(member.Instance, out _);
}
