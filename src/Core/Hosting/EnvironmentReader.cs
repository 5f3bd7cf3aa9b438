using System.Globalization;
using System.Net;
using System.Numerics;
using Agents.Kubernetes;

namespace Agents.Hosting;

/// <summary>
/// Reads environment variables and collects all mistakes. After a mistake a reading is a placeholder: call <see cref="Verify"/> before using
/// any.
/// </summary>
public sealed class EnvironmentReader
{
    private readonly Func<string, string?> variable;
    private readonly List<string> mistakes = [];

    /// <summary>Makes a reader.</summary>
    /// <param name="variable">Gives the value of a variable, or null.</param>
    public EnvironmentReader(Func<string, string?> variable) => this.variable = variable;

    /// <summary>The mistakes so far.</summary>
    public IReadOnlyList<string> Mistakes => mistakes;

    /// <summary>A text; empty only when the default is.</summary>
    public string Text(EnvironmentVariable of)
    {
        if (Raw(of) is { } value)
            return value;
        if (of.Default is null)
            mistakes.Add($"{of.Names}: is not set; expected: {of.Meaning}.");
        return of.Default ?? string.Empty;
    }

    /// <summary>A password or the like: required, and never shown, not even when it is wrong.</summary>
    public string Secret(EnvironmentVariable of) => Text(of);

    /// <summary>Seconds, which may have fractions.</summary>
    public TimeSpan Seconds(EnvironmentVariable of)
    {
        var text = Text(of);
        if (text.Length == 0)
            return TimeSpan.Zero;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0.001 and <= 86400)
            return TimeSpan.FromSeconds(seconds);
        Wrong(of, text, "seconds, more than 0 and at most 86400, such as 1 or 0.5");
        return TimeSpan.Zero;
    }

    /// <summary>A whole number within bounds.</summary>
    public T Number<T>(EnvironmentVariable of, T least, T most)
        where T : struct, IBinaryInteger<T>
    {
        var text = Text(of);
        if (text.Length == 0)
            return least;
        if (T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
            return number;
        Wrong(of, text, $"a whole number from {least} to {most}");
        return least;
    }

    /// <summary><c>true</c> or <c>false</c>, in any case.</summary>
    public bool Flag(EnvironmentVariable of)
    {
        var text = Text(of);
        if (text.Length == 0)
            return false;
        if (bool.TryParse(text, out var flag))
            return flag;
        Wrong(of, text, "true or false");
        return false;
    }

    /// <summary>An IP address.</summary>
    public IPAddress Address(EnvironmentVariable of)
    {
        var text = Text(of);
        if (text.Length == 0)
            return IPAddress.None;
        if (IPAddress.TryParse(text, out var address))
            return address;
        Wrong(of, text, "an IP address");
        return IPAddress.None;
    }

    /// <summary>Where the API server is and who we are.</summary>
    public KubernetesConfiguration Kubernetes()
    {
        try
        {
            return KubernetesConfiguration.Load(variable);
        }
        catch (KubernetesConfigurationException error)
        {
            mistakes.Add(error.Message);
            return null!;
        }
    }

    /// <summary>Reports a mistake that only shows when several variables are seen together.</summary>
    public void Report(string mistake) => mistakes.Add(mistake);

    /// <summary>Ends the reading.</summary>
    /// <exception cref="ConfigurationException">There were mistakes.</exception>
    public void Verify()
    {
        if (mistakes.Count > 0)
            throw new ConfigurationException(mistakes);
    }

    private string? Raw(EnvironmentVariable of)
    {
        if (variable(of.Name) is { Length: > 0 } value)
            return value;
        return of.Alias is not null && variable(of.Alias) is { Length: > 0 } aliased ? aliased : null;
    }

    private void Wrong(EnvironmentVariable of, string found, string expected) =>
        mistakes.Add($"{of.Names}: found '{found}', expected {expected}.");
}

/// <summary>The environment is not usable; every mistake is listed.</summary>
public sealed class ConfigurationException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="mistakes">One line each; never with a secret.</param>
    public ConfigurationException(IReadOnlyList<string> mistakes)
        : base(string.Join(Environment.NewLine, mistakes)) => Mistakes = mistakes;

    /// <summary>One line each.</summary>
    public IReadOnlyList<string> Mistakes { get; }
}
