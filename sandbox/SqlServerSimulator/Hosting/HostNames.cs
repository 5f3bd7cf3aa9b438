using System.Net;
using System.Net.Sockets;

namespace SqlServerSimulator.Hosting;

/// <summary>
/// Resolves names of peers: first by the hosts file that <c>SANDBOX_HOSTS_FILE</c> names, which stands for a cluster's DNS and is read anew each time, then
/// by the machine's resolver.
/// </summary>
internal static class HostNames
{
    public static async Task<IPAddress?> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out var address))
            return address;
        if (Environment.GetEnvironmentVariable("SANDBOX_HOSTS_FILE") is { Length: > 0 } file)
            return await FromFileAsync(file, host, cancellationToken).ConfigureAwait(false);
        try
        {
            var found = await Dns.GetHostAddressesAsync(host, AddressFamily.InterNetwork, cancellationToken).ConfigureAwait(false);
            return found.FirstOrDefault();
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private static async Task<IPAddress?> FromFileAsync(string file, string host, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var line in await File.ReadAllLinesAsync(file, cancellationToken).ConfigureAwait(false))
            {
                var parts = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
                if (parts.Length > 1 && parts[0][0] != '#' && parts.Skip(1).Contains(host, StringComparer.OrdinalIgnoreCase)
                    && IPAddress.TryParse(parts[0], out var address))
                    return address;
            }
        }
        catch (IOException)
        {
            // Not there yet; the caller tries again.
        }

        return null;
    }
}
