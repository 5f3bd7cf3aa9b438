using System.Diagnostics;
using Sandbox.Steps;

namespace Sandbox.Output;

/// <summary>Plain lines, for pipes and files.</summary>
internal sealed class PlainScreen(TextWriter writer) : IScreen
{
    private readonly TextWriter _writer = TextWriter.Synchronized(writer);

    public void Line(string text) => Write(text);

    public void Warning(string text) => Write(text);

    public IStage Begin(string name, string title)
    {
        Write($"{name}: {title}");
        return new Stage(this, name);
    }

    public void Skipped(StepResult result) => Write($"{result.Name}: not run, {Words.Result(result)}");

    public void Summary(DemoReport report, TimeSpan took)
    {
        var held = report.Steps.Count(x => x.Ok);
        Write($"{held} of {report.Steps.Count} steps held, {Words.Seconds(took)}");
    }

    private void Write(string text)
    {
        _writer.WriteLine(text);
        _writer.Flush();
    }

    private sealed class Stage(PlainScreen screen, string name) : IStage
    {
        private readonly long _begun = Stopwatch.GetTimestamp();
        private string _last = "";
        private long? _lastAt;

        /// <summary>Not more than one line a second: a reader of a file wants the story, not each look.</summary>
        public void Progress(string text)
        {
            if (text == _last || (_lastAt is { } at && Stopwatch.GetElapsedTime(at) < TimeSpan.FromSeconds(1)))
                return;
            (_last, _lastAt) = (text, Stopwatch.GetTimestamp());
            screen.Write($"{name}: {Words.Seconds(Stopwatch.GetElapsedTime(_begun)),6}  {text}");
        }

        public Task EndAsync(StepResult result)
        {
            screen.Write($"{name}: {(result.Ok ? "ok" : "FAILED")} after {Words.Seconds(result.Took)}: {Words.Result(result)}");
            return Task.CompletedTask;
        }

        public Task EndAsync(string text)
        {
            screen.Write($"{name}: {text}");
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
