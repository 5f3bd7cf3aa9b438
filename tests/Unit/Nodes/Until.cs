using System.Diagnostics;

namespace Unit.Nodes;

/// <summary>Waits for a condition, with a bound that only a failing test reaches.</summary>
internal static class Until
{
    public static async Task HoldsAsync(Func<bool> condition, string what)
    {
        var start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(30))
                Assert.Fail($"Never happened: {what}.");
            await Task.Delay(10);
        }
    }
}
