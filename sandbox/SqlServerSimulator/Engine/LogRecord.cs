using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>One committed transaction in a database's log.</summary>
/// <param name="Lsn">Position, from 1 without gaps.</param>
/// <param name="Epoch">Epoch of the primary that wrote it; 0 outside a group.</param>
/// <param name="Time">When it was committed.</param>
/// <param name="Payload">The record as it is stored and shipped, without frame.</param>
internal sealed record LogRecord(long Lsn, long Epoch, DateTime Time, byte[] Payload)
{
    private const int HeaderLength = 24;

    /// <summary>Length of a record that changes nothing.</summary>
    public const int SmallestLength = HeaderLength + sizeof(int);

    public static LogRecord Create(long lsn, long epoch, DateTime time, IReadOnlyList<Change> changes)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(lsn);
        writer.Write(epoch);
        writer.Write(time.Ticks);
        writer.Write(changes.Count);
        foreach (var change in changes)
        {
            change.Write(writer);
        }

        writer.Flush();
        return new LogRecord(lsn, epoch, time, stream.ToArray());
    }

    public static LogRecord Parse(byte[] payload) => new(
        BinaryPrimitives.ReadInt64LittleEndian(payload),
        BinaryPrimitives.ReadInt64LittleEndian(payload.AsSpan(8)),
        new DateTime(BinaryPrimitives.ReadInt64LittleEndian(payload.AsSpan(16)), DateTimeKind.Utc),
        payload);

    /// <summary>Whether this stands for all records up to its LSN.</summary>
    public bool IsImage => IsImageIn(Payload);

    /// <summary>Whether this is how the first record of a new database begins.</summary>
    public static bool IsFirst(ReadOnlySpan<byte> payload) => BinaryPrimitives.ReadInt64LittleEndian(payload) == 1 && !IsImageIn(payload);

    private static bool IsImageIn(ReadOnlySpan<byte> payload) => payload.Length > SmallestLength && payload[SmallestLength] == ImageStart.Tag;

    public IEnumerable<Change> Changes()
    {
        using var reader = new BinaryReader(new MemoryStream(Payload, HeaderLength, Payload.Length - HeaderLength), Encoding.UTF8);
        for (var count = reader.ReadInt32(); count > 0; count--)
        {
            yield return Change.Read(reader);
        }
    }
}

/// <summary>A change within a transaction.</summary>
internal abstract record Change
{
    public abstract void Write(BinaryWriter writer);

    public static Change Read(BinaryReader reader) => reader.ReadByte() switch
    {
        1 => new PutRow(reader.ReadInt32(), reader.ReadInt64(), ValueCodec.ReadRow(reader)),
        2 => new RemoveRow(reader.ReadInt32(), reader.ReadInt64()),
        3 => NewTable.ReadBody(reader),
        4 => new RemoveTable(reader.ReadInt32()),
        5 => PutUser.ReadBody(reader),
        6 => new RemoveUser(reader.ReadString()),
        7 => new PutPermission(
            new Permission(
                reader.ReadString(), reader.ReadString(), (SecurableClass)reader.ReadByte(), reader.ReadString(), reader.ReadBoolean(), reader.ReadBoolean())
            {
                Grantor = reader.ReadString(),
            },
            reader.ReadBoolean()),
        8 => new EpochStart(),
        ImageStart.Tag => ImageStart.ReadBody(reader),
        TableState.Tag => new TableState(reader.ReadInt32(), reader.ReadInt64(), reader.ReadBoolean() ? reader.ReadInt64() : null),
        var tag => throw new InvalidDataException($"Unknown change {tag} in the log."),
    };
}

internal sealed record PutRow(int Table, long Row, object?[] Values) : Change
{
    public override void Write(BinaryWriter writer)
    {
        writer.Write((byte)1);
        writer.Write(Table);
        writer.Write(Row);
        ValueCodec.WriteRow(writer, Values);
    }
}

internal sealed record RemoveRow(int Table, long Row) : Change
{
    public override void Write(BinaryWriter writer)
    {
        writer.Write((byte)2);
        writer.Write(Table);
        writer.Write(Row);
    }
}

internal sealed record NewTable(int Id, string Schema, string Name, DateTime Created, IReadOnlyList<ColumnDefinition> Columns, IReadOnlyList<int> Key) : Change
{
    public override void Write(BinaryWriter writer)
    {
        writer.Write((byte)3);
        writer.Write(Id);
        writer.Write(Schema);
        writer.Write(Name);
        writer.Write(Created.Ticks);
        writer.Write(Columns.Count);
        foreach (var column in Columns)
        {
            writer.Write(column.Name);
            TypeCodec.Write(writer, column.Type);
            writer.Write(column.Identity);
            writer.Write(column.IdentitySeed);
            writer.Write(column.IdentityIncrement);
            writer.Write(column.Default ?? "");
        }

        writer.Write(Key.Count);
        foreach (var ordinal in Key)
        {
            writer.Write(ordinal);
        }
    }

