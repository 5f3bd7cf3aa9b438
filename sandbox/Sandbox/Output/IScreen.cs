using Sandbox.Steps;

namespace Sandbox.Output;

/// <summary>Where a person reads what happens.</summary>
internal interface IScreen
{
    /// <summary>A line on its own.</summary>
    void Line(string text);

    /// <summary>A line that matters because something went wrong.</summary>
    void Warning(string text);

    /// <summary>A piece of work begins.</summary>
    IStage Begin(string name, string title);

    /// <summary>A step that was not run.</summary>
    void Skipped(StepResult result);

    /// <summary>The end of the demonstration.</summary>
    void Summary(DemoReport report, TimeSpan took);
}

/// <summary>A piece of work while it goes on.</summary>
internal interface IStage : IAsyncDisposable
{
    /// <summary>What it does or waits for now.</summary>
    void Progress(string text);

    /// <summary>It ended.</summary>
    Task EndAsync(StepResult result);

    /// <summary>It ended, and there is nothing more to say than this.</summary>
    Task EndAsync(string text);
}
