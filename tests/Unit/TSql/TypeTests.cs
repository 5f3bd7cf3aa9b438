namespace Unit.TSql;

/// <summary>Truth tables of types: how values look, convert, compute and refuse.</summary>
internal sealed class TypeTests
{
    private SqlFixture sql = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        sql = await SqlFixture.OpenAsync();
        await sql.RunAsync("CREATE DATABASE d");
        await sql.RunAsync("USE d");
    }

    [OneTimeTearDown]
    public async Task Stop() => await sql.DisposeAsync();

    // Text of dates and times by style
    [TestCase("CONVERT(varchar(40), CAST('2024-02-29 13:04:05.120' AS datetime), 120)", "2024-02-29 13:04:05")]
    [TestCase("CONVERT(varchar(40), CAST('2024-02-29 13:04:05.120' AS datetime), 121)", "2024-02-29 13:04:05.120")]
    [TestCase("CONVERT(varchar(40), CAST('2024-02-29 13:04:05.120' AS datetime), 126)", "2024-02-29T13:04:05.120")]
    [TestCase("CONVERT(varchar(40), CAST('2024-02-29 13:04:05' AS datetime), 126)", "2024-02-29T13:04:05")]
    [TestCase("CONVERT(varchar(40), CAST('2024-02-29 13:04:05' AS datetime), 127)", "2024-02-29T13:04:05")]
    [TestCase("CONVERT(varchar(40), CAST('2024-02-29T13:04:05.1234567+02:00' AS datetimeoffset), 127)", "2024-02-29T11:04:05.1234567Z")]
    [TestCase("CONVERT(varchar(40), CAST('2024-02-29T13:04:05.1234567+02:00' AS datetimeoffset), 126)", "2024-02-29T13:04:05.1234567+02:00")]
    [TestCase("CONVERT(varchar(40), CAST('2024-02-29 13:04:05' AS datetime), 112)", "20240229")]
    [TestCase("CONVERT(varchar(40), CAST('2024-02-09 03:04:05' AS datetime))", "Feb  9 2024  3:04AM")]
    [TestCase("CONVERT(varchar(40), CAST('2024-02-09 03:04:45' AS smalldatetime))", "Feb  9 2024  3:05AM")]
    [TestCase("CAST(CAST('2024-02-09 03:04:05' AS date) AS varchar(40))", "2024-02-09")]
    [TestCase("CAST(CAST('03:04:05.6' AS time(2)) AS varchar(40))", "03:04:05.60")]
    [TestCase("CAST(CAST('2024-02-09 03:04:05' AS datetime2(0)) AS varchar(40))", "2024-02-09 03:04:05")]
    [TestCase("CAST(CAST('2024-02-09 03:04:05 -05:30' AS datetimeoffset(1)) AS varchar(40))", "2024-02-09 03:04:05.0 -05:30")]
    [TestCase("CONVERT(varchar(10), CAST('13:04:05' AS time), 108)", "13:04:05")]
    [TestCase("CONVERT(varchar(10), CAST('2024-02-09' AS date), 103)", "09/02/2024")]
    // Rounding
    [TestCase("CONVERT(varchar(40), CAST('2024-01-01 00:00:00.002' AS datetime), 121)", "2024-01-01 00:00:00.003")]
    [TestCase("CONVERT(varchar(40), CAST('2024-01-01 23:59:59.999' AS datetime), 121)", "2024-01-02 00:00:00.000")]
    [TestCase("CAST(CAST('23:59:59.999' AS time(0)) AS varchar(20))", "00:00:00")]
    [TestCase("CAST(CAST('2024-01-01 10:00:00.15' AS datetime2(1)) AS varchar(40))", "2024-01-01 10:00:00.2")]
    // Money
    [TestCase("CAST($1234.5678 AS varchar(20))", "1234.57")]
    [TestCase("CONVERT(varchar(20), $1234.5678, 1)", "1,234.57")]
    [TestCase("CONVERT(varchar(20), CAST(1234.5678 AS money), 2)", "1234.5678")]
    [TestCase("CONVERT(varchar(20), $2 / 3, 2)", "0.6666")]
    [TestCase("CONVERT(varchar(20), CAST('-$1,000.5' AS money), 2)", "-1000.5000")]
    [TestCase("CONVERT(varchar(20), $0.10 * 0.5, 2)", "0.05000")]
    [TestCase("CONVERT(varchar(20), SUM(m), 2) FROM (SELECT $1.5 AS m UNION ALL SELECT $2) AS t", "3.5000")]
    // Binary
    [TestCase("CONVERT(varchar(20), CAST(258 AS binary(4)), 1)", "0x00000102")]
    [TestCase("CONVERT(varchar(20), CAST(0x0102 AS binary(4)), 1)", "0x01020000")]
    [TestCase("CONVERT(varchar(20), CAST($1 AS varbinary(8)), 2)", "0000000000002710")]
    [TestCase("CONVERT(varchar(20), CONVERT(varbinary(4), '0A0b', 2), 1)", "0x0A0B")]
    [TestCase("CONVERT(varchar(20), CAST(CAST(1 AS float) AS varbinary(8)), 1)", "0x3FF0000000000000")]
    // The code page
    [TestCase("CAST(N'€☃' AS varchar(4))", "€?")]
    [TestCase("'☃'", "?")]
    [TestCase("CONVERT(varchar(8), CAST('€' AS varbinary(2)), 1)", "0x80")]
    [TestCase("CONVERT(varchar(8), CAST(N'€' AS varbinary(2)), 1)", "0xAC20")]
    // Real
    [TestCase("CAST(CAST(0.1 AS real) AS varchar(20))", "0.1")]
    [TestCase("CAST(CAST(1 AS real) / 3 AS varchar(20))", "0.333333")]
    // Date functions
    [TestCase("CAST(DATEADD(month, 1, CAST('2024-01-31' AS date)) AS varchar(20))", "2024-02-29")]
    [TestCase("CAST(DATEADD(hour, 25, CAST('01:00' AS time(0))) AS varchar(20))", "02:00:00")]
    [TestCase("CAST(DATEADD(minute, 30, CAST('2024-01-01 23:45 +01:00' AS datetimeoffset(0))) AS varchar(40))", "2024-01-02 00:15:00 +01:00")]
    [TestCase("CAST(DATEDIFF(hour, CAST('2024-01-01 00:00 +02:00' AS datetimeoffset), CAST('2024-01-01 00:00 +00:00' AS datetimeoffset)) AS varchar(20))", "2")]
    [TestCase("CAST(DATEDIFF(year, '2023-12-31', '2024-01-01') AS varchar(20))", "1")]
    [TestCase("CAST(DATEDIFF_BIG(nanosecond, '2024-01-01', '2024-01-02') AS varchar(20))", "86400000000000")]
    [TestCase("DATENAME(month, '2024-02-29')", "February")]
    [TestCase("DATENAME(weekday, '2024-02-29')", "Thursday")]
    [TestCase("DATENAME(tzoffset, CAST('2024-01-01 00:00 -03:30' AS datetimeoffset))", "-03:30")]
    [TestCase("CAST(DATEPART(iso_week, '2021-01-03') AS varchar(4))", "53")]
    [TestCase("CAST(DATEPART(dayofyear, '2024-12-31') AS varchar(4))", "366")]
    [TestCase("CAST(DATEPART(week, '2024-01-07') AS varchar(4))", "2")]
    [TestCase("CAST(EOMONTH('2024-02-03') AS varchar(20))", "2024-02-29")]
    [TestCase("CAST(EOMONTH('2024-01-31', 1) AS varchar(20))", "2024-02-29")]
    [TestCase("CAST(ISDATE('2024-02-30') AS varchar(1)) + CAST(ISDATE('20240229') AS varchar(1)) + CAST(ISDATE('x') AS varchar(1))", "010")]
    [TestCase("CAST(DATEFROMPARTS(2024, 2, 29) AS varchar(20))", "2024-02-29")]
    [TestCase("CAST(SWITCHOFFSET(CAST('2024-01-01 12:00 +00:00' AS datetimeoffset(0)), '-05:00') AS varchar(40))", "2024-01-01 07:00:00.0000000 -05:00")]
    [TestCase("CAST(CASE WHEN CAST('2024-01-01 12:00 +02:00' AS datetimeoffset) = '2024-01-01 10:00 +00:00' THEN 1 ELSE 0 END AS varchar(1))", "1")]
    [TestCase("CAST(CAST('2024-01-02' AS date) AS varchar(20)) + ' ' + CAST(DATALENGTH(CAST('2024-01-02' AS date)) AS varchar(2))", "2024-01-02 3")]
    // sql_variant keeps its base type
    [TestCase("CAST(CAST(CAST(1.50 AS numeric(5,2)) AS sql_variant) AS varchar(10))", "1.50")]
    [TestCase("CAST(CAST(CAST('2024-01-02' AS date) AS sql_variant) AS varchar(20))", "2024-01-02")]
    public async Task Text_of(string expression, string expected) =>
        Assert.That((await sql.RunAsync($"SELECT {expression}")).Story, Is.EqualTo($"[{expected}] (1)"));

    [TestCase("CAST('2024-02-30' AS datetime)", 242)]
    [TestCase("CAST('2024-02-30' AS date)", 241)]
    [TestCase("CAST('nonsense' AS datetime)", 241)]
    [TestCase("CAST('2024-01-01 00:00:00.1234567' AS datetime)", 241)]
    [TestCase("CAST('2024-01-01 00:00:00+01:00' AS datetime)", 241)]
    [TestCase("CAST('1752-12-31' AS datetime)", 242)]
    [TestCase("CAST('2080-01-01' AS smalldatetime)", 242)]
    [TestCase("CAST('2024-01-01 +15:00' AS datetimeoffset)", 241)]
    [TestCase("CAST(1 AS date)", 529)]
    [TestCase("CAST(CAST('2024-01-01' AS date) AS int)", 529)]
    [TestCase("CAST(CAST('2024-01-01' AS date) AS time)", 529)]
    [TestCase("CAST('2024-01-01' AS date) + 1", 206)]
    [TestCase("DATEADD(hour, 1, CAST('2024-01-01' AS date))", 9810)]
    [TestCase("DATEPART(year, CAST('10:00' AS time))", 9810)]
    [TestCase("DATEADD(year, 9000, '2024-01-01')", 517)]
    [TestCase("DATEDIFF(second, '1900-01-01', '2024-01-01')", 535)]
    [TestCase("DATEFROMPARTS(2024, 2, 30)", 289)]
    [TestCase("CAST('x' AS money)", 235)]
    [TestCase("CAST(922337203685478 AS money)", 8115)]
    [TestCase("CAST(214749 AS smallmoney)", 8115)]
    [TestCase("$922337203685477.58 + $1", 8115)]
    [TestCase("$1 / $0", 8134)]
    [TestCase("1 / 0", 8134)]
    [TestCase("1.0 / 0.0", 8134)]
    [TestCase("CAST(1 AS real) / 0", 8134)]
    [TestCase("CAST(1e39 AS real)", 8115)]
    [TestCase("CAST(1e38 AS real) * 10", 8115)]
    [TestCase("CAST(300 AS tinyint)", 220)]
    [TestCase("CAST(40000 AS smallint)", 220)]
    [TestCase("CAST(3000000000 AS int)", 8115)]
    [TestCase("2147483647 + 1", 8115)]
    [TestCase("CAST(1000 AS numeric(3,0))", 8115)]
    [TestCase("CAST('x' AS numeric(3,0))", 8114)]
    [TestCase("CAST('x' AS int)", 245)]
    [TestCase("CAST('zz' AS uniqueidentifier)", 8169)]
    [TestCase("CAST(NEWID() AS varchar(10))", 8170)]
    [TestCase("CAST($12345 AS varchar(3))", 234)]
    [TestCase("CAST(1e0 AS float) % 2", 402)]
    [TestCase("CONVERT(datetime, '01/02/2024', 103)", 50505)]
    [TestCase("CAST('x' AS text)", 50505)]
    public async Task Error_of(string expression, int number)
    {
        var output = await sql.RunAsync($"SELECT {expression}");
        Assert.That(output.Errors, Is.EqualTo(new[] { number }), () => string.Join("; ", output.Messages.Select(message => message.Message)));
        Assert.That(output.Rows, Is.Empty);
    }

    [TestCase("TRY_CAST('x' AS money)")]
    [TestCase("TRY_CAST('2024-02-30' AS datetime)")]
    [TestCase("TRY_CONVERT(date, 'x')")]
    [TestCase("TRY_CAST(1e39 AS real)")]
    [TestCase("TRY_CAST('99:99' AS time)")]
    public async Task Attempt_is_null(string expression) => Assert.That((await sql.RunAsync($"SELECT {expression}")).Story, Is.EqualTo("[NULL] (1)"));

    [TestCase("DECLARE @v varchar(20) = $1", 257)]
    [TestCase("DECLARE @d date = 1", 206)]
    [TestCase("DECLARE @t time = CAST('2024-01-01' AS date)", 206)]
    [TestCase("DECLARE @b varbinary(4) = 'x'", 257)]
    public async Task Assignment_is_refused(string statement, int number) => Assert.That((await sql.RunAsync(statement)).Errors, Is.EqualTo(new[] { number }));

    [TestCase("varchar(3)", "'abcd'")]
    [TestCase("nvarchar(3)", "N'abcd'")]
    [TestCase("char(3)", "'abcd'")]
    [TestCase("binary(2)", "0x010203")]
    [TestCase("varbinary(2)", "0x010203")]
    public async Task Column_that_is_too_short_is_2628_and_keeps_nothing(string type, string value)
    {
        Assert.That((await sql.RunAsync($"CREATE TABLE t (v {type})")).Errors, Is.Empty);
        Assert.That((await sql.RunAsync($"INSERT t VALUES ({value})")).Errors, Is.EqualTo(new[] { 2628 }));
        Assert.That((await sql.RunAsync("SELECT COUNT(*) FROM t")).Story, Is.EqualTo("[0] (1)"));
        await sql.RunAsync("DROP TABLE t");
    }
}
