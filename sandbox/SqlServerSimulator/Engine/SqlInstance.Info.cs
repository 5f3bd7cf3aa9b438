namespace SqlServerSimulator.Engine;

public sealed partial class SqlInstance
{
    /// <summary>Product version, as SERVERPROPERTY('ProductVersion') gives it.</summary>
    public const string ProductVersion = "16.0.4185.3";

    /// <summary>SERVERPROPERTY(name), or null.</summary>
    public object? ServerProperty(string name) => name.ToUpperInvariant() switch
    {
        "SERVERNAME" => ServerName,
        "MACHINENAME" or "COMPUTERNAMEPHYSICALNETBIOS" => Options.MachineName,
        "ISHADRENABLED" => Options.HadrEnabled ? 1 : 0,
        "HADRMANAGERSTATUS" => Options.HadrEnabled ? 1 : 0,
        "PRODUCTVERSION" => ProductVersion,
        "PRODUCTMAJORVERSION" => ProductVersion.Split('.')[0],
        "PRODUCTMINORVERSION" => ProductVersion.Split('.')[1],
        "PRODUCTBUILD" => ProductVersion.Split('.')[2],
        "PRODUCTLEVEL" => "RTM",
        "PRODUCTUPDATELEVEL" => "CU18",
        "EDITION" => Options.Edition,
        "ENGINEEDITION" => Options.EngineEdition,
        "COLLATION" => "SQL_Latin1_General_CP1_CI_AS",
        "ISCLUSTERED" or "ISSINGLEUSER" or "ISINTEGRATEDSECURITYONLY" => 0,
        "ISFULLTEXTINSTALLED" => 0,
        "PROCESSID" => System.Environment.ProcessId,
        "INSTANCEDEFAULTDATAPATH" => "/var/opt/mssql/data/",
        "INSTANCEDEFAULTLOGPATH" => "/var/opt/mssql/data/",
        _ => null,
    };
}
