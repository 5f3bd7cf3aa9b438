namespace SqlServerSimulator.Engine;

/// <summary>How a login stands in a database.</summary>
/// <param name="IsDbo">It is the owner or a sysadmin.</param>
/// <param name="User">Its user; "guest" where a guest may come in.</param>
/// <param name="Principals">The user, the roles it is in, and public.</param>
/// <param name="Users">All users and roles of the database.</param>
/// <param name="Permissions">All permissions in the database.</param>
internal sealed record DatabaseAccess(
    bool IsDbo, string User, IReadOnlyList<string> Principals, IReadOnlyCollection<DatabaseUser> Users, List<Permission> Permissions)
{
    public static DatabaseAccess? Of(Login login, IReadOnlyCollection<DatabaseUser> users, List<Permission> permissions, bool dbo, bool guest)
    {
        var user = dbo ? null : users.FirstOrDefault(user => user.Sid is { } sid && sid.AsSpan().SequenceEqual(login.Sid));
        if (!dbo && user is null && !guest)
        {
            return null;
        }

        List<string> principals = [dbo ? "dbo" : user?.Name ?? "guest", "public"];
        Queue<string> open = new(user?.Roles ?? []);
        while (open.TryDequeue(out var role))
        {
            if (!principals.Contains(role, StringComparer.OrdinalIgnoreCase))
            {
                principals.Add(role);
                foreach (var outer in users.FirstOrDefault(other => other.IsRole && SqlInstance.Same(other.Name, role))?.Roles ?? [])
                {
                    open.Enqueue(outer);
                }
            }
        }

        return new DatabaseAccess(dbo, principals[0], principals, users, permissions);
    }

    public DatabaseUser? Find(string name) => Users.FirstOrDefault(user => SqlInstance.Same(user.Name, name));

    /// <summary>What db_denydatareader and db_denydatawriter stand for.</summary>
    public IEnumerable<Permission> FixedDenials(PermissionOn on)
    {
        var role = on switch
        {
            { Class: SecurableClass.Database, Name: "SELECT" } => "db_denydatareader",
            { Class: SecurableClass.Database, Name: "INSERT" or "UPDATE" or "DELETE" } => "db_denydatawriter",
            _ => null,
        };
        return role is not null && Principals.Contains(role, StringComparer.OrdinalIgnoreCase)
            ? [new Permission(role, on.Name, on.Class, on.Securable, Denied: true, WithGrantOption: false)]
            : [];
    }
}
