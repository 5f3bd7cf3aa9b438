namespace SqlServerSimulator.Engine;

internal sealed class Transaction
{
    public bool Explicit { get; init; }
}
