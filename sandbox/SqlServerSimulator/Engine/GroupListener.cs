namespace SqlServerSimulator.Engine;

/// <summary>A group's listener. Without a Windows cluster it is a name that the group remembers: nothing listens.</summary>
internal sealed record GroupListener(Guid Id, string Name, int Port, IReadOnlyList<ListenerAddress> Addresses);

/// <summary>An address of a listener; an IPv4 address has a mask.</summary>
public sealed record ListenerAddress(string Address, string? Mask);

/// <summary>A listener as written.</summary>
public sealed record ListenerSpec(string Name, IReadOnlyList<ListenerAddress> Addresses, int? Port);

/// <summary>ADD LISTENER.</summary>
public sealed record AddListener(string Name, ListenerSpec Listener) : AlterGroup(Name);

/// <summary>MODIFY LISTENER: one more address, or another port.</summary>
public sealed record ModifyListener(string Name, ListenerSpec Listener) : AlterGroup(Name);

/// <summary>REMOVE LISTENER.</summary>
public sealed record RemoveListener(string Name, string Listener) : AlterGroup(Name);
