using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Clients.Cases;

namespace Clients.Drivers;

/// <summary>A program of FreeTDS that reads batches from its standard input and prints what comes of them.</summary>
internal abstract partial class FreeTdsClient(string program, string encryption) : Client
{
    protected const char ColumnEnd = '\u2551';

    /// <summary>Between two steps, on both streams.</summary>
    private const string Mark = "~~~~";

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly string? _path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    public string Encryption => encryption;

    public override string Name => $"{program} {encryption}";

    public override string? Missing => _path is null ? $"{program} is not installed (Debian: freetds-bin)" : null;

    public override async Task<IReadOnlyList<Reply>> RunAsync(Login login, IReadOnlyList<Step> steps)
    {
        var script = new StringBuilder();
        foreach (var step in steps)
            script.Append($"{step.Sql}\ngo\nPRINT '{Mark}' SELECT '{Mark}' AS [{Mark}]\ngo\n");
        var (output, errors) = await RunAsync(login, script.ToString());

        // The mark of each step ends it; what follows the last one is of a step that the program did not survive, or nothing.
        var sets = Sets(output);
        var replies = new List<Reply> { new() };
        var texts = errors.Split(Mark + "\n");
        if (NoLogin(errors))
            return [new Reply { Messages = Messages(errors) }];
        for (var i = 0; i < steps.Count && i < texts.Length; i++)
        {
            var mine = sets.TakeWhile(set => set.Columns is not [Mark]).ToList();
            sets.RemoveRange(0, Math.Min(mine.Count + 1, sets.Count));
            replies.Add(new Reply { Sets = mine, Messages = Messages(texts[i]) });
        }

        return replies;
    }

    /// <summary>Runs a script and hands back what was printed as it is.</summary>
    public async Task<(string Output, string Errors)> RunAsync(Login login, string script)
    {
        var settings = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(settings, $"""
                [global]
                client charset = UTF-8
                text size = 16777216
                [here]
                host = {login.Host}
                port = {login.Port}
                tds version = 7.4
                encryption = {encryption}
                read-only intent = {(login.ReadOnlyIntent ? "yes" : "no")}

                """);
            var start = new ProcessStartInfo(_path!)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
                StandardOutputEncoding = Encoding.UTF8,
                StandardErrorEncoding = Encoding.UTF8,
                ArgumentList = { "-S", "here", "-U", login.User, "-P", login.Password },
                Environment = { ["FREETDSCONF"] = settings, ["LC_ALL"] = "C.UTF-8" },
            };
            if (login.Database.Length > 0)
            {
                start.ArgumentList.Add("-D");
                start.ArgumentList.Add(login.Database);
            }

            foreach (var argument in Arguments)
                start.ArgumentList.Add(argument);
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            try
            {
                await process.StandardInput.WriteAsync(script);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It has ended already: the login failed, and it says so.
            }

            using var bound = new CancellationTokenSource(Bound);
            try
            {
                await process.WaitForExitAsync(bound.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                Assert.Fail($"{program} has not ended; it said:\n{await output}\n{await errors}");
            }

            // The prompt of a terminal comes along as carriage returns.
            return (await output, (await errors).Replace("\r", "", StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(settings);
        }
    }

    protected abstract IEnumerable<string> Arguments { get; }

    protected abstract Regex ErrorHeader { get; }

    protected abstract List<ResultSet> Sets(string output);

    protected static List<string?> Cells(string line) => [.. line.Split(ColumnEnd).Select(cell => cell == "NULL" ? null : cell)];

    private static bool NoLogin(string errors) => errors.Contains("Adaptive Server connection failed", StringComparison.Ordinal);

    private List<Message> Messages(string errors)
    {
        var found = new List<Message>();
        var lines = errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < lines.Length; i++)
        {
            if (ErrorHeader.Match(lines[i]) is { Success: true } header)
            {
                while (i + 1 < lines.Length && !lines[i + 1].StartsWith('\t'))
                    i++;
                var text = i + 1 < lines.Length ? lines[++i].Trim() : "";
                if (text is ['"', .., '"'])
                    text = text[1..^1];
                found.Add(new Message(Number("number"), Number("severity"), Number("state"), text));

                int Number(string group) => int.Parse(header.Groups[group].ValueSpan, null);
            }
            else if (!Noise().IsMatch(lines[i]))
            {
                // PRINT shows its text alone.
                found.Add(new Message(0, 0, 1, lines[i]));
            }
        }

        return found;
    }

    [GeneratedRegex(@"^(Error 2|Setting .* as default database|\t|There was a problem|@@rowcount|\d+ rows affected|bsqldb: |return status)")]
    private static partial Regex Noise();
}
