namespace SqlServerSimulator.TSql.Parsing;

/// <summary>Statements that only the simulator's own grammar can judge, because the referee is older than they are.</summary>
internal static class OwnGrammar
{
    public static bool IsIn(IReadOnlyList<Token> tokens)
    {
        for (var i = 1; i < tokens.Count; i++)
        {
            // Availability groups of clusters other than WSFC, certificates from binary, and backups to a URL.
            if (tokens[i].Is("GROUP") && tokens[i - 1].Is("AVAILABILITY")) return true;
            if (tokens[i].Is("URL") && tokens[i - 1].Is("TO")) return true;
            if (tokens[i].Is("BINARY") && tokens[i - 1].Is("FROM")) return true;

            // Certificates in PFX.
            if (tokens[i].Is("FORMAT") && tokens[i - 1].Is("WITH") && tokens.Any(token => token.Is("CERTIFICATE"))) return true;
        }

        return false;
    }
}
