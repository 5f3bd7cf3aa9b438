using System.Text;
using Clients.Drivers;

namespace Clients.Cases;

/// <summary>What every client of a SQL Server relies on, whatever the server is used for.</summary>
internal static class SessionCases
{
    private const int Million = 1 << 20;

    private static readonly string LongText = new('☖', Million);

    public static IEnumerable<Case> All =>
    [
        new("values",
            ("""
             SELECT 1 AS i, CAST(-5 AS bigint) AS b, CAST(1 AS bit) AS bit, CAST(1.25 AS decimal(9,2)) AS d, N'äöü☖' AS n, 'plain' AS v, NULL AS nothing
             """,
             """
             [i, b, bit, d, n, v, nothing]
             1 | -5 | 1 | 1.25 | äöü☖ | plain | NULL
             """)) { Needs = Abilities.None },
        new("binary and times as values",
            ("""
             SELECT 0x00FF10 AS b, CAST('2024-02-29T23:59:58.123' AS datetime2(3)) AS t,
                 CAST('00112233-4455-6677-8899-aabbccddeeff' AS uniqueidentifier) AS g, CAST(0.5 AS float) AS f
             """,
             """
             [b, t, g, f]
             00FF10 | 2024-02-29T23:59:58.123 | 00112233-4455-6677-8899-AABBCCDDEEFF | 0.5
             """)) { Needs = Abilities.Values },
        new("rows of hardly anything but NULL",
            ("""
             SELECT NULL AS a, CAST(NULL AS nvarchar(5)) AS b, 1 AS c, CAST(NULL AS nvarchar(9)) AS d, CAST(NULL AS float) AS e, CAST(NULL AS bit) AS f,
                 CAST(NULL AS bigint) AS g, CAST(NULL AS datetime) AS h, N'last' AS i
             UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
             UNION ALL SELECT 2, N'b', 3, N'd', NULL, 1, NULL, NULL, NULL
             """,
             """
             [a, b, c, d, e, f, g, h, i]
             NULL | NULL | 1 | NULL | NULL | NULL | NULL | NULL | last
             NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL
             2 | b | 3 | d | NULL | 1 | NULL | NULL | NULL
             """)) { Needs = Abilities.None },
        new("NULLs of long and binary types",
            ("""
             SELECT CAST(NULL AS nvarchar(max)) AS a, CAST(NULL AS varbinary(8)) AS b, CAST(NULL AS varbinary(max)) AS c, CAST(NULL AS datetime2) AS d,
                 CAST(NULL AS sql_variant) AS e, CAST(NULL AS uniqueidentifier) AS f, 7 AS g
             """,
             "[a, b, c, d, e, f, g]\nNULL | NULL | NULL | NULL | NULL | NULL | 7")) { Needs = Abilities.Values },
        new("a row that fails",
            ("SELECT 1 / 0 AS a", "[a]\n8134/16/1 Divide by zero error encountered."),
            ("SELECT 1 AS a", "[a]\n1")) { Needs = Abilities.AllErrors | Abilities.GoesOn },
        new("a bulk load",
            ("CREATE TABLE {t} (i int NOT NULL PRIMARY KEY, n nvarchar(20) NULL, b varbinary(10) NULL)", ""),
            (new(StepKind.Bulk, "{t}", [new("i", "int", "1"), new("n", "nvarchar", "it's ☖"), new("b", "varbinary", "00FF")], ["2", null, null]), ""),
            ("SELECT i, n, b FROM {t} ORDER BY i", "[i, n, b]\n1 | it's ☖ | 00FF\n2 | NULL | NULL")),
        new("a bulk load that fails keeps no row",
            ("CREATE TABLE {t} (i int NOT NULL PRIMARY KEY)", ""),
            (new(StepKind.Bulk, "{t}", [new("i", "int", "1")], ["1"]), "2627/14/1 Violation of PRIMARY KEY constraint 'PK_{t}'. Cannot insert duplicate key in object 'dbo.{t}'. The duplicate key value is (1)."),
            ("SELECT COUNT(*) AS n FROM {t}", "[n]\n0")),
        new("several result sets",
            ("SELECT 1 AS a SELECT N'x' AS b, 2 AS c UNION ALL SELECT N'y', 3", "[a]\n1\n[b, c]\nx | 2\ny | 3"),
            ("SELECT 1 AS none WHERE 1 = 0", "[none]"),
            ("SELECT 7 AS later", "[later]\n7")),
        new("PRINT",
            ("PRINT N'hello' SELECT 1 AS a", "[a]\n1\n0/0/1 hello")),
        new("RAISERROR as a message",
            ("RAISERROR(N'note %d of %s', 5, 7, 3, N'x') SELECT 1 AS a", "[a]\n1\n50000/5/7 note 3 of x")),
        new("severity 10 arrives as 0",
            ("RAISERROR(N'note', 10, 2)", "50000/0/2 note")),
        new("RAISERROR as an error",
            ("RAISERROR(N'bad', 16, 3)", "50000/16/3 bad")),
        new("THROW",
            ("THROW 51234, N'thrown', 9", "51234/16/9 thrown")),
        new("an error ends the statement, not the batch",
            ("CREATE TABLE {t} (a int NOT NULL) INSERT {t} VALUES (NULL) SELECT COUNT(*) AS n FROM {t}",
             """
             [n]
             0
             515/16/2 Cannot insert the value NULL into column 'a', table 'play.dbo.{t}'; column does not allow nulls. INSERT fails.
             """)) { Needs = Abilities.AllErrors | Abilities.Values },
        new("an unknown table ends the batch",
            ("SELECT 1 AS a FROM nowhere SELECT 2 AS b", "208/16/1 Invalid object name 'nowhere'.")),
        new("a syntax error",
            ("SELECT FROM WHERE", "156/15/1 Incorrect syntax near the keyword 'FROM'.")),
        new("division by zero, and on",
            ("DECLARE @a int SET @a = 1 / 0 SELECT 2 AS b", "[b]\n2\n8134/16/1 Divide by zero error encountered."),
            ("SELECT 1 AS a", "[a]\n1")) { Needs = Abilities.AllErrors | Abilities.GoesOn },
        new("TRY and CATCH",
            ("""
             BEGIN TRY RAISERROR(N'caught', 14, 5) SELECT 1 AS a END TRY
             BEGIN CATCH SELECT ERROR_NUMBER() AS number, ERROR_SEVERITY() AS severity, ERROR_STATE() AS state, ERROR_MESSAGE() AS message END CATCH
             """,
             "[number, severity, state, message]\n50000 | 14 | 5 | caught")),
        new("sp_executesql in a batch",
            ("DECLARE @r int EXEC sp_executesql N'SET @r = @a * 2', N'@a int, @r int OUTPUT', 21, @r OUTPUT SELECT @r AS r", "[r]\n42")),
        new("an unknown procedure",
            ("EXEC no_such_procedure", "2812/16/62 Could not find stored procedure 'no_such_procedure'.")),
        new("a call with parameters",
            (new(StepKind.Call, "SELECT @i + 1 AS i, @n AS n, @b AS b, @missing AS missing",
                [new("i", "int", "41"), new("n", "nvarchar", "it's ☖"), new("b", "varbinary", "00FF"), new("missing", "nvarchar", null)]),
             "[i, n, b, missing]\n42 | it's ☖ | 00FF | NULL"),
            (new(StepKind.Call, "SELECT @a AS a WHERE @a = 1", [new("a", "int", "2")]), "[a]")),
        new("an error in a call",
            (new(StepKind.Call, "RAISERROR(N'bad %d', 16, 4, @a)", [new("a", "int", "5")]), "50000/16/4 bad 5")),
        new("a procedure with output",
            (new(StepKind.Procedure, "sp_executesql",
                [new("statement", "nvarchar", "SET @r = @a * 2"), new("params", "nvarchar", "@a int, @r int OUTPUT"), new("a", "int", "21"), new("r", "int", null, Output: true)]),
             "@r = 42\nreturn 0")),
        new("a prepared statement",
            (new(StepKind.Prepared, "SELECT @a + 1 AS a, @t AS t", [new("a", "int", "1"), new("t", "nvarchar", "one")], ["2", null]),
             "[a, t]\n2 | one\n[a, t]\n3 | NULL"),
            ("SELECT 1 AS a", "[a]\n1")),
        new("a cancelled batch, and on",
            (new(StepKind.Cancelled, "RAISERROR(N'begun', 0, 1) WITH NOWAIT WAITFOR DELAY '00:05:00' SELECT 1 AS a"), "50000/0/1 begun\ncancelled"),
            ("SELECT 2 AS a", "[a]\n2")),
        new("a pooled reset clears the session",
            ("""
             EXEC sp_set_session_context N'external_cluster', N'yes'
             USE tempdb
             SET XACT_ABORT ON
             BEGIN TRANSACTION
             SELECT SESSION_CONTEXT(N'external_cluster') AS c, @@TRANCOUNT AS t, DB_NAME() AS d
             """,
             "[c, t, d]\nyes | 1 | tempdb\n5701/0/2 Changed database context to 'tempdb'."),
            (new(StepKind.Reset), ""),
            ("SELECT SESSION_CONTEXT(N'external_cluster') AS c, @@TRANCOUNT AS t, DB_NAME() AS d", "[c, t, d]\nNULL | 0 | play")),
        new("without a reset the session stays",
            ("EXEC sp_set_session_context N'external_cluster', N'yes'", ""),
            ("SELECT CAST(SESSION_CONTEXT(N'external_cluster') AS nvarchar(10)) AS c", "[c]\nyes")),
        new("commit",
            ("CREATE TABLE {t} (a int)", ""),
            (new(StepKind.Begin), ""),
            ("INSERT {t} VALUES (1) SELECT @@TRANCOUNT AS n", "[n]\n1"),
            (new(StepKind.Commit), ""),
            ("SELECT COUNT(*) AS c, @@TRANCOUNT AS n FROM {t}", "[c, n]\n1 | 0")),
        new("roll back",
            ("CREATE TABLE {t} (a int)", ""),
            (new(StepKind.Begin), ""),
            ("INSERT {t} VALUES (1)", ""),
            (new(StepKind.Rollback), ""),
            ("SELECT COUNT(*) AS c, @@TRANCOUNT AS n FROM {t}", "[c, n]\n0 | 0")),
        new("a transaction in text",
            ("CREATE TABLE {t} (a int) BEGIN TRAN INSERT {t} VALUES (1) ROLLBACK SELECT COUNT(*) AS c FROM {t}", "[c]\n0")),
        new("a million characters",
            ("SELECT REPLICATE(CAST(N'☖' AS nvarchar(max)), 1048576) AS t", $"[t]\n{Reply.Shorten(LongText)}")) { Needs = Abilities.LongText },
        new("a megabyte of binary",
            ("SELECT CAST(REPLICATE(CAST(N'a' AS nvarchar(max)), 524288) AS varbinary(max)) AS b", $"[b]\n{Reply.Shorten(Hexadecimal("6100", Million / 2))}"))
            { Needs = Abilities.Values },
        new("a million characters as a parameter",
            (new(StepKind.Call, "SELECT LEN(@t) AS n, @t AS t", [new("t", "nvarchar", LongText)]), $"[n, t]\n{Million} | {Reply.Shorten(LongText)}")),
        new("a batch of a megabyte",
            ($"SELECT LEN(N'{new string('x', Million / 2)}') AS n", "[n]\n524288")),
        new("many rows",
            ("""
             DECLARE @i int SET @i = 0
             CREATE TABLE {t} (a int)
             SET NOCOUNT ON
             WHILE @i < 100 BEGIN INSERT {t} VALUES (@i) SET @i = @i + 1 END
             SELECT COUNT(*) AS n, SUM(x.a) AS s FROM {t} AS x CROSS JOIN {t} AS y
             """,
             "[n, s]\n10000 | 495000")),
        new("USE",
            ("USE tempdb SELECT DB_NAME() AS d", "[d]\ntempdb\n5701/0/2 Changed database context to 'tempdb'."),
            ("SELECT DB_NAME() AS d", "[d]\ntempdb"),
            ("USE nowhere", "911/16/1 Database 'nowhere' does not exist. Make sure that the name is entered correctly.")) { Needs = Abilities.Values },
    ];

    private static string Hexadecimal(string digits, int count) => new StringBuilder().Insert(0, digits, count).ToString();
}
