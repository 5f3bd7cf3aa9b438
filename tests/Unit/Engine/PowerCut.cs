namespace Unit.Engine;

/// <summary>Ends a process at one of its writes, of which only a part happens.</summary>
/// <param name="write">At which write from now on, from 0.</param>
/// <param name="part">How much of it happens: of an append this part of its bytes; anything else happens if it is not less than a half.</param>
internal sealed class PowerCut(int write, double part)
{
    private int _writes;

    public bool IsReached => _writes > write;

    /// <summary>Makes a faulty disk, on which the last append is still missing when the process ends.</summary>
    public bool Behind { get; init; }

    public Action? Late { get; set; }

    /// <returns>How many of so many bytes are written.</returns>
    public int Next(int length) => _writes++ < write ? length : (int)Math.Round(part * length, MidpointRounding.AwayFromZero);

    public void ThrowIfReached()
    {
        if (IsReached)
        {
            throw new Exception();
        }
    }

    public void Settle()
    {
        Late?.Invoke();
        Late = null;
    }

#pragma warning disable CA1032, CA1064 // Thrown and caught within the world only.
    internal sealed class Exception : System.Exception;
#pragma warning restore CA1032, CA1064
}
