using System.Globalization;
using System.Numerics;
using SqlServerSimulator.Contract;
using SqlServerSimulator.TSql.Binding;
using SqlServerSimulator.TSql.Parsing;
using SqlServerSimulator.TSql.Syntax;
using SqlServerSimulator.TSql.Values;

namespace Unit.TSql;

public sealed class EvaluationTests
{
    // NULL = anything is UNKNOWN; WHERE, IF and CASE take only TRUE.
    [TestCase("1 = 1", true)]
    [TestCase("1 = 2", false)]
    [TestCase("1 = NULL", null)]
    [TestCase("NULL = NULL", null)]
    [TestCase("NULL <> NULL", null)]
    [TestCase("NOT (1 = NULL)", null)]
    [TestCase("1 = NULL AND 1 = 2", false)]
    [TestCase("1 = 2 AND 1 = NULL", false)]
    [TestCase("1 = NULL AND 1 = 1", null)]
    [TestCase("1 = NULL OR 1 = 1", true)]
    [TestCase("1 = 1 OR 1 = NULL", true)]
    [TestCase("1 = NULL OR 1 = 2", null)]
    [TestCase("NULL IS NULL", true)]
    [TestCase("1 IS NOT NULL", true)]
    [TestCase("1 IN (1, NULL)", true)]
    [TestCase("1 IN (2, NULL)", null)]
    [TestCase("1 NOT IN (2, NULL)", null)]
    [TestCase("1 NOT IN (1, NULL)", false)]
    [TestCase("NULL IN (SELECT x FROM empty)", false)]
    [TestCase("NULL NOT IN (SELECT x FROM empty)", true)]
    [TestCase("9 NOT IN (SELECT b FROM t)", null)]
    [TestCase("10 IN (SELECT b FROM t)", true)]
    [TestCase("1 BETWEEN NULL AND 0", false)]
    [TestCase("1 BETWEEN NULL AND 2", null)]
    [TestCase("1 NOT BETWEEN NULL AND 0", true)]
    [TestCase("NULL LIKE 'a'", null)]
    [TestCase("EXISTS (SELECT NULL)", true)]
    [TestCase("EXISTS (SELECT x FROM empty)", false)]
    [TestCase("'abc ' = 'ABC'", true)]
    [TestCase("N'a' = 'A'", true)]
    [TestCase("'10' = 10", true)]
    [TestCase("'9' > '10'", true)]
    [TestCase("9 > '10'", false)]
    [TestCase("1.50 = 1.5", true)]
    [TestCase("0x0100 = 0x01", true)]
    [TestCase("CAST(1 AS bit) = 1", true)]
    [TestCase("SERVER('a') = N'A'", true)]
    [TestCase("'a_c' LIKE 'a[_]c'", true)]
    [TestCase("'abc' LIKE 'a[_]c'", false)]
    [TestCase("'abc' LIKE 'A%C'", true)]
    [TestCase("'abcbc' LIKE '%bc'", true)]
    [TestCase("'abc' LIKE '[^a]bc'", false)]
    [TestCase("'xbc' LIKE '[w-z]bc'", true)]
    [TestCase("'50%' LIKE '50!%' ESCAPE '!'", true)]
    [TestCase("'50x' LIKE '50!%' ESCAPE '!'", false)]
    public void Conditions(string condition, bool? expected)
    {
        var outcomes = (Holds(condition), Holds($"NOT ({condition})"));
        Assert.That(outcomes, Is.EqualTo((expected == true, expected == false)));
        static bool Holds(string text) => Run($"SELECT 1 WHERE {text}").Rows.Count == 1;
    }

