using System.Globalization;
using SqlServerSimulator.Contract;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Binding;

/// <summary>Built-in functions about dates and times.</summary>
internal static class DateFunctions
{
    private static readonly SqlType s_offset = new(SqlKind.DateTimeOffset, Scale: 7);
    private static readonly SqlType s_date = new(SqlKind.Date);

    public static Bound? Bind(ScalarFunctions.Call call, IQueryEnvironment environment)
    {
        switch (call.Name)
        {
            case "GETDATE" or "GETUTCDATE" or "CURRENT_TIMESTAMP":
                return Now(call, environment, Types.DateTime);
            case "SYSUTCDATETIME" or "SYSDATETIME":
                return Now(call, environment, Types.DateTime2);
            case "SYSDATETIMEOFFSET":
                return Now(call, environment, s_offset);
            case "DATEDIFF":
                return Difference(call, Types.Int);
            case "DATEDIFF_BIG":
                return Difference(call, Types.BigInt);
            case "DATEADD":
                return Add(call);
            case "DATEPART":
                return Part(call);
            case "DATENAME":
                return Name(call);
            case "YEAR" or "MONTH" or "DAY":
                return call.Of(Types.Int, [Types.DateTime2], a => Part((DateTime)a[0]!, call.Name));
            case "EOMONTH":
                return EndOfMonth(call);
            case "ISDATE":
                return IsDate(call);
            case "DATEFROMPARTS":
                return call.Of(s_date, [Types.Int, Types.Int, Types.Int], a => FromParts("date", a, 3));
            case "DATETIMEFROMPARTS":
                return call.Of(
                    Types.DateTime,
                    [.. Enumerable.Repeat(Types.Int, 7)],
                    a => Conversion.Convert(FromParts("datetime", a, 6) + TimeSpan.FromMilliseconds((int)a[6]!), Types.DateTime2, Types.DateTime));
            case "SWITCHOFFSET":
                return call.Of(s_offset, [s_offset, Types.Text(6)], a => ((DateTimeOffset)a[0]!).ToOffset(Offset((string)a[1]!)));
            case "TODATETIMEOFFSET":
                return call.Of(s_offset, [Types.DateTime2, Types.Text(6)], a => new DateTimeOffset((DateTime)a[0]!, Offset((string)a[1]!)));
            default:
                return null;
        }
    }

    private static Bound Now(ScalarFunctions.Call call, IQueryEnvironment environment, SqlType type)
    {
        call.Require(0);
        // One moment for the whole statement.
        var now = Conversion.Convert(environment.UtcNow, Types.DateTime2, type);
        return new Bound(type with { Nullable = false }, _ => now);
    }

    private static Bound Difference(ScalarFunctions.Call call, SqlType result)
    {
        call.Require(3);
        var part = Known(call.Word());
        RequirePart(call, part, call.Arguments[1].Type);
        RequirePart(call, part, call.Arguments[2].Type);
        // Moments with an offset are compared as the same moment everywhere.
        var (from, to) = (Universal(call.Arguments[1]), Universal(call.Arguments[2]));
        return new Bound(result, frame =>
        {
            if (from.Value(frame) is not DateTime a || to.Value(frame) is not DateTime b) return null;
            var difference = (Int128)Units(b, part) - Units(a, part);
            if (part == "NANOSECOND") difference *= 100;
            var (least, most) = result.Kind == SqlKind.Int ? (int.MinValue, int.MaxValue) : (long.MinValue, long.MaxValue);
            if (difference < least || difference > most)
            {
                throw new SqlErrorException(
                    535, 16, $"The {call.Name.ToLowerInvariant()} function resulted in an overflow. The number of dateparts separating two date/time instances is too large. Try to use {call.Name.ToLowerInvariant()} with a less precise datepart.");
            }

            return Operators.Narrow(difference, result);
        });
    }

    private static Bound Universal(Bound argument)
    {
        if (argument.Type.Kind != SqlKind.DateTimeOffset) return Binder.As(argument, Types.DateTime2);
        return new Bound(Types.DateTime2, frame => argument.Value(frame) is DateTimeOffset moment ? moment.UtcDateTime : null);
    }

    /// <summary>How many boundaries of a date part have been crossed since the beginning of time.</summary>
    private static long Units(DateTime date, string part) => part switch
    {
        "YEAR" => date.Year,
        "QUARTER" => (date.Year * 4L) + ((date.Month - 1) / 3),
        "MONTH" => (date.Year * 12L) + date.Month,
        "DAY" or "DAYOFYEAR" or "WEEKDAY" => date.Ticks / TimeSpan.TicksPerDay,
        "WEEK" => ((date.Ticks / TimeSpan.TicksPerDay) + 1) / 7,
        "HOUR" => date.Ticks / TimeSpan.TicksPerHour,
        "MINUTE" => date.Ticks / TimeSpan.TicksPerMinute,
        "SECOND" => date.Ticks / TimeSpan.TicksPerSecond,
        "MILLISECOND" => date.Ticks / TimeSpan.TicksPerMillisecond,
        "MICROSECOND" => date.Ticks / TimeSpan.TicksPerMicrosecond,
        "NANOSECOND" => date.Ticks,
        _ => throw Unknown(part),
    };

