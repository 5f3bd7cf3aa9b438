namespace SqlServerSimulator.TSql.Parsing;

internal enum TokenKind
{
    End,
    Name,
    QuotedName,
    Variable,
    Integer,
    Decimal,
    Float,
    Money,
    Text,
    NationalText,
    Binary,
    Symbol,
}

/// <param name="Kind">What it is.</param>
/// <param name="Text">Value without quotes; a symbol's characters; digits as written.</param>
/// <param name="Line">Line from 1.</param>
/// <param name="Start">Offset of the first character.</param>
/// <param name="EndsAt">Offset after the last character.</param>
internal readonly record struct Token(TokenKind Kind, string Text, int Line, int Start, int EndsAt)
{
    public bool IsName => Kind is TokenKind.Name or TokenKind.QuotedName;

    public bool IsReserved => Kind == TokenKind.Name && Keywords.Reserved.Contains(Text);

    public bool Is(string wordOrSymbol) =>
        Kind is TokenKind.Name or TokenKind.Symbol && Text.Equals(wordOrSymbol, StringComparison.OrdinalIgnoreCase);
}
