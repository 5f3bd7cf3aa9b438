using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace KubernetesEmulator.Schema;

/// <summary>Amounts such as <c>500m</c> and <c>2Gi</c> in the one form that the server gives them.</summary>
internal static partial class Quantity
{
    private const string Decimals = "num kMGTPE";
    private const string Binaries = " KMGTPE";
    private static readonly BigInteger Milli = 1_000_000;
    private static readonly BigInteger Nano = 1_000_000_000;

    /// <summary>The amount without a fraction and with the largest suffix that allows for that.</summary>
    /// <param name="text">The amount as it was written.</param>
    /// <param name="ofResource">Whether it is one of a list of resources: these are rounded up to thousandths.</param>
    /// <exception cref="FormatException">It is none; the message is the server's.</exception>
    public static string Canonical(string text, bool ofResource)
    {
        var (amount, binary, exponent) = Parse(text);
        var nanos = BigInteger.Abs(amount);
        if (ofResource)
            nanos = Up(nanos, Milli) * Milli;
        var sign = amount.Sign < 0 ? "-" : "";
        return sign + (binary && nanos >= 1024 * Nano ? Largest(Up(nanos, Nano), 1024, Binaries, 0, "i") : Largest(nanos, 1000, Decimals, 3, exponent ? "e" : ""));
    }

    /// <summary>Less than, equal to or greater than zero, as the first is less than, the same as or more than the second.</summary>
    /// <exception cref="FormatException">One is no amount.</exception>
    public static int Compare(string one, string other) => Parse(one).Nanos.CompareTo(Parse(other).Nanos);

    private static (BigInteger Nanos, bool Binary, bool Exponent) Parse(string text)
    {
        if (Form().Match(text) is not { Success: true } match)
            throw new FormatException("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
        if (Number().Match(match.Groups[1].Value) is not { Success: true } number)
            throw new FormatException("unable to parse numeric part of quantity");
        var suffix = match.Groups[2].Value;
        var fraction = number.Groups["fraction"].Value;
        var digits = BigInteger.Parse("0" + number.Groups["whole"].Value + fraction, CultureInfo.InvariantCulture) * Nano;
        var scale = -fraction.Length;
        var (binary, exponent) = (false, false);
        if (suffix.Length == 2 && suffix[1] == 'i' && Binaries.IndexOf(suffix[0], StringComparison.Ordinal) is > 0 and var power)
            (binary, digits) = (true, digits * BigInteger.Pow(1024, power));
        else if (suffix.Length < 2 && Decimals.IndexOf(suffix.Length == 0 ? ' ' : suffix[0], StringComparison.Ordinal) is >= 0 and var place)
            scale += (place - 3) * 3;
        else if (Exponent().IsMatch(suffix) && int.TryParse(suffix[1..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var shift))
            (exponent, scale) = (true, scale + shift);
        else
            throw new FormatException("unable to parse quantity's suffix");
        var nanos = scale >= 0 ? digits * BigInteger.Pow(10, scale) : Up(digits, BigInteger.Pow(10, -scale));
        return (number.Groups["sign"].Value == "-" ? -nanos : nanos, binary, exponent);
    }

    private static BigInteger Up(BigInteger amount, BigInteger unit) => (amount + unit - 1) / unit;

    private static string Largest(BigInteger amount, int step, string suffixes, int unit, string form)
    {
        var place = 0;
        if (amount.IsZero)
            return "0";
        for (; place < suffixes.Length - 1 && amount % step == 0; place++)
            amount /= step;
        var text = amount.ToString(CultureInfo.InvariantCulture);
        return form == "e" && place != unit ? string.Create(CultureInfo.InvariantCulture, $"{text}e{(place - unit) * 3}")
            : suffixes[place] == ' ' ? text
            : $"{text}{suffixes[place]}{(form == "i" ? form : "")}";
    }

    [GeneratedRegex(@"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)\z")]
    private static partial Regex Form();

    [GeneratedRegex(@"^(?<sign>[+-]?)((?<whole>\d+)(\.(?<fraction>\d*))?|\.(?<fraction>\d+))\z")]
    private static partial Regex Number();

    [GeneratedRegex(@"^[eE][+-]?\d+\z")]
    private static partial Regex Exponent();
}
