using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>Schemas, tables, columns and types of the current database, also as INFORMATION_SCHEMA shows them.</summary>
public static partial class SystemCatalog
{
    private const string ObjectColumns =
        "name sysname!, object_id int!, principal_id int, schema_id int!, parent_object_id int!, type char(2), type_desc nvarchar(60), create_date datetime!, modify_date datetime!, is_ms_shipped bit!, is_published bit!, is_schema_published bit!";

    /// <summary>Types with their ids, lengths, precisions and scales, as sys.types lists them.</summary>
    private static readonly (string Name, byte Id, short Length, byte Precision, byte Scale)[] SystemTypes =
    [
        ("image", 34, 16, 0, 0), ("text", 35, 16, 0, 0), ("uniqueidentifier", 36, 16, 0, 0), ("date", 40, 3, 10, 0), ("time", 41, 5, 16, 7), ("datetime2", 42, 8, 27, 7),
        ("datetimeoffset", 43, 10, 34, 7), ("tinyint", 48, 1, 3, 0), ("smallint", 52, 2, 5, 0), ("int", 56, 4, 10, 0), ("smalldatetime", 58, 4, 16, 0), ("real", 59, 4, 24, 0),
        ("money", 60, 8, 19, 4), ("datetime", 61, 8, 23, 3), ("float", 62, 8, 53, 0), ("sql_variant", 98, 8016, 0, 0), ("ntext", 99, 16, 0, 0), ("bit", 104, 1, 1, 0),
        ("decimal", 106, 17, 38, 38), ("numeric", 108, 17, 38, 38), ("smallmoney", 122, 4, 10, 4), ("bigint", 127, 8, 19, 0), ("varbinary", 165, 8000, 0, 0),
        ("varchar", 167, 8000, 0, 0), ("binary", 173, 8000, 0, 0), ("char", 175, 8000, 0, 0), ("timestamp", 189, 8, 0, 0), ("nvarchar", 231, 8000, 0, 0), ("nchar", 239, 8000, 0, 0),
        ("xml", 241, -1, 0, 0),
    ];

    private static readonly string[] Schemas = ["dbo", "guest", "INFORMATION_SCHEMA", "sys"];

