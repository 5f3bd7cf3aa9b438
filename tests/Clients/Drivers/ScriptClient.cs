using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Clients.Cases;

namespace Clients.Drivers;

/// <summary>
/// A client in another language: one long-lived program that reads a login with its steps as one line of JSON and answers with the replies as another.
/// </summary>
internal abstract class ScriptClient : Client
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };

    private readonly SemaphoreSlim _turn = new(1);
    private readonly StringBuilder _errors = new();
    private Process? _process;

    public override async Task<IReadOnlyList<Reply>> RunAsync(Login login, IReadOnlyList<Step> steps)
    {
        await _turn.WaitAsync();
        try
        {
            _process ??= Start();
            await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(new { login, steps }, Json));
            await _process.StandardInput.FlushAsync();
            string? line;
            try
            {
                line = await _process.StandardOutput.ReadLineAsync().WaitAsync(Bound);
            }
            catch (TimeoutException)
            {
                line = null;
            }

            if (line is null)
            {
                Stop();
                lock (_errors)
                    Assert.Fail($"{Name} does not answer; it said:\n{_errors}");
            }

            return JsonSerializer.Deserialize<List<Reply>>(line!, Json)!;
        }
        finally
        {
            _turn.Release();
        }
    }

    public override ValueTask DisposeAsync()
    {
        Stop();
        _turn.Dispose();
        return base.DisposeAsync();
    }

    /// <summary>How its program is started.</summary>
    protected abstract ProcessStartInfo Program();

    protected static string Source(string file)
    {
        for (var folder = new DirectoryInfo(TestContext.CurrentContext.TestDirectory); folder is not null; folder = folder.Parent)
        {
            if (Path.Combine(folder.FullName, "tests", "Clients", file) is var path && (File.Exists(path) || Directory.Exists(path)))
                return path;
        }

        return file;
    }

    protected static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    private Process Start()
    {
        var start = Program();
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.StandardInputEncoding = start.StandardOutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, e) =>
        {
            lock (_errors)
                _errors.AppendLine(e.Data);
        };
        process.BeginErrorReadLine();
        return process;
    }

    private void Stop()
    {
        if (_process is null)
            return;
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }
}
