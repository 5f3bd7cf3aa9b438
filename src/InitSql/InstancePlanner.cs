using Agents.Sql;

namespace Agents.InitSql;

/// <summary>One change of an instance.</summary>
/// <param name="What">For people.</param>
/// <param name="Batch">The batch that makes it.</param>
internal sealed record InitStep(string What, SqlText Batch);

/// <summary>What has to be done, or why nothing can be done.</summary>
internal sealed record InitPlan(IReadOnlyList<InitStep> Steps, IReadOnlyList<string> Refusals);

/// <summary>From how an instance is and how it shall be to the steps between. Pure. What is as it shall be is not touched.</summary>
internal static class InstancePlanner
{
    public static InitPlan Plan(DesiredInstance desired, InstanceFacts facts)
    {
        var steps = new List<InitStep>();
        var refusals = new List<string>();
        Server(desired, facts, refusals);
        Login(desired, facts, steps);
        if (!facts.HasMasterKey)
            steps.Add(new("create the master key of master", SqlText.Of($"CREATE MASTER KEY ENCRYPTION BY PASSWORD = {desired.MasterKeyPassword};")));
        Certificate(desired, facts, steps, refusals);
        Endpoint(facts, steps, refusals);
        return refusals.Count > 0 ? new InitPlan([], refusals) : new InitPlan(steps, []);
    }

    private static void Server(DesiredInstance desired, InstanceFacts facts, List<string> refusals)
    {
        if (!facts.HadrEnabled)
            refusals.Add("Always On is not enabled: the container must start with MSSQL_ENABLE_HADR=1.");
        if (string.Equals(facts.ServerName, desired.ServerName, StringComparison.OrdinalIgnoreCase))
            return;
        var cut = desired.ServerName.Length > 15 ? " SQL Server cuts its name after 15 characters." : string.Empty;
        refusals.Add($"The server's name is '{facts.ServerName}', but replicas are known by the pod's name, '{desired.ServerName}'.{cut} "
            + "Use the volume of this instance only, or rename the server with sp_dropserver and sp_addserver and restart it.");
    }

    private static void Login(DesiredInstance desired, InstanceFacts facts, List<InitStep> steps)
    {
        var (user, password) = desired.AgentLogin;
        var login = new SqlName(user);
        switch (facts.AgentLogin)
        {
            case LoginState.Absent:
                steps.Add(new($"create login {user}", SqlText.Of($"CREATE LOGIN {login} WITH PASSWORD = {password};")));
                break;
            case LoginState.WrongPassword:
                steps.Add(new($"set the password of login {user}", SqlText.Of($"ALTER LOGIN {login} WITH PASSWORD = {password};")));
                break;
            case LoginState.Disabled:
                steps.Add(new($"set the password of login {user}", SqlText.Of($"ALTER LOGIN {login} WITH PASSWORD = {password};")));
                steps.Add(new($"enable login {user}", SqlText.Of($"ALTER LOGIN {login} ENABLE;")));
                break;
        }

        foreach (var permission in DesiredInstance.Permissions)
            if (facts.AgentLogin == LoginState.Absent || !facts.Permissions.Contains(permission.Name, StringComparer.OrdinalIgnoreCase))
                steps.Add(new($"grant {permission.Name} to {user}", SqlText.Of($"GRANT {permission.Text} TO {login};")));
    }

    private static void Certificate(DesiredInstance desired, InstanceFacts facts, List<InitStep> steps, List<string> refusals)
    {
        var name = new SqlName(DesiredInstance.CertificateName);
        if (facts.Certificate is not { } certificate)
            steps.Add(new($"create certificate {name.Value}", SqlText.Of($"""
                CREATE CERTIFICATE {name} FROM BINARY = {desired.Certificate}
                WITH PRIVATE KEY (BINARY = {desired.PrivateKey}, DECRYPTION BY PASSWORD = {desired.PrivateKeyPassword});
                """)));
        else if (certificate.Encoded is null || !certificate.Encoded.AsSpan().SequenceEqual(desired.Certificate))
            refusals.Add($"Certificate {name.Value} of the instance is not the one of Secret mssql-mirroring-certificate, so replicas would not "
                + "trust each other. Restore that Secret, or drop the endpoint and the certificate of this instance.");
        else if (!certificate.HasUsableKey)
            refusals.Add($"Certificate {name.Value} has no private key that the master key protects. Drop the endpoint and the certificate; they "
                + "are made anew.");
    }

    private static void Endpoint(InstanceFacts facts, List<InitStep> steps, List<string> refusals)
    {
        var name = new SqlName(DesiredInstance.EndpointName);
        var certificate = new SqlName(DesiredInstance.CertificateName);
        if (facts.Endpoint is not { } endpoint)
        {
            steps.Add(new($"create endpoint {name.Value} on port {DesiredInstance.EndpointPort}", SqlText.Of($"""
                CREATE ENDPOINT {name} STATE = STARTED
                AS TCP (LISTENER_PORT = {DesiredInstance.EndpointPort}, LISTENER_IP = ALL)
                FOR DATABASE_MIRRORING (AUTHENTICATION = CERTIFICATE {certificate}, ENCRYPTION = REQUIRED ALGORITHM AES, ROLE = ALL);
                """)));
            return;
        }

        var own = new SqlName(endpoint.Name);
        if (endpoint.Port != DesiredInstance.EndpointPort)
        {
            refusals.Add($"Endpoint {endpoint.Name} listens on port {endpoint.Port}, not {DesiredInstance.EndpointPort}. An instance has one "
                + "mirroring endpoint only: drop it, and it is made anew.");
            return;
        }

        if (endpoint.Certificate != DesiredInstance.CertificateName)
            steps.Add(new($"let endpoint {endpoint.Name} use certificate {certificate.Value}", SqlText.Of(
                $"ALTER ENDPOINT {own} FOR DATABASE_MIRRORING (AUTHENTICATION = CERTIFICATE {certificate}, ENCRYPTION = REQUIRED ALGORITHM AES, ROLE = ALL);")));
        if (!endpoint.Started)
            steps.Add(new($"start endpoint {endpoint.Name}", SqlText.Of($"ALTER ENDPOINT {own} STATE = STARTED;")));
    }
}