    private static void AddObjectViews()
    {
        Add("schemas", "name sysname!, schema_id int!, principal_id int", (_, _) => [["dbo", 1, 1], ["guest", 2, 2], ["INFORMATION_SCHEMA", 3, 3], ["sys", 4, 4]]);
        Add("types", "name sysname!, system_type_id tinyint!, user_type_id int!, schema_id int!, principal_id int, max_length smallint!, precision tinyint!, scale tinyint!, collation_name sysname, is_nullable bit, is_user_defined bit!, is_assembly_type bit!, default_object_id int!, rule_object_id int!, is_table_type bit!", (_, _) =>
            SystemTypes.Select(type => new object?[]
            {
                type.Name, type.Id, (int)type.Id, 4, null, type.Length, type.Precision, type.Scale,
                type.Id is 35 or 99 or 167 or 175 or 231 or 239 ? "SQL_Latin1_General_CP1_CI_AS" : null, true, false, false, 0, 0, false,
            }).Append(["sysname", (byte)231, 256, 4, null, (short)256, (byte)0, (byte)0, "SQL_Latin1_General_CP1_CI_AS", false, false, false, 0, 0, false]));
        Add("objects", ObjectColumns, (instance, session) => Tables(instance, session)
            .SelectMany(table => table.Key.Count == 0 ? new[] { ObjectRow(table) } : [ObjectRow(table), KeyRow(table)]));
        Add("all_objects", ObjectColumns, (instance, session) => Tables(instance, session).Select(ObjectRow));
        Add("tables", $"{ObjectColumns}, lob_data_space_id int!, filestream_data_space_id int, max_column_id_used int!, lock_on_bulk_load bit!, uses_ansi_nulls bit, is_replicated bit, has_replication_filter bit, is_merge_published bit, is_sync_tran_subscribed bit, has_unchecked_assembly_data bit!, text_in_row_limit int, large_value_types_out_of_row bit, is_tracked_by_cdc bit, lock_escalation tinyint, lock_escalation_desc nvarchar(60), is_filetable bit, is_memory_optimized bit, durability tinyint, durability_desc nvarchar(60), temporal_type tinyint, temporal_type_desc nvarchar(60), history_table_id int, is_remote_data_archive_enabled bit, is_external bit!, history_retention_period int, history_retention_period_unit int, history_retention_period_unit_desc nvarchar(10), is_node bit, is_edge bit, data_retention_period int, data_retention_period_unit int, data_retention_period_unit_desc nvarchar(10), ledger_type tinyint, ledger_type_desc nvarchar(60), ledger_view_id int, is_dropped_ledger_table bit", (instance, session) =>
            Tables(instance, session).Select(table => (object?[])
            [
                .. ObjectRow(table), 0, null, table.Columns.Count, false, true, false, false, false, false, false, 0, false, false, (byte)0, "TABLE", false, false,
                (byte)0, "SCHEMA_AND_DATA", (byte)0, "NON_TEMPORAL_TABLE", null, false, false, null, null, null, false, false, null, null, null, (byte)0, "NON_LEDGER_TABLE", null, false,
            ]));
        const string columns =
            "object_id int!, name sysname, column_id int!, system_type_id tinyint!, user_type_id int!, max_length smallint!, precision tinyint!, scale tinyint!, collation_name sysname, is_nullable bit, is_ansi_padded bit!, is_rowguidcol bit!, is_identity bit!, is_computed bit!, is_filestream bit!, is_replicated bit, is_non_sql_subscribed bit, is_merge_published bit, is_dts_replicated bit, is_xml_document bit!, xml_collection_id int!, default_object_id int!, rule_object_id int!";
        Add("columns", columns, (instance, session) => Tables(instance, session).SelectMany(ColumnRows));
        Add("all_columns", columns, (instance, session) => Tables(instance, session).SelectMany(ColumnRows));
        Add("identity_columns", "object_id int!, name sysname, column_id int!, seed_value variant, increment_value variant, last_value variant, is_not_for_replication bit", (instance, session) =>
            Tables(instance, session).Where(table => table.IdentityColumn >= 0).Select(table =>
            {
                var column = table.Columns[table.IdentityColumn];
                return new object?[] { table.Id, column.Name, table.IdentityColumn + 1, column.IdentitySeed, column.IdentityIncrement, null, false };
            }));
        Add("indexes", "object_id int!, name sysname, index_id int!, type tinyint!, type_desc nvarchar(60), is_unique bit, data_space_id int, ignore_dup_key bit, is_primary_key bit, is_unique_constraint bit, fill_factor tinyint!, is_padded bit, is_disabled bit, is_hypothetical bit", (instance, session) =>
            Tables(instance, session).Select(table => table.Key.Count == 0
                ? new object?[] { table.Id, null, 0, (byte)0, "HEAP", false, 1, false, false, false, (byte)0, false, false, false }
                : [table.Id, KeyName(table), 1, (byte)1, "CLUSTERED", true, 1, false, true, false, (byte)0, false, false, false]));
        Add("index_columns", "object_id int!, index_id int!, index_column_id int!, column_id int!, key_ordinal tinyint!, partition_ordinal tinyint!, is_descending_key bit, is_included_column bit", (instance, session) =>
            Tables(instance, session).SelectMany(table => table.Key.Select((ordinal, index) =>
                new object?[] { table.Id, 1, index + 1, ordinal + 1, (byte)(index + 1), (byte)0, false, false })));
        Add("key_constraints", $"{ObjectColumns}, unique_index_id int, is_system_named bit!, is_enforced bit!", (instance, session) =>
            Tables(instance, session).Where(table => table.Key.Count > 0).Select(table => (object?[])[.. KeyRow(table), 1, true, true]));
        AddInformationSchema();
    }