    public static NewTable ReadBody(BinaryReader reader)
    {
        var id = reader.ReadInt32();
        var schema = reader.ReadString();
        var name = reader.ReadString();
        var created = new DateTime(reader.ReadInt64(), DateTimeKind.Utc);
        var columns = new ColumnDefinition[reader.ReadInt32()];
        for (var index = 0; index < columns.Length; index++)
        {
            var columnName = reader.ReadString();
            var type = TypeCodec.Read(reader);
            columns[index] = new ColumnDefinition(columnName, type)
            {
                Identity = reader.ReadBoolean(),
                IdentitySeed = reader.ReadInt64(),
                IdentityIncrement = reader.ReadInt64(),
                Default = reader.ReadString() is { Length: > 0 } text ? text : null,
            };
        }

        var key = new int[reader.ReadInt32()];
        for (var index = 0; index < key.Length; index++)
        {
            key[index] = reader.ReadInt32();
        }

        return new NewTable(id, schema, name, created, columns, key);
    }
}

internal sealed record RemoveTable(int Id) : Change
{
    public override void Write(BinaryWriter writer)
    {
        writer.Write((byte)4);
        writer.Write(Id);
    }
}

/// <summary>A user or role, new or as it is from now on.</summary>
internal sealed record PutUser(DatabaseUser User) : Change
{
    public override void Write(BinaryWriter writer)
    {
        writer.Write((byte)5);
        writer.Write(User.Name);
        writer.Write(User.PrincipalId);
        writer.Write(User.IsRole);
        writer.Write(User.Sid?.Length ?? -1);
        writer.Write(User.Sid ?? []);
        writer.Write(User.DefaultSchema);
        writer.Write(User.Owner);
        writer.Write(User.Created.Ticks);
        writer.Write(User.Roles.Count);
        foreach (var role in User.Roles)
        {
            writer.Write(role);
        }
    }

    public static PutUser ReadBody(BinaryReader reader) => new(new DatabaseUser
    {
        Name = reader.ReadString(),
        PrincipalId = reader.ReadInt32(),
        IsRole = reader.ReadBoolean(),
        Sid = reader.ReadInt32() is >= 0 and var length ? reader.ReadBytes(length) : null,
        DefaultSchema = reader.ReadString(),
        Owner = reader.ReadString(),
        Created = new DateTime(reader.ReadInt64(), DateTimeKind.Utc),
        Roles = [.. Enumerable.Range(0, reader.ReadInt32()).Select(_ => reader.ReadString())],
    });
}

internal sealed record RemoveUser(string Name) : Change
{
    public override void Write(BinaryWriter writer)
    {
        writer.Write((byte)6);
        writer.Write(Name);
    }
}

internal sealed record PutPermission(Permission Permission, bool Remove) : Change
{
    public override void Write(BinaryWriter writer)
    {
        writer.Write((byte)7);
        writer.Write(Permission.Grantee);
        writer.Write(Permission.Name);
        writer.Write((byte)Permission.Class);
        writer.Write(Permission.Securable);
        writer.Write(Permission.Denied);
        writer.Write(Permission.WithGrantOption);
        writer.Write(Permission.Grantor);
        writer.Write(Remove);
    }
}

/// <summary>First change of an image: the epochs of the log that it stands for.</summary>
internal sealed record ImageStart(IReadOnlyList<EpochEnd> Epochs) : Change
{
    public const byte Tag = 100;

    public override void Write(BinaryWriter writer)
    {
        writer.Write(Tag);
        writer.Write(Epochs.Count);
        foreach (var (epoch, lsn) in Epochs)
        {
            writer.Write(epoch);
            writer.Write(lsn);
        }
    }

    public static ImageStart ReadBody(BinaryReader reader)
    {
        var epochs = new EpochEnd[reader.ReadInt32()];
        for (var index = 0; index < epochs.Length; index++)
        {
            epochs[index] = new EpochEnd(reader.ReadInt64(), reader.ReadInt64());
        }

        return new ImageStart(epochs);
    }
}

/// <summary>In an image: what the rows that are left do not tell.</summary>
internal sealed record TableState(int Table, long NextRow, long? LastIdentity) : Change
{
    public const byte Tag = 101;

    public override void Write(BinaryWriter writer)
    {
        writer.Write(Tag);
        writer.Write(Table);
        writer.Write(NextRow);
        writer.Write(LastIdentity.HasValue);
        if (LastIdentity is { } identity)
        {
            writer.Write(identity);
        }
    }
}

