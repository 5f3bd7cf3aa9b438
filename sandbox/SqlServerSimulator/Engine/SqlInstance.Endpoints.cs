using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>The mirroring endpoint, and who owns what.</summary>
public sealed partial class SqlInstance
{
    private void ChangeEndpoint(EngineSession session, EngineCommand command)
    {
        var before = (EndpointStarted, Master.Endpoint?.Port, Master.Endpoint?.Certificate, Master.Endpoint?.Encrypted);
        switch (command)
        {
            case CreateEndpoint create:
                Require(session, "CREATE ENDPOINT", SecurableClass.Server, "");
                if (Master.Endpoint is not null)
                {
                    throw Master.Endpoint.Name.Equals(create.Name, StringComparison.OrdinalIgnoreCase)
                        ? new SqlErrorException(7807, 16, $"An error ('The endpoint already exists') occurred while attempting to register the endpoint '{create.Name}'.")
                        : new SqlErrorException(7862, 16, "An endpoint of the requested type already exists.  Only one endpoint of this type is supported.  Use ALTER ENDPOINT or DROP the existing endpoint and execute the CREATE ENDPOINT statement.");
                }

                CheckEndpointCertificate(create.Certificate);
                var owner = create.Owner is null ? session.Login : FindLogin(create.Owner) ?? throw new SqlErrorException(Errors.Missing("find", "login", create.Owner));
                Master.Endpoint = new Endpoint
                {
                    Name = create.Name,
                    Id = 65536,
                    Owner = owner.Name,
                    Started = create.Started,
                    Disabled = create.Disabled,
                    Port = create.Port,
                    Role = create.Role,
                    Certificate = create.Certificate,
                    Encrypted = create.Encrypted,
                    ListenerIp = create.ListenerIp,
                };
                break;
            case AlterEndpoint alter:
                var endpoint = Master.Endpoint;
                if (endpoint is null || !endpoint.Name.Equals(alter.Name, StringComparison.OrdinalIgnoreCase)
                    || !Has(session.Login, "ALTER", SecurableClass.Endpoint, alter.Name))
                {
                    throw new SqlErrorException(Errors.Missing("alter", "endpoint", alter.Name));
                }

                if (alter.Certificate is not null)
                {
                    CheckEndpointCertificate(alter.Certificate);
                }

                endpoint.Disabled = alter.Started is null ? endpoint.Disabled : alter.Disabled;
                endpoint.Started = alter.Started ?? endpoint.Started;
                endpoint.Encrypted = alter.Encrypted ?? endpoint.Encrypted;
                endpoint.Port = alter.Port ?? endpoint.Port;
                endpoint.Certificate = alter.Certificate ?? endpoint.Certificate;
                endpoint.Role = alter.Role ?? endpoint.Role;
                break;
            default:
                var drop = (DropEndpoint)command;
                if (Master.Endpoint is null || !Master.Endpoint.Name.Equals(drop.Name, StringComparison.OrdinalIgnoreCase)
                    || !Has(session.Login, "CONTROL", SecurableClass.Endpoint, drop.Name))
                {
                    throw new SqlErrorException(Errors.Missing("drop", "endpoint", drop.Name));
                }

                Master.Permissions.RemoveAll(permission => permission.Class == SecurableClass.Endpoint && Same(permission.Securable, drop.Name));
                Master.Endpoint = null;
                break;
        }

        SaveMaster();
        if (before != (EndpointStarted, Master.Endpoint?.Port, Master.Endpoint?.Certificate, Master.Endpoint?.Encrypted))
        {
            if (before.EndpointStarted)
            {
                Environment.StopListening();
            }

            EndpointReopened();
        }
    }

    /// <summary>Peers have to shake hands again.</summary>
    private void EndpointReopened()
    {
        if (EndpointStarted)
        {
            Environment.Listen(Master.Endpoint!.Port);
        }

        foreach (var group in Groups.Values.ToList())
        {
            group.EndpointChanged();
        }
    }

    private void CheckEndpointCertificate(string name)
    {
        var certificate = FindCertificate(name) ?? throw new SqlErrorException(Errors.Missing("find", "certificate", name));
        if (certificate.PrivateKey is null || certificate.ByPassword)
        {
            throw new SqlErrorException(
                33101,
                16,
                $"Cannot use certificate '{name}', because its private key is not present or it is not protected by the database master key.");
        }
    }

    private void Alter(EngineSession session, AlterAuthorization alter)
    {
        var missing = new SqlErrorException(Errors.Missing("find", NameOf(alter.Class), alter.Securable));
        if (!HasPermission(session, alter.Class == SecurableClass.Database ? "TAKE OWNERSHIP" : "CONTROL", alter.Class, alter.Securable))
        {
            throw missing;
        }

        var login = PermissionHierarchy.IsOfServer(alter.Class) || alter.Class == SecurableClass.Database
            ? FindLogin(alter.Owner) ?? throw new SqlErrorException(Errors.Missing("find", "login", alter.Owner))
            : null;
        switch (alter.Class)
        {
            case SecurableClass.Endpoint when Same(Master.Endpoint?.Name, alter.Securable):
                Master.Endpoint!.Owner = login!.Name;
                break;
            case SecurableClass.ServerRole when Master.ServerRoles.Find(role => Same(role.Name, alter.Securable)) is { } role:
                role.Owner = login!.Name;
                break;
            case SecurableClass.Certificate when InMaster(session) && FindCertificate(alter.Securable) is { } certificate:
                certificate.Owner = Same(alter.Owner, "dbo")
                    ? "dbo"
                    : Current(session).Find(alter.Owner)?.Name ?? throw new SqlErrorException(Errors.Missing("find", "user", alter.Owner));
                break;
            case SecurableClass.Database when FindDatabase(alter.Securable) is { } database:
                if (database.Users.Values.Any(user => user.Sid is { } sid && sid.AsSpan().SequenceEqual(login!.Sid)))
                {
                    throw new SqlErrorException(15110, 16, "The proposed new database owner is already a user or aliased in the database.");
                }

                database.Entry.Owner = login!.Name;
                break;
            case SecurableClass.AvailabilityGroup when FindGroup(alter.Securable) is { } group:
                PermissionList.Change(
                    Master.Permissions, new Permission(login!.Name, "CONTROL", SecurableClass.AvailabilityGroup, group.Name, false, true), remove: false);
                break;
            default:
                throw missing;
        }
    }
}
