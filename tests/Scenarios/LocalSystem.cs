using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace Scenarios;

/// <summary>What runs and listens on this machine.</summary>
internal static partial class LocalSystem
{
    /// <summary>The value of a variable in the environment of a process, or null.</summary>
    public static string? Variable(int process, string name)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes($"/proc/{process}/environ")).Split('\0')
                .FirstOrDefault(x => x.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public static IEnumerable<int> Processes() =>
        Directory.EnumerateDirectories("/proc").Select(x => int.TryParse(Path.GetFileName(x), out var id) ? id : 0).Where(x => x > 0);

    /// <summary>The process that has started another; 0 when that is gone.</summary>
    public static int Parent(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>The network namespace that a process is in; null when it is gone.</summary>
    public static string? Network(int process)
    {
        try
        {
            return new FileInfo($"/proc/{process}/ns/net").LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Processes whose environment carries a variable with this value.</summary>
    public static IReadOnlyList<int> ProcessesWith(string name, string value) =>
        [.. Processes().Where(x => Variable(x, name) == value)];

    /// <summary>Loopback addresses on which somebody listens over TCP.</summary>
    public static IReadOnlySet<IPEndPoint> Listeners() =>
        File.ReadLines("/proc/net/tcp").Select(x => Listener().Match(x)).Where(x => x.Success).Select(x => new IPEndPoint(
            new IPAddress(Convert.ToUInt32(x.Groups[1].Value, 16)), Convert.ToInt32(x.Groups[2].Value, 16))).ToHashSet();

    [GeneratedRegex(@"^\s*\d+: ([0-9A-F]{8}):([0-9A-F]{4}) \S+ 0A ")]
    private static partial Regex Listener();
}
