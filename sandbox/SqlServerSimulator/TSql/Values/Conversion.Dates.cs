using System.Globalization;
using System.Text.RegularExpressions;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.TSql.Values;

// Dates and times.
internal static partial class Conversion
{
    private static readonly DateTime s_epoch = new(1900, 1, 1);

    private static readonly string[] s_times = ["H:mm", "H:mm:ss", "H:mm:ss.FFFFFFF", "h:mmtt", "h:mm tt", "h:mm:sstt", "h:mm:ss tt", "h:mm:ss.FFFFFFFtt", "h:mm:ss.FFFFFFF tt"];

    private static readonly string[] s_dates =
    [
        "yyyyMMdd", "yyyy-M-d", "yyyy/M/d", "yyyy.M.d", "M/d/yyyy", "M-d-yyyy", "MMM d yyyy", "MMM d, yyyy", "MMMM d yyyy", "MMMM d, yyyy", "d MMM yyyy", "d MMMM yyyy",
    ];

    private static readonly string[] s_moments =
    [
        .. s_dates,
        .. s_dates.SelectMany(date => s_times, (date, time) => $"{date} {time}"),
        "yyyy-MM-ddTHH:mm", "yyyy-MM-ddTHH:mm:ss", "yyyy-MM-ddTHH:mm:ss.FFFFFFF",
    ];

    [GeneratedRegex(@"\s*(?:Z|(?<sign>[+-])(?<hours>\d{2}):(?<minutes>\d{2}))$")]
    private static partial Regex Offset();

    [GeneratedRegex(@"\.(?<digits>\d+)")]
    private static partial Regex Fraction();

    [GeneratedRegex(@"^\d{4}-\d{1,2}-\d{1,2}|^\d{8}(?!\d)")]
    private static partial Regex LooksLikeDate();

    private static object ToDate(object value, SqlType from, SqlType to, int style)
    {
        var (local, offset) = value switch
        {
            DateTime date => (date, TimeSpan.Zero),
            DateTimeOffset moment => (moment.DateTime, moment.Offset),
            TimeSpan time => (s_epoch + time, TimeSpan.Zero),
            string text => ParseDate(text.Trim(), from, to, style),
            bool or byte or short or int or long or double or float or decimal or System.Numerics.BigInteger when Types.IsOldDate(to) =>
                (FromDays((double)ToFloat(value, from, to), to), TimeSpan.Zero),
            byte[] => throw new SqlErrorException(50505, 16, $"Conversion of {Types.Name(from)} to {Types.Name(to)} is not simulated."),
            _ => throw Clash(from, to),
        };
        switch (to.Kind)
        {
            case SqlKind.Date:
                return local.Date;
            case SqlKind.Time:
                // What rounds up to a whole day begins the next one.
                return new TimeSpan(ToScale(local.TimeOfDay.Ticks, to.Scale) % TimeSpan.TicksPerDay);
            case SqlKind.DateTime:
                if (local.Year < 1753) throw OutOfRange(from, to);
                return ToTicksOf300(local);
            case SqlKind.SmallDateTime:
                var minutes = (ToTicksOf300(local).Ticks + (30 * TimeSpan.TicksPerSecond)) / TimeSpan.TicksPerMinute;
                var small = new DateTime(minutes * TimeSpan.TicksPerMinute);
                return small >= s_epoch && small < new DateTime(2079, 6, 7) ? small : throw OutOfRange(from, to);
            case SqlKind.DateTimeOffset:
                try
                {
                    return new DateTimeOffset(ToScale(local, to.Scale), offset);
                }
                catch (ArgumentOutOfRangeException)
                {
                    throw OutOfRange(from, to);
                }

            default:
                return ToScale(local, to.Scale);
        }
    }

    private static (DateTime Local, TimeSpan Offset) ParseDate(string text, SqlType from, SqlType to, int style)
    {
        if (text.Length == 0) return (s_epoch, TimeSpan.Zero);
        if (style is not (0 or 20 or 21 or 23 or 25 or 100 or 101 or 107 or 109 or 110 or 111 or 112 or 120 or 121 or 126 or 127))
            throw new SqlErrorException(50505, 16, $"CONVERT of text to {Types.Name(to)} with style {style} is not simulated.");
        var offset = TimeSpan.Zero;
        var clock = text;
        if (Offset().Match(text) is { Success: true } zone)
        {
            // The older types know of UTC alone.
            if (zone.Groups["sign"].Success && Types.IsOldDate(to)) throw NotADate();
            if (zone.Groups["sign"].Success) offset = ParseOffset(zone);
            clock = text[..zone.Index];
        }

        if (Types.IsOldDate(to) && Fraction().Match(clock) is { Success: true } fraction && clock.Contains(':', StringComparison.Ordinal) && fraction.Groups["digits"].Length > 3)
            throw NotADate();
        const DateTimeStyles blanks = DateTimeStyles.AllowInnerWhite | DateTimeStyles.NoCurrentDateDefault;
        if (DateTime.TryParseExact(clock, s_moments, CultureInfo.InvariantCulture, blanks, out var moment)) return (moment, offset);
        if (DateTime.TryParseExact(clock, s_times, CultureInfo.InvariantCulture, blanks, out var time)) return (s_epoch + time.TimeOfDay, offset);
        throw Types.IsOldDate(to) && LooksLikeDate().IsMatch(clock) ? OutOfRange(from, to) : NotADate();
    }

