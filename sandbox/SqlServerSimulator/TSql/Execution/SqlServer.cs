using System.Collections.Concurrent;
using SqlServerSimulator.Contract;
using SqlServerSimulator.Hosting;
using SqlServerSimulator.TSql.Parsing;
using SqlServerSimulator.TSql.Syntax;

namespace SqlServerSimulator.TSql.Execution;

/// <summary>What can be set about T-SQL.</summary>
internal sealed record SqlServerSettings
{
    /// <summary>How long sp_server_diagnostics gathers before it answers once.</summary>
    public TimeSpan DiagnosticsDuration { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Clock of WAITFOR, of diagnostics and of waits for application locks.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>Serves T-SQL over the engine behind a gate.</summary>
internal sealed class SqlServer : ISqlServer
{
    private const int LargestCache = 512;

    private readonly IInstanceGate _gate;
    private readonly ConcurrentDictionary<(string Text, bool QuotedIdentifier), IReadOnlyList<Statement>> _parsed = [];
    private readonly Lazy<ServerIdentity> _identity;

    public SqlServer(IInstanceGate gate, SqlServerSettings? settings = null)
    {
        _gate = gate;
        Settings = settings ?? new SqlServerSettings();
        Locks = new ApplicationLocks(Settings.Time);
        _identity = new Lazy<ServerIdentity>(() => gate.Read(instance =>
        {
            var version = Version.Parse((string)instance.ServerProperty("ProductVersion")!);
            return new ServerIdentity(instance.ServerName, (byte)version.Major, (byte)version.Minor, (ushort)version.Build);
        }));
    }

    public ServerIdentity Identity => _identity.Value;

    internal SqlServerSettings Settings { get; }

    internal ApplicationLocks Locks { get; }

    public async Task<LoginOutcome> LoginAsync(LoginRequest request, CancellationToken cancellationToken)
    {
        await _gate.AwaitAsync(instance => instance.AwaitWorker(), cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        var (result, instance) = _gate.Read(instance => (instance.LogIn(request), instance));
        var session = result.Session is null ? null : new SqlSession(this, _gate, instance, result.Session);
        return new LoginOutcome(session, result.Errors) { Route = result.Route };
    }

    /// <summary>Parses a batch, or remembers that it has.</summary>
    internal IReadOnlyList<Statement> Parse(string text, IReadOnlyCollection<string> parameters, bool quotedIdentifier)
    {
        if (parameters.Count > 0 || text.Length > 4000) return Parser.ParseRefereed(text, parameters, quotedIdentifier);
        if (_parsed.TryGetValue((text, quotedIdentifier), out var known)) return known;
        var statements = Parser.ParseRefereed(text, parameters, quotedIdentifier);
        if (_parsed.Count >= LargestCache) _parsed.Clear();
        _parsed[(text, quotedIdentifier)] = statements;
        return statements;
    }
}
