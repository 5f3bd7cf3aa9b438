using Agents.Hosting;

namespace Unit.Hosting;

internal sealed class EnvironmentReaderTests
{
    [Test]
    public void All_mistakes_are_listed_at_once_with_what_was_found_and_expected()
    {
        var reader = Reader(("MSSQL_K8S_SQL_PORT", "70000"), ("MSSQL_K8S_POD_IP", "nowhere"), ("MSSQL_K8S_MONITOR_PERIOD_SECONDS", "soon"));
        reader.Text(EnvironmentVariables.Namespace);
        reader.Number(EnvironmentVariables.SqlPort, 1, 65535);
        reader.Address(EnvironmentVariables.PodIP);
        reader.Seconds(EnvironmentVariables.MonitorPeriod);
        var mistakes = Assert.Throws<ConfigurationException>(reader.Verify)!.Mistakes;
        Assert.That(mistakes, Has.Count.EqualTo(4));
        Assert.That(mistakes[0], Does.Contain("MSSQL_K8S_NAMESPACE").And.Contain("MSSQL_K8S_POD_NAMESPACE"));
        Assert.That(mistakes[1], Does.Contain("'70000'").And.Contain("65535"));
        Assert.That(mistakes[2], Does.Contain("'nowhere'"));
        Assert.That(mistakes[3], Does.Contain("'soon'"));
    }

    [Test]
    public void Aliases_and_defaults_fill_in()
    {
        var reader = Reader(("MSSQL_K8S_POD_NAMESPACE", "ag1"), ("MSSQL_K8S_RETRY_PERIOD_SECONDS", "0.25"));
        Assert.That(reader.Text(EnvironmentVariables.Namespace), Is.EqualTo("ag1"));
        Assert.That(reader.Number(EnvironmentVariables.MonitorPolicy, 0, 5), Is.EqualTo(3));
        Assert.That(reader.Seconds(EnvironmentVariables.RetryPeriod), Is.EqualTo(TimeSpan.FromSeconds(0.25)));
        Assert.That(reader.Seconds(EnvironmentVariables.LeaseDuration), Is.EqualTo(TimeSpan.FromSeconds(7)));
        reader.Verify();
    }

    [TestCase("-1")]
    [TestCase("0")]
    [TestCase("NaN")]
    [TestCase("1e9")]
    [TestCase("1,5")]
    [TestCase("99999999")]
    public void Seconds_that_no_clock_can_keep_are_mistakes(string text)
    {
        var reader = Reader(("MSSQL_K8S_RETRY_PERIOD_SECONDS", text));
        reader.Seconds(EnvironmentVariables.RetryPeriod);
        Assert.That(reader.Mistakes, Has.Count.EqualTo(1));
    }

    private static EnvironmentReader Reader(params (string Name, string Value)[] variables) =>
        new(name => variables.FirstOrDefault(variable => variable.Name == name).Value);
}
