using System.Diagnostics;
using Sandbox.Steps;
using Spectre.Console;

namespace Sandbox.Output;

/// <summary>A terminal: one live line while a step goes on, colours, and a table at the end.</summary>
internal sealed class TerminalScreen(IAnsiConsole console) : IScreen
{
    public void Line(string text) => console.MarkupLineInterpolated($"{text}");

    public void Warning(string text) => console.MarkupLineInterpolated($"[yellow]{text}[/]");

    public IStage Begin(string name, string title) => new Stage(console, name, title);

    public void Skipped(StepResult result) => console.MarkupLineInterpolated($"[grey]- {result.Name,-17} not run: {Words.Result(result)}[/]");

    public void Summary(DemoReport report, TimeSpan took)
    {
        var table = new Table().Border(TableBorder.Rounded);
        table.AddColumn("step").AddColumn("primary");
        table.AddColumn(new TableColumn("write gap").RightAligned()).AddColumn(new TableColumn("lost").RightAligned()).AddColumn("");
        foreach (var step in report.Steps)
        {
            table.AddRow(
                Markup.Escape(step.Name),
                Markup.Escape(step.Primary ?? "-"),
                step.WriteGapMs is { } gap ? $"{gap} ms" : "-",
                step.LostAcknowledgedWrites is { } lost ? lost == 0 ? "[green]0[/]" : $"[red bold]{lost}[/]" : "-",
                step.Ok ? "[green]held[/]" : "[red]did not hold[/]");
        }

        console.WriteLine();
        console.Write(table);
        if (report.Ok)
            console.MarkupLineInterpolated($"[green]Every step held[/] in {Words.Seconds(took)}.");
        else
            console.MarkupLineInterpolated($"[red]Not every step held[/] ({Words.Seconds(took)}).");
    }

    private sealed class Stage : IStage
    {
        private readonly IAnsiConsole _console;
        private readonly string _name;
        private readonly CancellationTokenSource _ended = new();
        private readonly Task _live;
        private volatile string _text;

        public Stage(IAnsiConsole console, string name, string title)
        {
            _console = console;
            _name = name;
            _text = title;
            _live = ShowAsync(title);
        }

        public void Progress(string text) => _text = text;

        public async Task EndAsync(StepResult result)
        {
            await StopAsync();
            var took = Words.Seconds(result.Took);
            if (result.Ok)
                _console.MarkupLineInterpolated($"[green]✓[/] [bold]{_name,-17}[/] {took,7}  {Words.Result(result)}");
            else
                _console.MarkupLineInterpolated($"[red]✗[/] [bold]{_name,-17}[/] {took,7}  [red]{Words.Result(result)}[/]");
        }

        public async Task EndAsync(string text)
        {
            await StopAsync();
            _console.MarkupLineInterpolated($"[green]✓[/] [bold]{_name,-17}[/] {text}");
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            _ended.Dispose();
        }

        private async Task StopAsync()
        {
            await _ended.CancelAsync();
            await _live;
        }

        private async Task ShowAsync(string title)
        {
            var begun = Stopwatch.GetTimestamp();
            string Now() => $"[bold]{Markup.Escape(_name),-17}[/] {Words.Seconds(Stopwatch.GetElapsedTime(begun)),7}  {Markup.Escape(_text)}";
            _text = title;
            await _console.Status().Spinner(Spinner.Known.Dots).StartAsync(Now(), async context =>
            {
                while (!_ended.IsCancellationRequested)
                {
                    context.Status(Now());
                    await Task.Delay(TimeSpan.FromMilliseconds(100), _ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            });
        }
    }
}
