namespace SqlServerSimulator.Engine;

public sealed partial class SqlInstance
{
    /// <summary>A user table without its rows, for those who are about to change it. Throws as <see cref="Read"/> does, but asks for no right to read.</summary>
    public TableView Describe(EngineSession session, TableName table)
    {
        var found = Find(OpenForReading(session, DatabaseOf(session, table)), table);
        return new TableView(found.Columns, found.Key, found.IdentityColumn);
    }
}
