using Clients.Cases;

namespace Clients.Drivers;

/// <summary>A real client, driven by steps.</summary>
internal abstract class Client : IAsyncDisposable
{
    public abstract string Name { get; }

    /// <summary>What it can do beyond batches.</summary>
    public abstract Abilities Abilities { get; }

    /// <summary>Why it cannot run here; null when it can.</summary>
    public abstract string? Missing { get; }

    /// <summary>Logs in, does the steps, leaves.</summary>
    /// <returns>The reply to the login, then one a step; only the first when the login failed.</returns>
    public abstract Task<IReadOnlyList<Reply>> RunAsync(Login login, IReadOnlyList<Step> steps);

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public override string ToString() => Name;
}

/// <summary>What a client can do and see; a case names what it needs.</summary>
[Flags]
internal enum Abilities
{
    None = 0,

    /// <summary>Shows messages that are no errors, with their numbers.</summary>
    Notices = 1,

    /// <summary>Shows every error of a batch, with severity and state.</summary>
    AllErrors = 2,

    /// <summary>Goes on after an error.</summary>
    GoesOn = 1024,

    Parameters = 4,
    Prepare = 8,
    Cancel = 16,
    Transactions = 32,
    Reset = 64,
    ReadOnlyIntent = 128,

    /// <summary>Hands out values, not text of its own format.</summary>
    Values = 256,

    /// <summary>Calls procedures, with output parameters and return status.</summary>
    Procedures = 512,

    /// <summary>Shows the numbers of a login's errors.</summary>
    LoginNumbers = 2048,

    /// <summary>Reads long text that arrives in many packets (SqlClient fails there, its issue 3519).</summary>
    LongText = 4096,

    /// <summary>Sends rows in bulk. SqlClient's bulk copy needs an assembly that is left out here, and gets as far as its INSERT BULK.</summary>
    BulkLoad = 8192,
}