    private static void AddInformationSchema()
    {
        Add("INFORMATION_SCHEMA.SCHEMATA", "CATALOG_NAME nvarchar(128), SCHEMA_NAME nvarchar(128)!, SCHEMA_OWNER nvarchar(128), DEFAULT_CHARACTER_SET_CATALOG varchar(6), DEFAULT_CHARACTER_SET_SCHEMA varchar(3), DEFAULT_CHARACTER_SET_NAME nvarchar(128)", (_, session) =>
            Schemas.Select(schema => new object?[] { session.Database, schema, schema, null, null, "iso_1" }));
        Add("INFORMATION_SCHEMA.TABLES", "TABLE_CATALOG nvarchar(128), TABLE_SCHEMA nvarchar(128), TABLE_NAME sysname!, TABLE_TYPE varchar(10)", (instance, session) =>
            Tables(instance, session).Select(table => new object?[] { session.Database, table.Schema, table.Name, "BASE TABLE" }));
        Add("INFORMATION_SCHEMA.COLUMNS", "TABLE_CATALOG nvarchar(128), TABLE_SCHEMA nvarchar(128), TABLE_NAME nvarchar(128)!, COLUMN_NAME nvarchar(128), ORDINAL_POSITION int, COLUMN_DEFAULT nvarchar(4000), IS_NULLABLE varchar(3), DATA_TYPE nvarchar(128), CHARACTER_MAXIMUM_LENGTH int, CHARACTER_OCTET_LENGTH int, NUMERIC_PRECISION tinyint, NUMERIC_PRECISION_RADIX smallint, NUMERIC_SCALE int, DATETIME_PRECISION smallint, CHARACTER_SET_CATALOG nvarchar(128), CHARACTER_SET_SCHEMA nvarchar(128), CHARACTER_SET_NAME nvarchar(128), COLLATION_CATALOG nvarchar(128), COLLATION_SCHEMA nvarchar(128), COLLATION_NAME nvarchar(128), DOMAIN_CATALOG nvarchar(128), DOMAIN_SCHEMA nvarchar(128), DOMAIN_NAME nvarchar(128)", (instance, session) =>
            Tables(instance, session).SelectMany(table => table.Columns.Select((column, index) =>
            {
                var (type, length, precision, scale) = Describe(column.Type);
                var unicode = column.Type.Kind is SqlKind.NChar or SqlKind.NVarChar;
                var text = unicode || column.Type.Kind is SqlKind.Char or SqlKind.VarChar;
                var number = precision > 0 && type.Id is 48 or 52 or 56 or 127 or 106 or 108 or 60 or 122 or 59 or 62;
                var characters = column.Type.Length < 0 ? -1 : unicode ? length / 2 : length;
                return new object?[]
                {
                    session.Database, table.Schema, table.Name, column.Name, index + 1, column.Default is null ? null : $"({column.Default})", column.Type.Nullable ? "YES" : "NO", type.Name,
                    text || type.Id is 165 or 173 ? characters : null, text || type.Id is 165 or 173 ? (int)length : null, number ? precision : null,
                    number ? (short)(type.Id is 59 or 62 ? 2 : 10) : null, number && type.Id is not (59 or 62) ? (int)scale : null,
                    type.Id is 40 or 41 or 42 or 43 or 58 or 61 ? (short)scale : null, null, null, text ? unicode ? "UNICODE" : "iso_1" : null, null, null,
                    text ? "SQL_Latin1_General_CP1_CI_AS" : null, null, null, null,
                };
            })));
    }

    private static IEnumerable<Table> Tables(SqlInstance instance, EngineSession session) =>
        instance.FindTables(session.Database) is { } database
            ? database.Tables.Values.OrderBy(table => table.Id).Where(table => instance.IsVisible(session, SecurableClass.Object, $"{table.Schema}.{table.Name}"))
            : [];

    private static object?[] ObjectRow(Table table) =>
        [table.Name, table.Id, null, 1, 0, "U ", "USER_TABLE", table.Created, table.Created, false, false, false];

    private static string KeyName(Table table) => $"PK_{table.Name}";

    private static object?[] KeyRow(Table table) =>
        [KeyName(table), -table.Id, null, 1, table.Id, "PK", "PRIMARY_KEY_CONSTRAINT", table.Created, table.Created, false, false, false];

    private static IEnumerable<object?[]> ColumnRows(Table table) => table.Columns.Select((column, index) =>
    {
        var (type, length, precision, scale) = Describe(column.Type);
        return new object?[]
        {
            table.Id, column.Name, index + 1, type.Id, (int)type.Id, length, precision, scale,
            column.Type.Kind is SqlKind.Char or SqlKind.VarChar or SqlKind.NChar or SqlKind.NVarChar ? "SQL_Latin1_General_CP1_CI_AS" : null,
            column.Type.Nullable, true, false, column.Identity, false, false, false, false, false, false, false, 0, 0, 0,
        };
    });

    private static ((string Name, byte Id) Type, short Length, byte Precision, byte Scale) Describe(SqlType type)
    {
        var name = type.Kind switch
        {
            SqlKind.Variant => "sql_variant",
            _ => type.Kind.ToString().ToLowerInvariant(),
        };
        var known = Array.Find(SystemTypes, known => known.Name == name);
        var length = type.Kind switch
        {
            SqlKind.Char or SqlKind.VarChar or SqlKind.VarBinary => type.Length,
            SqlKind.NChar or SqlKind.NVarChar => type.Length < 0 ? -1 : type.Length * 2,
            SqlKind.Numeric => type.Precision switch { <= 9 => 5, <= 19 => 9, <= 28 => 13, _ => 17 },
            _ => known.Length,
        };
        return ((known.Name, known.Id), (short)length, type.Kind == SqlKind.Numeric ? type.Precision : known.Precision, type.Kind is SqlKind.Numeric or SqlKind.DateTime2 ? type.Scale : known.Scale);
    }
}