    private static SqlErrorException Unknown(string part) => new(155, 15, $"'{part.ToLowerInvariant()}' is not a recognized date part option.");

    /// <summary>A date part by its full name.</summary>
    private static string Known(string part) => part switch
    {
        "YEAR" or "YY" or "YYYY" => "YEAR",
        "QUARTER" or "QQ" or "Q" => "QUARTER",
        "MONTH" or "MM" or "M" => "MONTH",
        "DAYOFYEAR" or "DY" or "Y" => "DAYOFYEAR",
        "DAY" or "DD" or "D" => "DAY",
        "WEEK" or "WK" or "WW" => "WEEK",
        "ISO_WEEK" or "ISOWK" or "ISOWW" => "ISO_WEEK",
        "WEEKDAY" or "DW" or "W" => "WEEKDAY",
        "HOUR" or "HH" => "HOUR",
        "MINUTE" or "MI" or "N" => "MINUTE",
        "SECOND" or "SS" or "S" => "SECOND",
        "MILLISECOND" or "MS" => "MILLISECOND",
        "MICROSECOND" or "MCS" => "MICROSECOND",
        "NANOSECOND" or "NS" => "NANOSECOND",
        "TZOFFSET" or "TZ" => "TZOFFSET",
        _ => throw Unknown(part),
    };

    /// <summary>A date has no hours, and a time no days.</summary>
    private static void RequirePart(ScalarFunctions.Call call, string part, SqlType type)
    {
        var ofTime = part is "HOUR" or "MINUTE" or "SECOND" or "MILLISECOND" or "MICROSECOND" or "NANOSECOND";
        var refused = type.Kind switch { SqlKind.Date => ofTime || part == "TZOFFSET", SqlKind.Time => !ofTime, _ => false };
        if (!refused) return;
        throw new SqlErrorException(
            9810, 16, $"The datepart {part.ToLowerInvariant()} is not supported by date function {call.Name.ToLowerInvariant()} for data type {Types.Name(type)}.");
    }

    private static Bound Add(ScalarFunctions.Call call)
    {
        call.Require(3);
        var part = Known(call.Word());
        if (part is "ISO_WEEK" or "TZOFFSET") throw new SqlErrorException(9810, 16, $"The datepart {part.ToLowerInvariant()} is not supported by date function dateadd for data type {Types.Name(call.Arguments[2].Type)}.");
        var count = Binder.As(call.Arguments[1], Types.Int);
        var source = call.Arguments[2].Type;
        RequirePart(call, part, source);
        var type = Types.IsDate(source) ? source : Types.DateTime;
        var date = Binder.As(call.Arguments[2], type);
        return new Bound(type with { Nullable = true }, frame =>
        {
            if (count.Value(frame) is not int number || date.Value(frame) is not { } given) return null;
            try
            {
                return given switch
                {
                    // A time goes round the clock.
                    TimeSpan time => Conversion.Convert(Add(new DateTime(2000, 1, 1) + time, part, number), Types.DateTime2, type),
                    DateTimeOffset moment => Conversion.Convert(new DateTimeOffset(Add(moment.DateTime, part, number), moment.Offset), s_offset, type),
                    _ => Conversion.Convert(Add((DateTime)given, part, number), Types.DateTime2, type),
                };
            }
            catch (Exception error) when (error is ArgumentException or OverflowException or SqlErrorException { Error.Number: 242 })
            {
                throw new SqlErrorException(517, 16, $"Adding a value to a '{Types.Name(type)}' column caused an overflow.");
            }
        });
    }

    private static DateTime Add(DateTime date, string part, int number) => part switch
    {
        "YEAR" => date.AddYears(number),
        "QUARTER" => date.AddMonths(checked(number * 3)),
        "MONTH" => date.AddMonths(number),
        "DAY" or "DAYOFYEAR" or "WEEKDAY" => date.AddDays(number),
        "WEEK" => date.AddDays(7d * number),
        "HOUR" => date.AddHours(number),
        "MINUTE" => date.AddMinutes(number),
        "SECOND" => date.AddSeconds(number),
        "MILLISECOND" => date.AddMilliseconds(number),
        "MICROSECOND" => date.AddTicks(number * TimeSpan.TicksPerMicrosecond),
        _ => date.AddTicks(number / 100),
    };

    private static Bound Part(ScalarFunctions.Call call)
    {
        var (part, date) = Subject(call);
        return new Bound(Types.Int, frame => date.Value(frame) switch
        {
            null => null,
            DateTimeOffset moment when part == "TZOFFSET" => (int)moment.Offset.TotalMinutes,
            DateTimeOffset moment => Part(moment.DateTime, part),
            TimeSpan time => Part(DateTime.MinValue + time, part),
            var given => Part((DateTime)given, part),
        });
    }

