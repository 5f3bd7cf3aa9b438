using Agents.Sql;

namespace Unit.Sql;

internal sealed class SqlTextTests
{
    [Test]
    public void An_identifier_cannot_leave_its_brackets() =>
        Assert.That(SqlText.Of($"DROP AVAILABILITY GROUP {new SqlName("a]; DROP LOGIN [sa")}").Text,
            Is.EqualTo("DROP AVAILABILITY GROUP [a]]; DROP LOGIN [sa]"));

    [Test]
    public void A_string_cannot_leave_its_quotes() =>
        Assert.That(SqlText.Of($"SELECT {"it's; --"}").Text, Is.EqualTo("SELECT N'it''s; --'"));

    [Test]
    public void A_secret_reaches_the_server_and_nobody_else()
    {
        var text = SqlText.Of($"ALTER LOGIN [sa] WITH PASSWORD = {new SqlSecret("p'w")}, KEY = {new SqlSecretBytes([0xAB])}");
        Assert.Multiple(() =>
        {
            Assert.That(text.Text, Is.EqualTo("ALTER LOGIN [sa] WITH PASSWORD = N'p''w', KEY = 0xAB"));
            Assert.That(text.ToString(), Is.EqualTo("ALTER LOGIN [sa] WITH PASSWORD = N'***', KEY = 0x***"));
        });
    }

    [Test]
    public void Numbers_and_bytes_are_literals() =>
        Assert.That(SqlText.Of($"SELECT {-7}, {long.MaxValue}, {new byte[] { 1, 0xFE }}").Text,
            Is.EqualTo("SELECT -7, 9223372036854775807, 0x01FE"));

    [Test]
    public void Pieces_nest_without_being_quoted_again() =>
        Assert.That(SqlText.Of($"{SqlText.Of($"SELECT {"a"}")}; SELECT 1").Text, Is.EqualTo("SELECT N'a'; SELECT 1"));
}