    [TestCase("1 + 2 * 3", 7)]
    [TestCase("(1 + 2) * 3", 9)]
    [TestCase("7 / 2", 3)]
    [TestCase("-7 / 2", -3)]
    [TestCase("7 % 3", 1)]
    [TestCase("-7 % 3", -1)]
    [TestCase("5 & 3 | 8 ^ 1", 8)]
    [TestCase("~5", -6)]
    [TestCase("- -5", 5)]
    [TestCase("1 + NULL", null)]
    [TestCase("1 + '2'", 3)]
    [TestCase("'1' + '2'", "12")]
    [TestCase("N'a' + NULL", null)]
    [TestCase("CASE WHEN NULL = 1 THEN 1 ELSE 2 END", 2)]
    [TestCase("CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END", "b")]
    [TestCase("CASE NULL WHEN NULL THEN 1 END", null)]
    [TestCase("CASE WHEN 1 = 1 THEN 1 ELSE 1 / 0 END", 1)]
    [TestCase("IIF(1 > 2, 'a', 'b')", "b")]
    [TestCase("ISNULL(NULL, 5)", 5)]
    [TestCase("ISNULL(CAST(NULL AS varchar(2)), 'abc')", "ab")]
    [TestCase("COALESCE(NULL, NULL, 'x')", "x")]
    [TestCase("NULLIF(1, 1)", null)]
    [TestCase("NULLIF(1, 2)", 1)]
    [TestCase("LEN('ab  ')", 2)]
    [TestCase("UPPER(LTRIM(RTRIM('  ab ')))", "AB")]
    [TestCase("SUBSTRING('abcdef', 2, 3)", "bcd")]
    [TestCase("SUBSTRING('abcdef', -1, 3)", "a")]
    [TestCase("SUBSTRING('abc', 9, 3)", "")]
    [TestCase("REPLACE('aXbx', 'x', '-')", "a-b-")]
    [TestCase("CHARINDEX('B', 'abc')", 2)]
    [TestCase("CHARINDEX('b', 'abcb', 3)", 4)]
    [TestCase("CONCAT('a', NULL, 1)", "a1")]
    [TestCase("LEFT('abc', 2) + RIGHT('abc', 1)", "abc")]
    [TestCase("QUOTENAME('a]b')", "[a]]b]")]
    [TestCase("QUOTENAME('a''b', '''')", "'a''b'")]
    [TestCase("ABS(-3)", 3)]
    [TestCase("CAST('12' AS int)", 12)]
    [TestCase("CAST(1.9 AS int)", 1)]
    [TestCase("CAST(12 AS varchar(10))", "12")]
    [TestCase("CAST(123 AS varchar(2))", "*")]
    [TestCase("CAST('abcdef' AS nvarchar(3))", "abc")]
    [TestCase("CAST('ab' AS nchar(4))", "ab  ")]
    [TestCase("CAST(1.50 AS varchar(9))", "1.50")]
    [TestCase("TRY_CAST('x' AS int)", null)]
    [TestCase("TRY_CONVERT(int, '7')", 7)]
    [TestCase("CONVERT(varchar(40), 0x0AFF, 1)", "0x0AFF")]
    [TestCase("CONVERT(varchar(8), CAST('2026-01-02' AS datetime), 112)", "20260102")]
    [TestCase("CONVERT(nvarchar(40), CAST('2026-01-02 03:04:05.678' AS datetime2(3)), 126)", "2026-01-02T03:04:05.678")]
    [TestCase("DATEDIFF(second, '2026-01-01 00:00:00.9', '2026-01-01 00:00:01.1')", 1)]
    [TestCase("DATEDIFF(day, '2026-01-01', NULL)", null)]
    [TestCase("CONVERT(varchar(10), DATEADD(month, 1, '2026-01-31'), 120)", "2026-02-28")]
    [TestCase("CAST(CAST('6F9619FF-8B86-D011-B42D-00C04FC964FF' AS uniqueidentifier) AS char(36))", "6F9619FF-8B86-D011-B42D-00C04FC964FF")]
    [TestCase("(SELECT MAX(a) FROM t)", 3)]
    [TestCase("(SELECT x FROM empty)", null)]
    public void Values(string expression, object? expected) => Assert.That(Scalar(expression), Is.EqualTo(expected));