    private static Bound Name(ScalarFunctions.Call call)
    {
        var (part, date) = Subject(call);
        return new Bound(Types.Text(30), frame => date.Value(frame) switch
        {
            null => null,
            DateTimeOffset moment when part == "TZOFFSET" => moment.ToString("zzz", CultureInfo.InvariantCulture),
            DateTimeOffset moment => Name(moment.DateTime, part),
            TimeSpan time => Name(DateTime.MinValue + time, part),
            var given => Name((DateTime)given, part),
        });
    }

    private static string Name(DateTime date, string part) => part switch
    {
        "MONTH" => date.ToString("MMMM", CultureInfo.InvariantCulture),
        "WEEKDAY" => date.DayOfWeek.ToString(),
        _ => Part(date, part).ToString(CultureInfo.InvariantCulture),
    };

    private static (string Part, Bound Date) Subject(ScalarFunctions.Call call)
    {
        call.Require(2);
        var part = Known(call.Word());
        var type = call.Arguments[1].Type;
        RequirePart(call, part, type);
        if (part == "TZOFFSET" && type.Kind != SqlKind.DateTimeOffset)
            throw new SqlErrorException(9810, 16, $"The datepart tzoffset is not supported by date function {call.Name.ToLowerInvariant()} for data type {Types.Name(type)}.");
        return (part, Binder.As(call.Arguments[1], Types.IsDate(type) ? type : Types.DateTime2));
    }

    private static int Part(DateTime date, string part) => part switch
    {
        "YEAR" => date.Year,
        "QUARTER" => ((date.Month - 1) / 3) + 1,
        "MONTH" => date.Month,
        "DAYOFYEAR" => date.DayOfYear,
        "DAY" => date.Day,
        "WEEK" => CultureInfo.InvariantCulture.Calendar.GetWeekOfYear(date, CalendarWeekRule.FirstDay, DayOfWeek.Sunday),
        "ISO_WEEK" => ISOWeek.GetWeekOfYear(date),
        "WEEKDAY" => (int)date.DayOfWeek + 1,
        "HOUR" => date.Hour,
        "MINUTE" => date.Minute,
        "SECOND" => date.Second,
        "MILLISECOND" => date.Millisecond,
        "MICROSECOND" => (int)(date.Ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond),
        "NANOSECOND" => (int)(date.Ticks % TimeSpan.TicksPerSecond) * 100,
        _ => throw Unknown(part),
    };

    private static Bound EndOfMonth(ScalarFunctions.Call call)
    {
        call.RequireBetween(1, 2);
        var date = Binder.As(call.Arguments[0], s_date);
        var months = call.Arguments.Count > 1 ? Binder.As(call.Arguments[1], Types.Int) : null;
        return new Bound(s_date, frame =>
        {
            if (date.Value(frame) is not DateTime given) return null;
            try
            {
                given = given.AddMonths((int?)months?.Value(frame) ?? 0);
                return new DateTime(given.Year, given.Month, DateTime.DaysInMonth(given.Year, given.Month));
            }
            catch (ArgumentOutOfRangeException)
            {
                throw new SqlErrorException(517, 16, "Adding a value to a 'date' column caused an overflow.");
            }
        });
    }

    private static Bound IsDate(ScalarFunctions.Call call)
    {
        call.Require(1);
        var argument = call.Arguments[0];
        if (Types.IsNewDate(argument.Type))
            throw new SqlErrorException(8116, 16, $"Argument data type {Types.Name(argument.Type)} is invalid for argument 1 of isdate function.");
        return new Bound(Types.Int with { Nullable = false }, frame =>
        {
            if (argument.Value(frame) is not { } value) return 0;
            if (value is DateTime) return 1;
            try
            {
                var text = (string)Conversion.Convert(value, argument.Type, Types.Text(-1))!;
                if (text.Trim().Length == 0) return 0;
                Conversion.Convert(text, Types.Text(-1), Types.DateTime);
                return 1;
            }
            catch (SqlErrorException)
            {
                return 0;
            }
        });
    }

    private static DateTime FromParts(string type, object?[] parts, int count)
    {
        try
        {
            var numbers = parts.Take(count).Select(part => (int)part!).Concat(Enumerable.Repeat(0, 6 - count)).ToArray();
            return new DateTime(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]);
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new SqlErrorException(289, 16, $"Cannot construct data type {type}, some of the arguments have values which are not valid.");
        }
    }

    private static TimeSpan Offset(string text) =>
        text.Length == 6 && text[0] is '+' or '-' && TimeSpan.TryParseExact(text[1..], @"hh\:mm", CultureInfo.InvariantCulture, out var offset) && offset <= TimeSpan.FromHours(14)
            ? text[0] == '-' ? -offset : offset
            : throw new SqlErrorException(9812, 16, "The timezone provided to builtin function is invalid.");
}
