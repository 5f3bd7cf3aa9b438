using System.Globalization;
using SqlServerSimulator.Contract;
using SqlServerSimulator.TSql.Syntax;

namespace SqlServerSimulator.TSql.Parsing;

/// <summary>
/// Recursive descent over one batch. What the grammar does not know is refused before anything runs: with the error of the
/// engine where the text is wrong, with 50505 where the engine knows the feature and the simulator does not.
/// </summary>
internal sealed partial class Parser
{
    private const int MaxDepth = 120;

    private readonly IReadOnlyList<Token> _tokens;
    private readonly HashSet<string> _variables;
    private int _at;
    private int _depth;
    private int _blocks;

    private Parser(IReadOnlyList<Token> tokens, IEnumerable<string> parameters)
    {
        _tokens = tokens;
        _variables = new HashSet<string>(parameters, StringComparer.OrdinalIgnoreCase);
    }

    /// <exception cref="SqlErrorException">The batch is refused.</exception>
    public static IReadOnlyList<Statement> Parse(string text, IEnumerable<string> parameters, bool quotedIdentifier = true)
    {
        var parser = new Parser(Lexer.Tokenize(text, quotedIdentifier), parameters);
        return parser.ParseBatch();
    }

    /// <summary>As <see cref="Parse"/>, with a second opinion on what is refused: text that is T-SQL all the same is "not simulated".</summary>
    /// <exception cref="SqlErrorException">The batch is refused.</exception>
    public static IReadOnlyList<Statement> ParseRefereed(string text, IEnumerable<string> parameters, bool quotedIdentifier = true)
    {
        var parser = new Parser(Lexer.Tokenize(text, quotedIdentifier), parameters);
        try
        {
            return parser.ParseBatch();
        }
        catch (SqlErrorException error) when (error.Error.Number is 102 or 156 or 4145 or 50505 && !OwnGrammar.IsIn(parser._tokens))
        {
            throw parser.Reconsider(error, Referee.Judge(text, quotedIdentifier, parser.Current.Start));
        }
    }

    private SqlErrorException Reconsider(SqlErrorException refusal, Verdict verdict)
    {
        switch (verdict)
        {
            case Verdict.Valid valid when refusal.Error.Number != 50505:
                return NotSimulated($"{valid.Construct} near '{Current.Text}'");
            case Verdict.Wrong wrong when wrong.Offset > Current.Start:
                // Ours stopped at what it does not know; the mistake itself is further on.
                _at = Enumerable.Range(0, _tokens.Count).First(i => _tokens[i].EndsAt > wrong.Offset || _tokens[i].Kind == TokenKind.End);
                return Wrong();
            default:
                return refusal;
        }
    }

    /// <summary>Reads a parameter list as sp_executesql takes it: "@a int, @b nvarchar(10) = N'x' output".</summary>
    public static IReadOnlyList<ParameterDeclaration> ParseParameters(string text)
    {
        var parser = new Parser(Lexer.Tokenize(text), []);
        var parameters = new List<ParameterDeclaration>();
        if (parser.Current.Kind == TokenKind.End) return parameters;
        do
        {
            var name = parser.TakeVariableName();
            parser.Accept("AS");
            var type = parser.ParseType(defaultLength: 1);
            var value = parser.Accept("=") ? parser.ParseValue() : null;
            parameters.Add(new ParameterDeclaration(name, type, value, parser.Accept("OUTPUT") || parser.Accept("OUT")));
        }
        while (parser.Accept(","));
        parser.ExpectEnd();
        return parameters;
    }

    /// <summary>Reads a value on its own: the text of a DEFAULT.</summary>
    public static Expression ParseExpression(string text)
    {
        var parser = new Parser(Lexer.Tokenize(text), []);
        var expression = parser.ParseValue();
        parser.ExpectEnd();
        return expression;
    }

    /// <summary>Reads a name as functions such as OBJECT_ID take it; null when it is none.</summary>
    public static ObjectName? TryParseName(string text)
    {
        try
        {
            var parser = new Parser(Lexer.Tokenize(text), []);
            var name = parser.ParseObjectName();
            return parser.Current.Kind == TokenKind.End ? name : null;
        }
        catch (SqlErrorException)
        {
            return null;
        }
    }

    private Token Current => _tokens[_at];

    private Token Ahead(int count) => _tokens[Math.Clamp(_at + count, 0, _tokens.Count - 1)];

    private List<Statement> ParseBatch()
    {
        var statements = new List<Statement>();
        SkipSemicolons();
        if (Current.IsName && !Current.IsReserved && !StartsStatement(Current))
            statements.Add(ParseProcedureCall(Current.Line));
        SkipSemicolons();
        while (Current.Kind != TokenKind.End)
        {
            statements.Add(ParseStatement());
            SkipSemicolons();
        }

        return statements;
    }

