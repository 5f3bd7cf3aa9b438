using System.Globalization;
using SqlServerSimulator.Contract;

namespace Unit.TSql;

/// <summary>Keeps what a session writes, as short lines in order.</summary>
internal sealed class RecordingOutput : IResultOutput
{
    private readonly Lock _gate = new();
    private readonly List<string> _events = [];

    public List<SqlError> Messages { get; } = [];

    public List<IReadOnlyList<SqlColumn>> Sets { get; } = [];

    public List<IReadOnlyList<object?>> Rows { get; } = [];

    public List<SqlParameterValue> Outputs { get; } = [];

    public SemaphoreSlim Flushed { get; } = new(0);

    /// <summary>Everything but completions of statements without a count.</summary>
    public string Story
    {
        get
        {
            lock (_gate) return string.Join(' ', _events);
        }
    }

    /// <summary>Numbers of the errors.</summary>
    public IEnumerable<int> Errors => Messages.Where(message => message.IsError).Select(message => message.Number);

    public void Columns(IReadOnlyList<SqlColumn> columns) => Sets.Add(columns);

    public void Row(IReadOnlyList<object?> values)
    {
        Rows.Add(values);
        Add($"[{string.Join(',', values.Select(Show))}]");
    }

    public void StatementDone(long? rowCount)
    {
        if (rowCount is not null) Add($"({rowCount})");
    }

    public void Message(SqlError error)
    {
        Messages.Add(error);
        Add(error.IsError ? $"!{error.Number}" : $"'{error.Message}'");
    }

    public void DatabaseChanged(string from, string to) => Add($"{from}>{to}");

    public void LanguageChanged(string from, string to) => Add($"language {to}");

    public void TransactionChanged(TransactionChange change) => Add(change == TransactionChange.Begun ? "begin" : "end");

    public void OutputValue(SqlParameterValue parameter) => Outputs.Add(parameter);

    public Task FlushAsync()
    {
        Flushed.Release();
        return Task.CompletedTask;
    }

    private void Add(string what)
    {
        lock (_gate) _events.Add(what);
    }

    private static string Show(object? value) => value switch
    {
        null => "NULL",
        byte[] bytes => "0x" + Convert.ToHexString(bytes),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
