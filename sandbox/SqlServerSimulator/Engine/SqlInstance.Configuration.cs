using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>Server names (sp_addserver, sp_dropserver) and options (sp_configure).</summary>
public sealed partial class SqlInstance
{
    /// <summary>Options as they count now; those that need a restart keep what they had at the start.</summary>
    private readonly Dictionary<string, int> _inUse = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Configured value of an option and the value in use.</summary>
    internal (int Configured, int InUse) Configured(ServerOption option)
    {
        var configured = Master.Configuration.GetValueOrDefault(option.Name.ToLowerInvariant(), Default(option));
        return (configured, _inUse.GetValueOrDefault(option.Name, Default(option)));
    }

    private int Default(ServerOption option) => option.Name == "hadr enabled" ? Options.HadrEnabled ? 1 : 0 : option.Default;

    private void LoadConfiguration()
    {
        foreach (var option in ServerOption.All)
        {
            if (Master.Configuration.TryGetValue(option.Name.ToLowerInvariant(), out var value))
            {
                _inUse[option.Name] = value;
            }
        }
    }

    private void Change(EngineSession session, Configure configure, Operation operation)
    {
        RequireServer(session, "ALTER SETTINGS");
        var matches = ServerOption.All.Where(option => option.Name.StartsWith(configure.Name, StringComparison.OrdinalIgnoreCase)).ToList();
        var option = matches.Find(option => Same(option.Name, configure.Name)) ?? (matches.Count == 1 ? matches[0] : null);
        if (matches.Count > 1 && option is null)
        {
            throw new SqlErrorException(15124, 16, $"The configuration option '{configure.Name}' is not unique.");
        }

        if (option is null || (option.Advanced && Configured(ServerOption.ShowAdvanced).InUse == 0))
        {
            throw new SqlErrorException(
                15123, 16, $"The configuration option '{configure.Name}' does not exist, or it may be an advanced option.");
        }

        if (configure.Value < option.Minimum || configure.Value > option.Maximum)
        {
            throw new SqlErrorException(15129, 16, $"'{configure.Value}' is not a valid value for configuration option '{option.Name}'.");
        }

        if (option.Name == "hadr enabled")
        {
            throw new SqlErrorException(15392, 16, $"The specified option '{option.Name}' is not supported by this edition of SQL Server and cannot be changed using sp_configure.");
        }

        var before = Configured(option).Configured;
        Master.Configuration[option.Name.ToLowerInvariant()] = configure.Value;
        operation.Inform(Errors.Make(
            15457, 10, $"Configuration option '{option.Name}' changed from {before} to {configure.Value}. Run the RECONFIGURE statement to install."));
    }

    private void Install(EngineSession session)
    {
        RequireServer(session, "ALTER SETTINGS");
        foreach (var option in ServerOption.All.Where(option => option.Dynamic))
        {
            _inUse[option.Name] = Configured(option).Configured;
        }
    }

    private void Add(EngineSession session, AddServer add)
    {
        RequireServer(session, "ALTER ANY LINKED SERVER");
        if (add.Local && Master.RemoteServers.Contains("-local"))
        {
            Master.RemoteServers.Remove("-local");
            Master.NextServerName = add.Name;
        }
        else if (add.Local || Master.RemoteServers.Contains(add.Name, StringComparer.OrdinalIgnoreCase)
            || (Same(add.Name, Master.NextServerName ?? Master.ServerName) && !Master.RemoteServers.Contains("-local")))
        {
            throw new SqlErrorException(15028, 16, $"The server '{add.Name}' already exists.");
        }
        else
        {
            Master.RemoteServers.Add(add.Name);
        }
    }

    private void Drop(EngineSession session, DropServer drop)
    {
        RequireServer(session, "ALTER ANY LINKED SERVER");
        var local = Master.NextServerName ?? Master.ServerName;
        if (Same(drop.Name, local) && !Master.RemoteServers.Contains("-local"))
        {
            // sys.servers has no row 0 until sp_addserver gives one.
            Master.RemoteServers.Add("-local");
        }
        else if (Master.RemoteServers.RemoveAll(name => name != "-local" && Same(name, drop.Name)) == 0)
        {
            throw new SqlErrorException(15015, 16, $"The server '{drop.Name}' does not exist. Use sp_helpserver to show available servers.");
        }
    }
}
