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
        "EDITIONID" => Options.Edition.Split(' ')[0] switch
        {
            "Developer" => -2117995310L,
            "Standard" => -1534726760L,
            "Express" => -1592396055L,
            "Web" => 1293598313L,
            "Evaluation" => 610778273L,
            _ => 1804890536L,
        },
        "COLLATION" => "SQL_Latin1_General_CP1_CI_AS",
        "COLLATIONID" => 872468488,
        "COMPARISONSTYLE" => 196609,
        "LCID" => 1033,
        "SQLCHARSET" => (byte)1,
        "SQLCHARSETNAME" => "iso_1",
        "SQLSORTORDER" => (byte)52,
        "SQLSORTORDERNAME" => "nocase_iso",
        "LICENSETYPE" => "DISABLED",
        "RESOURCEVERSION" => "16.00.4185",
        "BUILDCLRVERSION" => "v4.0.30319",
        "ISXTPSUPPORTED" => 1,
        "ISCLUSTERED" or "ISSINGLEUSER" or "ISINTEGRATEDSECURITYONLY" or "ISFULLTEXTINSTALLED" or "ISPOLYBASEINSTALLED" or "ISADVANCEDANALYTICSINSTALLED"
            or "ISLOCALDB" or "ISBIGDATACLUSTER" or "ISTEMPDBMETADATAMEMORYOPTIMIZED" or "ISEXTERNALAUTHENTICATIONONLY" or "ISEXTERNALGOVERNANCEENABLED"
            or "ISSERVERSUSPENDEDFORSNAPSHOTBACKUP" or "SUSPENDEDDATABASECOUNT" or "FILESTREAMCONFIGUREDLEVEL" or "FILESTREAMEFFECTIVELEVEL" => 0,
        "PROCESSID" => System.Environment.ProcessId,
        "INSTANCEDEFAULTDATAPATH" or "INSTANCEDEFAULTLOGPATH" or "INSTANCEDEFAULTBACKUPPATH" => "/var/opt/mssql/data/",
        "ERRORLOGFILENAME" => "/var/opt/mssql/log/errorlog",
        _ => null,
    };
}