    [TestCase("1.5 + 2", "3.5")]
    [TestCase("1.5 * 1.5", "2.25")]
    [TestCase("1.0 / 3", "0.333333")]
    [TestCase("-1.5 % 1", "-0.5")]
    [TestCase("CAST(2.345 AS numeric(5,2))", "2.35")]
    [TestCase("CAST(-2.345 AS numeric(5,2))", "-2.35")]
    [TestCase("CAST('7.1' AS numeric(5,2))", "7.10")]
    [TestCase("ROUND(2.345, 2)", "2.350")]
    [TestCase("(SELECT AVG(b * 1.0) FROM t)", "20.000000")]
    public void Numerics(string expression, string expected)
    {
        var (columns, rows) = Run($"SELECT {expression}");
        Assert.That(Types.Format((BigInteger)rows[0][0]!, columns[0].Type.Scale), Is.EqualTo(expected));
    }

    [TestCase("1 / 0", 8134)]
    [TestCase("1.0 / 0", 8134)]
    [TestCase("5 % 0", 8134)]
    [TestCase("2147483647 + 1", 8115)]
    [TestCase("CAST('x' AS int)", 245)]
    [TestCase("1 + 'x'", 245)]
    [TestCase("CAST('x' AS numeric(5,2))", 8114)]
    [TestCase("CAST('x' AS datetime)", 241)]
    [TestCase("CAST('x' AS uniqueidentifier)", 8169)]
    [TestCase("CAST(300 AS tinyint)", 220)]
    [TestCase("CAST(1 AS uniqueidentifier)", 529)]
    [TestCase("CAST(99999 AS numeric(3,0))", 8115)]
    [TestCase("nope", 207)]
    [TestCase("t.a", 4104)]
    [TestCase("NOPE()", 195)]
    [TestCase("dbo.nope()", 4121)]
    [TestCase("LEN()", 174)]
    [TestCase("(SELECT a FROM t)", 512)]
    [TestCase("(SELECT a, b FROM t)", 116)]
    [TestCase("(SELECT 1 FROM nope)", 208)]
    [TestCase("NULLIF(NULL, 1)", 4151)]
    [TestCase("LEFT('a', -1)", 537)]
    [TestCase("0x01 + 1.5e0", 206)]
    [TestCase("CAST(1 AS bit) + CAST(1 AS bit)", 402)]
    public void Errors(string expression, int number) =>
        Assert.That(Assert.Throws<SqlErrorException>(() => Run($"SELECT {expression}"))!.Error.Number, Is.EqualTo(number));

    [TestCase("SELECT a FROM t, t AS u", 209)]
    [TestCase("SELECT * FROM t, t", 1013)]
    [TestCase("SELECT a, COUNT(*) FROM t", 8120)]
    [TestCase("SELECT a FROM t GROUP BY b", 8120)]
    [TestCase("SELECT a FROM t WHERE COUNT(*) > 1", 147)]
    [TestCase("SELECT 1, 2 UNION SELECT 1", 205)]
    [TestCase("SELECT a FROM t ORDER BY 2", 108)]
    [TestCase("SELECT DISTINCT a FROM t ORDER BY b", 145)]
    [TestCase("SELECT 1 UNION SELECT 2 ORDER BY a", 104)]
    [TestCase("SELECT *", 263)]
    [TestCase("SELECT x.* FROM t", 107)]
    [TestCase("SELECT d.a FROM (SELECT 1) d", 8155)]
    [TestCase("SELECT TOP (-1) a FROM t", 1060)]
    [TestCase("SELECT MIN(CAST(a AS bit)) FROM t", 8117)]
    [TestCase("SELECT SUM(c) FROM t", 8117)]
    public void Wrong_queries(string query, int number) =>
        Assert.That(Assert.Throws<SqlErrorException>(() => Run(query))!.Error.Number, Is.EqualTo(number));

