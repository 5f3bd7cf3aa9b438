namespace Agents.Sql;

/// <summary>A SQL login with its password.</summary>
/// <param name="User">Login name.</param>
/// <param name="Password">Its password.</param>
public sealed record SqlLogin(string User, SqlSecret Password);
