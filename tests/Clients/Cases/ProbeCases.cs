namespace Clients.Cases;

/// <summary>What clients and their tools ask before anybody has typed anything.</summary>
internal static class ProbeCases
{
    public static IEnumerable<Case> All =>
    [
        new("options at login",
            ("""
             SET TEXTSIZE 2147483647
             SET ANSI_NULLS ON
             SET ANSI_NULL_DFLT_ON ON
             SET ANSI_PADDING ON
             SET ANSI_WARNINGS ON
             SET ARITHABORT ON
             SET CONCAT_NULL_YIELDS_NULL ON
             SET CURSOR_CLOSE_ON_COMMIT OFF
             SET DATEFIRST 7
             SET DATEFORMAT mdy
             SET IMPLICIT_TRANSACTIONS OFF
             SET QUOTED_IDENTIFIER ON
             SET NUMERIC_ROUNDABORT OFF
             SET TRANSACTION ISOLATION LEVEL READ COMMITTED
             SET LOCK_TIMEOUT -1
             SET ROWCOUNT 0
             SELECT 1 AS fine
             """,
             "[fine]\n1")),
        new("isolation levels",
            ("SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED", ""),
            ("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", ""),
            ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "")),
        new("what it is",
            ("SELECT LEFT(@@VERSION, 25) AS v, @@SERVERNAME AS s, @@MAX_PRECISION AS p, @@LANGUAGE AS l, CAST(SERVERPROPERTY('EngineEdition') AS int) AS e",
             "[v, s, p, l, e]\nMicrosoft SQL Server 2022 | alone | 38 | us_english | 3")),
        new("who am I",
            ("SELECT SUSER_SNAME() AS s, IS_SRVROLEMEMBER('sysadmin') AS a, DB_NAME() AS d, DB_ID() AS i",
             "[s, a, d, i]\nsa | 1 | play | 5")),
        new("databases",
            ("SELECT name, database_id, state_desc FROM sys.databases WHERE database_id <= 2 ORDER BY database_id",
             "[name, database_id, state_desc]\nmaster | 1 | ONLINE\ntempdb | 2 | ONLINE")),
    ];
}
