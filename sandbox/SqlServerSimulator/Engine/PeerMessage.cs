using System.Text.Json.Serialization;

namespace SqlServerSimulator.Engine;

/// <summary>What replicas of a group say to each other. <see cref="From"/> and <see cref="To"/> are replica ids.</summary>
[JsonDerivedType(typeof(Hello), "hello")]
[JsonDerivedType(typeof(PeerStatus), "status")]
[JsonDerivedType(typeof(JoinRequest), "join")]
[JsonDerivedType(typeof(JoinAnswer), "welcome")]
[JsonDerivedType(typeof(Joined), "joined")]
[JsonDerivedType(typeof(Removed), "removed")]
[JsonDerivedType(typeof(Prepare), "prepare")]
[JsonDerivedType(typeof(Promise), "promise")]
[JsonDerivedType(typeof(Accept), "accept")]
[JsonDerivedType(typeof(Follow), "follow")]
[JsonDerivedType(typeof(LogBlock), "log")]
[JsonDerivedType(typeof(Hardened), "hardened")]
[JsonDerivedType(typeof(SeedingRefused), "noseed")]
[JsonDerivedType(typeof(LogBackedUp), "backup")]
internal abstract record PeerMessage(Guid Group, Guid From, Guid To);

/// <summary>A primary greets a replica, on each new connection and then as a ping.</summary>
internal sealed record Hello(Guid Group, Guid From, Guid To, long Epoch, string Name, ClusterType ClusterType, int SessionTimeout)
    : PeerMessage(Group, From, To);

/// <summary>A replica's answer to <see cref="Hello"/> and <see cref="Accept"/>.</summary>
internal sealed record PeerStatus(Guid Group, Guid From, Guid To, bool IsMember, long Promised, Guid PromisedTo, long Accepted, byte Role, bool Following)
    : PeerMessage(Group, From, To);

/// <summary>A newcomer asks the primary for the configuration.</summary>
internal sealed record JoinRequest(Guid Group, Guid From, Guid To) : PeerMessage(Group, From, To);

internal sealed record JoinAnswer(Guid Group, Guid From, Guid To, GroupConfiguration Configuration) : PeerMessage(Group, From, To);

/// <summary>The newcomer has stored the configuration.</summary>
internal sealed record Joined(Guid Group, Guid From, Guid To) : PeerMessage(Group, From, To);

/// <summary>The replica is no longer part of the group.</summary>
internal sealed record Removed(Guid Group, Guid From, Guid To, long Epoch) : PeerMessage(Group, From, To);

/// <summary>A candidate asks for the promise to obey no earlier epoch.</summary>
internal sealed record Prepare(Guid Group, Guid From, Guid To, long Epoch) : PeerMessage(Group, From, To);

internal sealed record Promise(Guid Group, Guid From, Guid To, long Epoch, bool Granted, long Promised) : PeerMessage(Group, From, To);

/// <summary>A primary asks replicas to store a configuration; answered by <see cref="PeerStatus"/>.</summary>
internal sealed record Accept(Guid Group, Guid From, Guid To, long Epoch, GroupConfiguration Configuration) : PeerMessage(Group, From, To);

/// <summary>A secondary asks for the log of its databases.</summary>
internal sealed record Follow(Guid Group, Guid From, Guid To, long Epoch, bool MayCreateDatabases, IReadOnlyList<LogPosition> Positions)
    : PeerMessage(Group, From, To);

/// <summary>Where a copy ends: for each epoch in its log, the last LSN written in it.</summary>
internal sealed record LogPosition(Guid Database, bool Present, bool Suspended, IReadOnlyList<EpochEnd> Epochs);

internal sealed record EpochEnd(long Epoch, long Lsn);

/// <summary>
/// Records after <paramref name="After"/>; whatever the copy holds beyond that is undone first. What lies up to <paramref name="HeldByAll"/> never will be.
/// </summary>
internal sealed record LogBlock(
    Guid Group, Guid From, Guid To, long Epoch, Guid Database, long After, IReadOnlyList<byte[]> Records, long End, SeedingStart? Seeding,
    long HeldByAll = 0)
    : PeerMessage(Group, From, To)
{
    /// <summary>What the only record is a part of.</summary>
    public ImagePiece? Piece { get; init; }
}

/// <summary>A part of a database's image: where it begins, and how long the whole is.</summary>
internal sealed record ImagePiece(int Offset, int Length);

/// <summary>Tells a replica to make a new copy of a database; complete when <paramref name="Target"/> is hardened.</summary>
internal sealed record SeedingStart(string Name, RecoveryModel Recovery, long Target)
{
    public Guid Family { get; init; }

    public Guid Fork { get; init; }

    public Guid Operation { get; init; }

    public Guid RemoteOperation { get; init; }

    public long Size { get; init; }
}

internal sealed record Hardened(Guid Group, Guid From, Guid To, long Epoch, Guid Database, long Lsn) : PeerMessage(Group, From, To);

internal sealed record SeedingRefused(Guid Group, Guid From, Guid To, long Epoch, Guid Database, SeedingFailure Failure, int Error)
    : PeerMessage(Group, From, To);

/// <summary>How far the log of a database is backed up, on whichever replica. <paramref name="Family"/> tells copies of the database from others.</summary>
internal sealed record LogBackedUp(Guid Group, Guid From, Guid To, long Epoch, Guid Database, Guid Family, long Lsn) : PeerMessage(Group, From, To);