    private static TimeSpan ParseOffset(Match zone)
    {
        var minutes = (int.Parse(zone.Groups["hours"].Value, CultureInfo.InvariantCulture) * 60) + int.Parse(zone.Groups["minutes"].Value, CultureInfo.InvariantCulture);
        if (minutes > 14 * 60) throw NotADate();
        return TimeSpan.FromMinutes(zone.Groups["sign"].Value == "-" ? -minutes : minutes);
    }

    private static DateTime FromDays(double days, SqlType to)
    {
        if (!(days > -53_691 && days < 2_958_464)) throw Overflow(to);
        return s_epoch.AddTicks((long)Math.Round(days * TimeSpan.TicksPerDay));
    }

    /// <summary>datetime counts three-hundredths of a second, and shows them in milliseconds.</summary>
    private static DateTime ToTicksOf300(DateTime date)
    {
        var units = (long)Math.Round(date.TimeOfDay.Ticks * 300 / (double)TimeSpan.TicksPerSecond, MidpointRounding.AwayFromZero);
        try
        {
            return date.Date.AddMilliseconds(Math.Round(units * 1000 / 300d, MidpointRounding.AwayFromZero));
        }
        catch (ArgumentOutOfRangeException)
        {
            return new DateTime(9999, 12, 31, 23, 59, 59, 997);
        }
    }

    private static DateTime ToScale(DateTime date, int scale)
    {
        var ticks = ToScale(date.Ticks, scale);
        var unit = (long)Math.Pow(10, 7 - scale);
        return new DateTime(Math.Min(ticks, DateTime.MaxValue.Ticks / unit * unit));
    }

    private static long ToScale(long ticks, int scale)
    {
        var unit = (long)Math.Pow(10, 7 - scale);
        return (ticks + (unit / 2)) / unit * unit;
    }

    private static string FormatDate(object value, SqlType from, int style)
    {
        var (date, zone) = value switch
        {
            DateTimeOffset moment => (moment.DateTime, moment.ToString(" zzz", CultureInfo.InvariantCulture)),
            TimeSpan time => (s_epoch + time, ""),
            _ => ((DateTime)value, ""),
        };
        var fraction = from.Kind switch
        {
            SqlKind.DateTime or SqlKind.SmallDateTime => ".fff",
            SqlKind.Date => "",
            _ => from.Scale == 0 ? "" : "." + new string('f', from.Scale),
        };
        var hasDate = from.Kind != SqlKind.Time;
        var hasTime = from.Kind != SqlKind.Date;
        var isOld = Types.IsOldDate(from);
        return style switch
        {
            0 when !isOld => Of("yyyy-MM-dd", " HH:mm:ss" + fraction) + zone,
            0 or 100 => Join(hasDate ? $"{date:MMM} {date.Day,2} {date:yyyy}" : "", hasTime ? $"{(date.Hour % 12 == 0 ? 12 : date.Hour % 12),2}:{date:mmtt}" : "") + zone,
            101 when hasDate => Text("MM/dd/yyyy"),
            102 when hasDate => Text("yyyy.MM.dd"),
            103 when hasDate => Text("dd/MM/yyyy"),
            104 when hasDate => Text("dd.MM.yyyy"),
            105 when hasDate => Text("dd-MM-yyyy"),
            110 when hasDate => Text("MM-dd-yyyy"),
            111 when hasDate => Text("yyyy/MM/dd"),
            112 when hasDate => Text("yyyyMMdd"),
            23 when hasDate => Text("yyyy-MM-dd"),
            8 or 108 or 24 when hasTime => Text("HH:mm:ss"),
            14 or 114 when hasTime => Text("HH:mm:ss" + fraction.Replace('.', ':')),
            20 or 120 => Of("yyyy-MM-dd", " HH:mm:ss") + zone,
            21 or 25 or 121 => Of("yyyy-MM-dd", " HH:mm:ss" + fraction) + zone,
            126 => Of("yyyy-MM-dd", "THH:mm:ss" + FractionUnlessZero()) + zone.TrimStart(),
            127 when value is DateTimeOffset moment => moment.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss" + FractionUnlessZero(), CultureInfo.InvariantCulture) + "Z",
            127 => Of("yyyy-MM-dd", "THH:mm:ss" + FractionUnlessZero()),
            _ => throw new SqlErrorException(50505, 16, $"CONVERT of {Types.Name(from)} with style {style} is not simulated."),
        };

        string Text(string format) => date.ToString(format, CultureInfo.InvariantCulture);

        string Of(string day, string time) => Text((hasDate ? day : "") + (hasTime ? hasDate ? time : time[1..] : ""));

        string FractionUnlessZero() => date.Ticks % TimeSpan.TicksPerSecond == 0 || from.Kind == SqlKind.SmallDateTime ? "" : fraction;

        static string Join(string day, string time) => day.Length > 0 && time.Length > 0 ? $"{day} {time}" : day + time;
    }

    private static SqlErrorException NotADate() => new(241, 16, "Conversion failed when converting date and/or time from character string.");

    private static SqlErrorException OutOfRange(SqlType from, SqlType to) =>
        new(242, 16, $"The conversion of a {Types.Name(from)} data type to a {Types.Name(to)} data type resulted in an out-of-range value.");
}