    // t(a, b, c): (1, 10, x), (2, NULL, y), (3, 30, X)
    [TestCase("SELECT a FROM t WHERE b > 5", "1|3")]
    [TestCase("SELECT * FROM t WHERE a = 1", "1,10,x")]
    [TestCase("SELECT t.a, u.a FROM t JOIN t u ON u.a = t.a + 1", "1,2|2,3")]
    [TestCase("SELECT t.a, u.a FROM t LEFT JOIN t u ON u.a = t.a + 1", "1,2|2,3|3,NULL")]
    [TestCase("SELECT t.a FROM t LEFT JOIN t u ON u.a = t.a + 1 WHERE u.a IS NULL", "3")]
    [TestCase("SELECT COUNT(*) FROM t CROSS JOIN t u", "9")]
    [TestCase("SELECT t.a FROM t JOIN (t u JOIN t v ON v.a = u.a) ON v.a = t.a WHERE u.a = 2", "2")]
    [TestCase("SELECT COUNT(*), COUNT(b), SUM(b), MIN(b), MAX(c) FROM t", "3,2,40,10,y")]
    [TestCase("SELECT COUNT(*), MAX(a) FROM t WHERE a > 9", "0,NULL")]
    [TestCase("SELECT c, COUNT(*) FROM t GROUP BY c ORDER BY c", "x,2|y,1")]
    [TestCase("SELECT c FROM t GROUP BY c HAVING COUNT(*) > 1", "x")]
    [TestCase("SELECT a % 2 + 1, COUNT(*) FROM t GROUP BY a % 2 ORDER BY 1", "1,1|2,2")]
    [TestCase("SELECT a FROM t WHERE a > 9 GROUP BY a", "")]
    [TestCase("SELECT COUNT(DISTINCT c) FROM t", "2")]
    [TestCase("SELECT DISTINCT c FROM t", "x|y")]
    [TestCase("SELECT TOP 2 a FROM t ORDER BY a DESC", "3|2")]
    [TestCase("SELECT a AS z FROM t ORDER BY b, z", "2|1|3")]
    [TestCase("SELECT b FROM t UNION SELECT b FROM t ORDER BY b", "NULL|10|30")]
    [TestCase("SELECT 1 AS n UNION ALL SELECT 1 UNION ALL SELECT 2", "1|1|2")]
    [TestCase("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM t u WHERE u.a = t.a + 1)", "1|2")]
    [TestCase("SELECT a, (SELECT COUNT(*) FROM t u WHERE u.a < t.a) FROM t", "1,0|2,1|3,2")]
    [TestCase("SELECT c, (SELECT COUNT(*) FROM t u WHERE u.c = t.c) FROM t GROUP BY c", "x,2|y,1")]
    [TestCase("SELECT d.n FROM (SELECT a AS n FROM t WHERE a > 1) d", "2|3")]
    [TestCase("SELECT v.k, v.s FROM (VALUES (1, 'a'), (2, NULL)) v (k, s)", "1,a|2,NULL")]
    [TestCase("SELECT a FROM dbo.t WHERE dbo.t.a = 2", "2")]
    [TestCase("SELECT a FROM t WHERE c IN ('X') ORDER BY a", "1|3")]
    [TestCase("SELECT a FROM t WHERE NULL IS NULL AND a IN (SELECT MAX(a) FROM t)", "3")]
    public void Queries(string query, string expected)
    {
        var rows = Run(query).Rows.Select(row => string.Join(',', row.Select(value => value is null ? "NULL" : Convert.ToString(value, CultureInfo.InvariantCulture))));
        Assert.That(string.Join('|', rows), Is.EqualTo(expected));
    }

    [Test]
    public void Columns_have_names_and_types()
    {
        var columns = Run("SELECT a, a AS [x y], c + 'z', z = 1.5, COUNT(*) FROM t GROUP BY a, c").Columns;
        Assert.Multiple(() =>
        {
            Assert.That(columns.Select(column => column.Name), Is.EqualTo(["a", "x y", "", "z", ""]));
            Assert.That(columns[0].Type, Is.EqualTo(new SqlType(SqlKind.Int, Nullable: false)));
            Assert.That(columns[2].Type.Kind, Is.EqualTo(SqlKind.NVarChar));
            Assert.That(columns[3].Type, Is.EqualTo(new SqlType(SqlKind.Numeric, 0, 2, 1, false)));
            Assert.That(columns[4].Type.Nullable, Is.False);
        });
    }

