using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Agents.Sql;

/// <summary>
/// A batch of T-SQL. It can only be made from literal text of our own and values that are quoted by their type, because availability group
/// DDL takes no parameters: <see cref="SqlName"/> becomes a bracketed identifier, <see cref="string"/> an <c>N'…'</c> literal, a number a
/// number, bytes a <c>0x…</c> literal, a secret a literal that is never shown.
/// </summary>
public sealed class SqlText
{
    private readonly string shown;

    private SqlText(string text, string shown)
    {
        Text = text;
        this.shown = shown;
    }

    /// <summary>What is sent to the server; may hold secrets.</summary>
    internal string Text { get; }

    /// <summary>Makes a batch from an interpolated string.</summary>
    public static SqlText Of(Handler text) => text.Finish();

    /// <summary>Makes a batch of a script that a user wrote, such as <c>sqlPostInitScript</c>. Never for text of our own.</summary>
    /// <param name="script">The script; shown as its length only.</param>
    public static SqlText FromUserScript(string script) => new(script, $"<user's script of {script.Length} characters>");

    /// <summary>The batch for people: secrets are masked.</summary>
    public override string ToString() => shown;

    /// <summary>Builds <see cref="SqlText"/> from an interpolated string.</summary>
    [InterpolatedStringHandler]
    public readonly ref struct Handler
    {
        private readonly StringBuilder text;
        private readonly StringBuilder shown;

        /// <summary>Called by the compiler.</summary>
        public Handler(int literalLength, int formattedCount)
        {
            text = new StringBuilder(literalLength + (formattedCount * 16));
            shown = new StringBuilder(literalLength + (formattedCount * 16));
        }

        /// <summary>Called by the compiler for the literal parts.</summary>
        public void AppendLiteral(string value) => Both(value);

        /// <summary>An identifier.</summary>
        public void AppendFormatted(SqlName value) => Both(value.ToString());

        /// <summary>A Unicode string literal.</summary>
        public void AppendFormatted(string value) => Both(Literal(value));

        /// <summary>A secret string literal.</summary>
        public void AppendFormatted(SqlSecret value)
        {
            text.Append(Literal(value.Reveal()));
            shown.Append("N'***'");
        }

        /// <summary>A whole number.</summary>
        public void AppendFormatted(int value) => Both(value.ToString(CultureInfo.InvariantCulture));

        /// <summary>A whole number.</summary>
        public void AppendFormatted(long value) => Both(value.ToString(CultureInfo.InvariantCulture));

        /// <summary>A binary literal.</summary>
        public void AppendFormatted(byte[] value) => Both("0x" + Convert.ToHexString(value));

        /// <summary>A binary literal that is never shown.</summary>
        public void AppendFormatted(SqlSecretBytes value)
        {
            text.Append("0x").Append(Convert.ToHexString(value.Reveal()));
            shown.Append("0x***");
        }

        /// <summary>Another piece of T-SQL.</summary>
        public void AppendFormatted(SqlText value)
        {
            text.Append(value.Text);
            shown.Append(value.shown);
        }

        internal SqlText Finish() => new(text.ToString(), shown.ToString());

        private static string Literal(string value) => $"N'{value.Replace("'", "''", StringComparison.Ordinal)}'";

        private void Both(string value)
        {
            text.Append(value);
            shown.Append(value);
        }
    }
}