/// <summary>First record of a new primary: it makes the logs of different primaries tell apart.</summary>
internal sealed record EpochStart : Change
{
    public override void Write(BinaryWriter writer) => writer.Write((byte)8);
}

/// <summary>Types in log records.</summary>
internal static class TypeCodec
{
    public static void Write(BinaryWriter writer, SqlType type)
    {
        writer.Write((byte)type.Kind);
        writer.Write(type.Length);
        writer.Write(type.Precision);
        writer.Write(type.Scale);
        writer.Write(type.Nullable);
    }

    public static SqlType Read(BinaryReader reader) =>
        new((SqlKind)reader.ReadByte(), reader.ReadInt32(), reader.ReadByte(), reader.ReadByte(), reader.ReadBoolean());
}

/// <summary>Values in log records.</summary>
internal static class ValueCodec
{
    public static void WriteRow(BinaryWriter writer, object?[] values)
    {
        writer.Write(values.Length);
        foreach (var value in values)
        {
            Write(writer, value);
        }
    }

    public static object?[] ReadRow(BinaryReader reader)
    {
        var values = new object?[reader.ReadInt32()];
        for (var index = 0; index < values.Length; index++)
        {
            values[index] = Read(reader);
        }

        return values;
    }

    private static void Write(BinaryWriter writer, object? value)
    {
        switch (value)
        {
            case null:
                writer.Write((byte)0);
                break;
            case bool item:
                writer.Write((byte)1);
                writer.Write(item);
                break;
            case byte item:
                writer.Write((byte)2);
                writer.Write(item);
                break;
            case short item:
                writer.Write((byte)3);
                writer.Write(item);
                break;
            case int item:
                writer.Write((byte)4);
                writer.Write(item);
                break;
            case long item:
                writer.Write((byte)5);
                writer.Write(item);
                break;
            case BigInteger item:
                writer.Write((byte)6);
                WriteBytes(writer, item.ToByteArray());
                break;
            case double item:
                writer.Write((byte)7);
                writer.Write(item);
                break;
            case DateTime item:
                writer.Write((byte)8);
                writer.Write(item.Ticks);
                break;
            case Guid item:
                writer.Write((byte)9);
                writer.Write(item.ToByteArray());
                break;
            // Half a surrogate pair has no UTF-8.
            case string item when item.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'):
                writer.Write((byte)17);
                WriteBytes(writer, [.. MemoryMarshal.AsBytes(item.AsSpan())]);
                break;
            case string item:
                writer.Write((byte)10);
                writer.Write(item);
                break;
            case byte[] item:
                writer.Write((byte)11);
                WriteBytes(writer, item);
                break;
            case decimal item:
                writer.Write((byte)12);
                writer.Write(item);
                break;
            case float item:
                writer.Write((byte)13);
                writer.Write(item);
                break;
            case TimeSpan item:
                writer.Write((byte)14);
                writer.Write(item.Ticks);
                break;
            case DateTimeOffset item:
                writer.Write((byte)15);
                writer.Write(item.Ticks);
                writer.Write((short)item.Offset.TotalMinutes);
                break;
            case SqlVariant item:
                writer.Write((byte)16);
                TypeCodec.Write(writer, item.Type);
                Write(writer, item.Value);
                break;
            default:
                throw new ArgumentException($"A value of type {value.GetType()} cannot be stored.", nameof(value));
        }
    }

    private static object? Read(BinaryReader reader) => reader.ReadByte() switch
    {
        0 => null,
        1 => reader.ReadBoolean(),
        2 => reader.ReadByte(),
        3 => reader.ReadInt16(),
        4 => reader.ReadInt32(),
        5 => reader.ReadInt64(),
        6 => new BigInteger(reader.ReadBytes(reader.ReadInt32())),
        7 => reader.ReadDouble(),
        8 => new DateTime(reader.ReadInt64()),
        9 => new Guid(reader.ReadBytes(16)),
        10 => reader.ReadString(),
        11 => reader.ReadBytes(reader.ReadInt32()),
        12 => reader.ReadDecimal(),
        13 => reader.ReadSingle(),
        14 => new TimeSpan(reader.ReadInt64()),
        15 => new DateTimeOffset(reader.ReadInt64(), TimeSpan.FromMinutes(reader.ReadInt16())),
        16 => new SqlVariant(TypeCodec.Read(reader), Read(reader)!),
        17 => new string(MemoryMarshal.Cast<byte, char>(reader.ReadBytes(reader.ReadInt32()))),
        var tag => throw new InvalidDataException($"Unknown value {tag} in the log."),
    };

    private static void WriteBytes(BinaryWriter writer, byte[] bytes)
    {
        writer.Write(bytes.Length);
        writer.Write(bytes);
    }
}
