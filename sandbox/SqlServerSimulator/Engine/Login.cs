namespace SqlServerSimulator.Engine;

internal sealed class Login
{
    public required string Name { get; set; }
}
