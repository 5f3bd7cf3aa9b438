using Agents.InitSql;

namespace Unit.InitSql;

internal sealed class BatchSplitterTests
{
    [TestCase("", 0)]
    [TestCase("  \n GO \n", 0)]
    [TestCase("SELECT 1", 1)]
    [TestCase("SELECT 1\nGO\nSELECT 2", 2)]
    [TestCase("SELECT 1\r\n  go  \r\nSELECT 2\r\nGO;\r\n", 2)]
    [TestCase("SELECT 1\nGO 3\nSELECT 2", 4)]
    [TestCase("SELECT 1\nGO 0\nSELECT 2", 1)]
    [TestCase("SELECT 'a\nGO\nb'", 1)]
    [TestCase("SELECT 'it''s\nGO\n'\nGO\nSELECT 2", 2)]
    [TestCase("/* a\nGO\n/* nested */\nGO\n*/ SELECT 1\nGO\nSELECT 2", 2)]
    [TestCase("-- don't\nGO\nSELECT 2", 2)]
    [TestCase("SELECT 1 AS [it's]\nGO\nSELECT 2", 2)]
    [TestCase("GOTO label\nGOING", 1)]
    public void Splits_where_a_line_holds_only_GO(string script, int batches) =>
        Assert.That(BatchSplitter.Split(script), Has.Count.EqualTo(batches));

    [Test]
    public void Keeps_the_text_of_a_batch() =>
        Assert.That(BatchSplitter.Split("A\nB\nGO\nC"), Is.EqualTo(new[] { "A\nB\n", "C\n" }));
}
