using System.Diagnostics;

namespace Clients.Drivers;

/// <summary>go-mssqldb, as Debian packages it. It shows no messages and only the last error of a batch.</summary>
internal sealed class GoClient : ScriptClient
{
    private const string Packages = "/usr/share/gocode";

    private static readonly string? Go = Find("go");

    private string? _folder;

    public override string Name => "go-mssqldb";

    public override Abilities Abilities =>
        Abilities.LongText | Abilities.BulkLoad | Abilities.GoesOn | Abilities.Parameters | Abilities.Transactions | Abilities.Cancel | Abilities.Values | Abilities.ReadOnlyIntent;

    public override string? Missing => Go is null
        ? "go is not installed (Debian: golang-go)"
        : Directory.Exists($"{Packages}/src/github.com/denisenkom/go-mssqldb")
            ? null
            : "go-mssqldb is not installed (Debian: golang-github-denisenkom-go-mssqldb-dev)";

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_folder is not null)
            Directory.Delete(_folder, recursive: true);
    }

    protected override ProcessStartInfo Program()
    {
        _folder = Directory.CreateTempSubdirectory("go-mssqldb-").FullName;
        var program = Path.Combine(_folder, "client");
        using var build = Process.Start(new ProcessStartInfo(Go!)
        {
            ArgumentList = { "build", "-o", program, Path.Combine(Source("go"), "client.go") },
            Environment = { ["GO111MODULE"] = "off", ["GOPATH"] = Packages, ["GOCACHE"] = Path.Combine(_folder, "cache"), ["GOFLAGS"] = "" },
            RedirectStandardError = true,
        })!;
        var said = build.StandardError.ReadToEnd();
        build.WaitForExit();
        Assert.That(build.ExitCode, Is.Zero, said);
        return new ProcessStartInfo(program);
    }
}
