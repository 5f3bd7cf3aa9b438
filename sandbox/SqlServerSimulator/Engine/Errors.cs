using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>Errors with the engine's numbers and severities. Clients match on numbers; the advice that follows some texts is left out.</summary>
public static class Errors
{
    /// <summary>The client cancelled; the number never reaches it, since an attention is answered by a DONE.</summary>
    public static SqlError Cancelled { get; } = Make(0, 11, "Operation cancelled by user.");

    /// <summary>Makes an error.</summary>
    public static SqlError Make(int number, byte severity, string text, byte state = 1) => new(number, severity, state, text);

    internal static SqlErrorException Throw(SqlError error) => new(error);

    internal static SqlError NoPermission { get; } = Make(15247, 16, "User does not have permission to perform this action.");

    internal static SqlError ServerPermissionDenied(string permission) =>
        Make(300, 14, $"{permission} permission was denied on object 'server', database 'master'.");

    internal static SqlError LoginFailed(string name) => Make(18456, 14, $"Login failed for user '{name}'.");

    internal static SqlError LoginDisabled(string name) =>
        Make(18470, 14, $"Login failed for user '{name}'. Reason: The account is disabled.");

    internal static SqlError CannotOpen(string database) =>
        Make(4060, 11, $"Cannot open database \"{database}\" requested by the login. The login failed.");

    internal static SqlError NoDatabase(string name) =>
        Make(911, 16, $"Database '{name}' does not exist. Make sure that the name is entered correctly.");

    internal static SqlError NoAccess(string login, string database) =>
        Make(916, 14, $"The server principal \"{login}\" is not able to access the database \"{database}\" under the current security context.");

    internal static SqlError Restoring(string name) =>
        Make(927, 14, $"Database '{name}' cannot be opened. It is in the middle of a restore.");

    internal static SqlError NotRecovered(string name) =>
        Make(921, 14, $"Database '{name}' has not been recovered yet. Wait and try again.");

    internal static SqlError Offline(string name) =>
        Make(942, 14, $"Database '{name}' cannot be opened because it is offline.");

    internal static SqlError InTransition(string name) =>
        Make(952, 16, $"Database '{name}' is in transition. Try the statement later.");

    internal static SqlError NotAccessible(string name) => Make(
        976,
        14,
        $"The target database, '{name}', is participating in an availability group and is currently not accessible for queries. Either data movement is suspended or the availability replica is not enabled for read access.");

    internal static SqlError ReadIntentOnly(string name) => Make(
        978,
        14,
        $"The target database ('{name}') is in an availability group and is currently accessible for connections when the application intent is set to read only.");

    internal static SqlError NoReadableSecondary(string name) => Make(
        982,
        14,
        $"Unable to access the '{name}' database because no online secondary replicas are enabled for read-only access. Check the availability group configuration to verify that at least one secondary replica is configured for read-only access. Wait for an enabled replica to come online, and retry your read-only operation.");

    internal static SqlError NoReadIntent(string name) => Make(
        979, 14, $"The target database ('{name}') is in an availability group and currently does not allow read only connections.");

    internal static SqlError NoRole(string name) => Make(
        983,
        14,
        $"Unable to access availability database '{name}' because the database replica is not in the PRIMARY or SECONDARY role.");

    internal static SqlError ReadOnlyDatabase(string name) =>
        Make(3906, 16, $"Failed to update database \"{name}\" because the database is read-only.");

    internal static SqlError LeaseExpired(string group) => Make(
        19407,
        16,
        $"The lease between availability group '{group}' and the external cluster has expired. A connectivity issue occurred between the instance of SQL Server and the cluster manager.");

    internal static SqlError NoObject(string name) => Make(208, 16, $"Invalid object name '{name}'.");

    internal static SqlError Missing(string verb, string kind, string name) => Make(
        15151, 16, $"Cannot {verb} the {kind} '{name}', because it does not exist or you do not have permission.");

    internal static SqlError NoMasterKey { get; } = Make(
        15581, 16, "Please create a master key in the database or open the master key in the session before performing this operation.");

    internal static SqlError NoGroup(string name) => Make(
        41100, 16, $"The availability group '{name}' and/or its local availability replica does not exist.");

    internal static SqlError NotPrimary(string name) => Make(
        41140,
        16,
        $"Availability group '{name}' cannot process the ALTER AVAILABILITY GROUP command, because the local availability replica is not the primary replica.");

    internal static SqlError CannotProcess(string name, string verb, string noun) => Make(
        41190,
        16,
        $"Availability group '{name}' failed to process {verb}-{noun} command.  The local availability replica is not in a state that could process the command.");

    internal static SqlError NotSynchronized(string name) => Make(
        41142,
        16,
        $"The availability replica for availability group '{name}' on this instance of SQL Server cannot become the primary replica. One or more databases are not synchronized or have not joined the availability group.");

    internal static SqlError AlreadyPrimary(string name) => Make(
        41122,
        16,
        $"Cannot failover availability group '{name}' to this instance of SQL Server.  The local availability replica is already the primary replica of the availability group.");

    internal static SqlError NotOnline(string name) => Make(
        41104,
        16,
        $"Failover of the availability group '{name}' to the local replica failed because the availability group resource did not come online due to a previous error.");

    internal static SqlError ExternalOnly(string name, int number) => Make(
        number,
        16,
        $"This operation cannot be performed on the availability group '{name}' because it has EXTERNAL cluster type. Use the cluster management tools to perform the operation.");

    internal static SqlError OtherClusterType(string name) => Make(
        47100,
        16,
        $"The cluster type of availability group '{name}' doesn't match its primary configuration. Verify that the specified availability group cluster type is correct, then retry the operation.");

    internal static SqlError EditionLacksGroups { get; } = Make(
        41199, 16, "The specified command is invalid because the Always On Availability Groups feature is not supported by this edition of SQL Server.");

    internal static SqlError HadrDisabled { get; } = Make(
        47105,
        16,
        "The Always On Availability Groups feature must be enabled for this server instance before you can perform availability group operations.");

    internal static SqlError JoinTimeout(string name) => Make(
        47106,
        16,
        $"Cannot join availability group '{name}'. Download configuration timeout. Please check primary configuration, network connectivity and firewall setup, then retry the operation.");

    internal static SqlError GroupEnded(string name) => Make(
        41149, 16, $"Operation on the availability group '{name}' has been cancelled or terminated, either because of a connection timeout or cancellation by user.");
}
