using System.Security.Cryptography;

namespace Agents.Security;

/// <summary>
/// Random passwords that satisfy SQL Server's policy (three of four character classes) and need no quoting in T-SQL,
/// connection strings, YAML or shells.
/// </summary>
public sealed class PasswordGenerator
{
    private const string Upper = "ABCDEFGHJKLMNPQRSTUVWXYZ";
    private const string Lower = "abcdefghijkmnopqrstuvwxyz";
    private const string Digits = "23456789";
    private const string All = Upper + Lower + Digits;
    private readonly Func<int, int> next;

    /// <summary>Makes a generator.</summary>
    /// <param name="next">Returns a uniform number from 0 up to, not including, its argument; null for the system's secure source.</param>
    public PasswordGenerator(Func<int, int>? next = null) => this.next = next ?? RandomNumberGenerator.GetInt32;

    /// <summary>Makes a password with at least one capital, one small letter and one digit.</summary>
    public string Create(int length = 32)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 8);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, 128);
        var characters = new char[length];
        characters[0] = Pick(Upper);
        characters[1] = Pick(Lower);
        characters[2] = Pick(Digits);
        for (var i = 3; i < length; i++)
            characters[i] = Pick(All);
        for (var i = length - 1; i > 0; i--)
        {
            var j = next(i + 1);
            (characters[i], characters[j]) = (characters[j], characters[i]);
        }

        return new string(characters);
    }

    private char Pick(string from) => from[next(from.Length)];
}
