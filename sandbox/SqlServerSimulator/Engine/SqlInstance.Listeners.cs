using System.Net;
using System.Net.Sockets;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>Listeners of groups, which are metadata only.</summary>
public sealed partial class SqlInstance
{
    private const int DefaultListenerPort = 1433;

    private GroupListener NewListener(ListenerSpec spec) =>
        new(Environment.NewGuid(), spec.Name, spec.Port ?? DefaultListenerPort, CheckAddresses(spec.Addresses));

    private void Alter(Group group, AlterGroup alter, Operation operation)
    {
        var known = group.File.Accepted.Listener;
        GroupListener? next;
        switch (alter)
        {
            case AddListener add:
                next = known is null
                    ? NewListener(add.Listener)
                    : throw new SqlErrorException(50505, 16, $"A second listener of availability group '{group.Name}' is not simulated.");
                break;
            case ModifyListener modify:
                known = RequireListener(group, modify.Listener.Name);
                next = known with
                {
                    Port = modify.Listener.Port ?? known.Port,
                    Addresses = [.. known.Addresses, .. CheckAddresses(modify.Listener.Addresses)],
                };
                break;
            case RemoveListener remove:
                RequireListener(group, remove.Listener);
                next = null;
                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }

        group.Propose(configuration => configuration with { Listener = next }, operation);
    }

    private static GroupListener RequireListener(Group group, string name) =>
        group.File.Accepted.Listener is { } listener && listener.Name.Equals(name, StringComparison.OrdinalIgnoreCase)
            ? listener
            : throw new SqlErrorException(
                19469, 16, $"The specified listener with DNS name, '{name}', does not exist for the availability group '{group.Name}'.");

    private static IReadOnlyList<ListenerAddress> CheckAddresses(IReadOnlyList<ListenerAddress> addresses)
    {
        foreach (var address in addresses)
        {
            if (!IPAddress.TryParse(address.Address, out var parsed)
                || parsed.AddressFamily == AddressFamily.InterNetwork != address.Mask is not null
                || (address.Mask is { } mask && !IPAddress.TryParse(mask, out _)))
            {
                throw new SqlErrorException(50505, 16, $"The address '{address.Address}' of a listener is wrong, and the engine's refusal of it is not simulated.");
            }
        }

        return addresses;
    }
}