    [Test]
    public void Columns_from_the_outer_side_of_a_join_may_be_null() =>
        Assert.That(Run("SELECT u.a FROM t LEFT JOIN t u ON 1 = 2").Columns[0].Type.Nullable, Is.True);

    [TestCase("SELECT v FROM keyed WHERE k = 7", 1)]
    [TestCase("SELECT v FROM keyed x WHERE x.v > 1 AND 7 = x.k", 1)]
    [TestCase("SELECT v FROM keyed WHERE k = 7 AND v = 71", 0)]
    [TestCase("SELECT v FROM keyed WHERE k = 8", 0)]
    [TestCase("SELECT v FROM keyed WHERE k = -8", 0)]
    [TestCase("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM keyed WHERE k = t.a + 4 AND k = t.a)", 0)]
    public void A_row_asked_for_by_its_key_is_found_without_a_scan(string text, int rows) => Assert.That(Run(text).Rows, Has.Count.EqualTo(rows));

    [TestCase("SELECT v FROM keyed WHERE k > 7")]
    [TestCase("SELECT v FROM keyed WHERE k = 7 OR v = 1")]
    [TestCase("SELECT v FROM keyed WHERE NOT k = 7")]
    [TestCase("SELECT v FROM keyed WHERE k = 7.0")]
    [TestCase("SELECT v FROM keyed WHERE v = 7")]
    [TestCase("SELECT v FROM keyed WHERE k = v")]
    public void Any_other_condition_scans(string text) => Assert.That(() => Run(text), Throws.InstanceOf<AssertionException>());

    private static object? Scalar(string expression) => Run($"SELECT {expression}").Rows.Single()[0];

    private static (IReadOnlyList<SqlColumn> Columns, List<object?[]> Rows) Run(string text)
    {
        var select = (SelectStatement)Parser.Parse(text, []).Single();
        var query = new Binder(new Environment()).BindQuery(select.Query, null);
        return (query.Columns, query.Rows(null));
    }

    private sealed class Environment : IQueryEnvironment
    {
        public DateTime UtcNow => new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);

        public void Check()
        {
        }

        public Guid NewGuid() => Guid.Empty;

        public IReadOnlyList<CommonTable> CommonTables => [];

        public (SqlType Type, Func<object?> Value) Variable(string name) => throw new SqlErrorException(137, 15, name);

        public Relation Find(ObjectName name) => name.Name switch
        {
            "t" => new Relation(
                [new SqlColumn("a", new SqlType(SqlKind.Int, Nullable: false)), new SqlColumn("b", new SqlType(SqlKind.Int)), new SqlColumn("c", new SqlType(SqlKind.NVarChar, 10))],
                () => [[1, 10, "x"], [2, null, "y"], [3, 30, "X"]]),
            "keyed" => new Relation(
                [new SqlColumn("k", new SqlType(SqlKind.Int, Nullable: false)), new SqlColumn("v", new SqlType(SqlKind.Int))],
                () => throw new AssertionException("All rows were looked at."))
            {
                Key = [0],
                Seek = key => (int?)key[0] == 7 ? [[7, 70]] : [],
            },
            "empty" => new Relation([new SqlColumn("x", new SqlType(SqlKind.Int))], () => []),
            _ => throw new SqlErrorException(208, 16, $"Invalid object name '{name}'."),
        };

        public Bound? Function(ObjectName name, IReadOnlyList<Bound> arguments) =>
            name.Name == "SERVER" ? new Bound(new SqlType(SqlKind.Variant), arguments[0].Value) : null;
    }
}