    private static bool StartsStatement(Token token) => token.Kind == TokenKind.Name && token.Text.ToUpperInvariant() is "THROW" or "SHUTDOWN" or "ENABLE" or "DISABLE";

    private void SkipSemicolons()
    {
        while (Accept(";"))
        {
        }
    }

    private Token Take() => _tokens[_at < _tokens.Count - 1 ? _at++ : _at];

    private bool At(string word) => Current.Is(word);

    private bool At(string first, string second) => Current.Is(first) && Ahead(1).Is(second);

    private bool Accept(string word)
    {
        if (!Current.Is(word)) return false;
        _at++;
        return true;
    }

    private bool Accept(string first, string second)
    {
        if (!At(first, second)) return false;
        _at += 2;
        return true;
    }

    private void Expect(string word)
    {
        if (!Accept(word)) throw Wrong();
    }

    private void Expect(params ReadOnlySpan<string> words)
    {
        foreach (var word in words) Expect(word);
    }

    private void ExpectEnd()
    {
        if (Current.Kind != TokenKind.End) throw Wrong();
    }

    private string TakeName()
    {
        if (!Current.IsName || Current.IsReserved) throw Wrong();
        if (Current.Text.Length == 0)
            throw Fail(1038, 15, "An object or column name is missing or empty. For SELECT INTO statements, verify each column has a name.");
        if (Current.Text.Length > 128)
            throw Fail(103, 15, $"The identifier that starts with '{Current.Text[..128]}' is too long. Maximum length is 128.");
        return Take().Text;
    }

    private string TakeVariableName()
    {
        if (Current.Kind != TokenKind.Variable || Current.Text.StartsWith("@@", StringComparison.Ordinal)) throw Wrong();
        return Take().Text;
    }

    private string TakeText()
    {
        if (Current.Kind is not (TokenKind.Text or TokenKind.NationalText)) throw Wrong();
        return Take().Text;
    }

    private byte[] TakeBinary()
    {
        if (Current.Kind != TokenKind.Binary) throw Wrong();
        return Hex(Take().Text);
    }

    private long TakeInteger()
    {
        var negative = Accept("-");
        if (Current.Kind != TokenKind.Integer || !long.TryParse(Current.Text, CultureInfo.InvariantCulture, out var value)) throw Wrong();
        Take();
        return negative ? -value : value;
    }

    private int TakeInt(int most = int.MaxValue)
    {
        if (Current.Kind != TokenKind.Integer || !int.TryParse(Current.Text, CultureInfo.InvariantCulture, out var value) || value > most)
            throw Wrong();
        Take();
        return value;
    }

    /// <summary>Takes one of the words and returns its place in the list.</summary>
    private int TakeOneOf(params ReadOnlySpan<string> words)
    {
        for (var i = 0; i < words.Length; i++)
        {
            if (Accept(words[i])) return i;
        }

        throw Wrong();
    }

    private bool TakeOnOff() => TakeOneOf("ON", "OFF") == 0;

    /// <param name="most">How many parts it may have: four, but three where a table is defined.</param>
    /// <param name="open">Whether it may begin with the dot of a part that is left out.</param>
    private ObjectName ParseObjectName(int most = 4, bool open = false)
    {
        var parts = new List<string?> { open && At(".") ? null : TakeName() };
        while (Accept("."))
        {
            if (parts.Count == most) throw Wrong();
            parts.Add(At(".") ? null : TakeName());
        }

        while (parts.Count < 4) parts.Insert(0, null);
        return new ObjectName(parts[0], parts[1], parts[2], parts[3]!);
    }

    private static byte[] Hex(string digits) => Convert.FromHexString(digits.Length % 2 == 0 ? digits : "0" + digits);

    private void Enter()
    {
        if (++_depth > MaxDepth)
            throw Fail(191, 15, "Some part of your SQL statement is nested too deeply. Rewrite the query or break it up into smaller queries.");
    }

    private void Leave() => _depth--;

    private SqlErrorException Wrong() => Wrong(Current);

    private SqlErrorException Wrong(Token token)
    {
        if (token.Kind == TokenKind.End && _tokens.Count > 1) token = _tokens[^2];
        return token.IsReserved
            ? Fail(156, 15, $"Incorrect syntax near the keyword '{token.Text}'.", token.Line)
            : Fail(102, 15, $"Incorrect syntax near '{token.Text}'.", token.Line);
    }

    private SqlErrorException NotSimulated(string what) => Fail(50505, 16, $"{what} is not simulated.");

    private SqlErrorException Fail(int number, byte severity, string message, int? line = null) =>
        new(new SqlError(number, severity, 1, message, Line: line ?? Current.Line));
}
