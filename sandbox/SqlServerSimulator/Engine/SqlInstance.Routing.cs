using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>Routing at login: a group's replica sends a client elsewhere.</summary>
public sealed partial class SqlInstance
{
    /// <summary>Lets a new session into its database, or says where it must go, or why it may not.</summary>
    private ((string Server, ushort Port)? Route, SqlError? Error) Enter(EngineSession session, string name)
    {
        SqlError? refused = null;
        try
        {
            session.Database = session.InitialDatabase = Open(session, name);
        }
        catch (SqlErrorException error)
        {
            refused = error.Error;
        }

        // 979: the primary does not want this client, but a secondary may.
        if (refused is not null and not { Number: 979 }
            || FindDatabase(name) is not { Entry.Group: { } id } database
            || Groups.GetValueOrDefault(id) is not { } group)
        {
            return (null, refused);
        }

        string? url = null;
        if (session.ReadOnlyIntent && group.Role == ReplicaRole.Primary
            && group.Local.ReadOnlyRoutingList.Count > 0
            && (group.Configuration.Listener is not null || Options.Facts.RoutesWithoutListener))
        {
            var reader = group.Reader(database.Entry.GroupDatabase!.Value);
            if (reader is null && Options.Facts.ReadIntentNeedsSecondary)
            {
                return (null, Errors.NoReadableSecondary(database.Name));
            }

            url = reader?.Id == group.File.LocalReplica ? null : reader?.ReadOnlyRoutingUrl;
        }
        else if (!session.ReadOnlyIntent && group.Role == ReplicaRole.Secondary && group.Local.SecondaryConnections == SecondaryConnections.All && group.IsFollowing)
        {
            url = group.Configuration.Replica(group.KnownPrimary)?.ReadWriteRoutingUrl;
        }

        return !string.IsNullOrEmpty(url) && Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Port is > 0 and <= ushort.MaxValue
            ? ((uri.Host, (ushort)uri.Port), null)
            : (null, refused);
    }
}
