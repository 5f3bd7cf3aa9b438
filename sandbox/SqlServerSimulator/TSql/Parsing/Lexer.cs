using System.Text;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.TSql.Parsing;

/// <summary>Cuts a batch into tokens. The last one is <see cref="TokenKind.End"/>.</summary>
internal sealed class Lexer
{
    private readonly string _text;
    private readonly bool _quotedIdentifier;
    private readonly List<Token> _tokens = [];
    private int _at;
    private int _line = 1;

    private Lexer(string text, bool quotedIdentifier)
    {
        _text = text;
        _quotedIdentifier = quotedIdentifier;
    }

    /// <param name="text">The batch.</param>
    /// <param name="quotedIdentifier">SET QUOTED_IDENTIFIER: whether "x" is a name, or text.</param>
    public static IReadOnlyList<Token> Tokenize(string text, bool quotedIdentifier = true)
    {
        var lexer = new Lexer(text, quotedIdentifier);
        while (lexer.Next())
        {
        }

        return lexer._tokens;
    }

    private char Peek(int ahead = 0) => _at + ahead < _text.Length ? _text[_at + ahead] : '\0';

    private bool Next()
    {
        SkipBlanks();
        var start = _at;
        var line = _line;
        if (_at >= _text.Length)
        {
            _tokens.Add(new Token(TokenKind.End, "", line, start, start));
            return false;
        }

        var (kind, value) = Read();
        _tokens.Add(new Token(kind, value, line, start, _at));
        return true;
    }

    private (TokenKind Kind, string Text) Read()
    {
        var c = Peek();
        if (c is 'N' or 'n' && Peek(1) == '\'')
        {
            _at++;
            return (TokenKind.NationalText, Quoted('\''));
        }

        if (c == '\'') return (TokenKind.Text, Quoted('\''));
        if (c == '[') return (TokenKind.QuotedName, Quoted(']'));
        if (c == '"') return (_quotedIdentifier ? TokenKind.QuotedName : TokenKind.Text, Quoted('"'));
        if (c == '0' && Peek(1) is 'x' or 'X') return (TokenKind.Binary, Binary());
        if (char.IsAsciiDigit(c) || (c == '.' && char.IsAsciiDigit(Peek(1)))) return Number();
        if (c == '$' && (char.IsAsciiDigit(Peek(1)) || (Peek(1) == '.' && char.IsAsciiDigit(Peek(2))))) return (TokenKind.Money, Money());
        if (c == '@') return (TokenKind.Variable, Take(IsNamePart));
        if (char.IsLetter(c) || c is '_' or '#') return (TokenKind.Name, Take(IsNamePart));
        return (TokenKind.Symbol, Symbol());
    }

    private void SkipBlanks()
    {
        while (_at < _text.Length)
        {
            var c = _text[_at];
            if (c == '\n')
            {
                _line++;
                _at++;
            }
            else if (char.IsWhiteSpace(c) || c == '\uFEFF')
            {
                _at++;
            }
            else if (c == '-' && Peek(1) == '-')
            {
                while (_at < _text.Length && _text[_at] != '\n') _at++;
            }
            else if (c == '/' && Peek(1) == '*')
            {
                SkipComment();
            }
            else
            {
                return;
            }
        }
    }

    private void SkipComment()
    {
        var depth = 0;
        var line = _line;
        do
        {
            if (_at >= _text.Length) throw new SqlErrorException(new SqlError(113, 15, 1, "Missing end comment mark '*/'.", Line: line));
            if (Peek() == '/' && Peek(1) == '*')
            {
                depth++;
                _at += 2;
            }
            else if (Peek() == '*' && Peek(1) == '/')
            {
                depth--;
                _at += 2;
            }
            else
            {
                if (_text[_at] == '\n') _line++;
                _at++;
            }
        }
        while (depth > 0);
    }

    private string Quoted(char close)
    {
        var line = _line;
        var begin = ++_at;
        var value = new StringBuilder();
        while (true)
        {
            if (_at >= _text.Length)
            {
                var text = close == ']' ? $"[{_text[begin..]}" : _text[begin..];
                throw new SqlErrorException(new SqlError(105, 15, 1, $"Unclosed quotation mark after the character string '{text}'.", Line: line));
            }

            var c = _text[_at++];
            if (c == close)
            {
                if (Peek() != close) return value.ToString();
                _at++;
            }
            else if (c == '\n')
            {
                _line++;
            }

            value.Append(c);
        }
    }

    private string Binary()
    {
        _at += 2;
        return Take(char.IsAsciiHexDigit);
    }

    private string Money()
    {
        var start = _at++;
        Take(char.IsAsciiDigit);
        if (Peek() == '.') _at++;
        Take(char.IsAsciiDigit);
        return _text[start.._at];
    }

    private (TokenKind Kind, string Text) Number()
    {
        var start = _at;
        var kind = TokenKind.Integer;
        while (char.IsAsciiDigit(Peek())) _at++;
        if (Peek() == '.')
        {
            kind = TokenKind.Decimal;
            _at++;
            while (char.IsAsciiDigit(Peek())) _at++;
        }

        if (Peek() is 'e' or 'E')
        {
            kind = TokenKind.Float;
            _at++;
            if (Peek() is '+' or '-') _at++;
            while (char.IsAsciiDigit(Peek())) _at++;
        }

        return (kind, _text[start.._at]);
    }

    private string Symbol()
    {
        var two = _at + 1 < _text.Length ? _text.Substring(_at, 2) : "";
        if (two is "<>" or "<=" or ">=" or "!=" or "!<" or "!>" or "::" or "+=" or "-=" or "*=" or "/=" or "%=" or "&=" or "|=" or "^=")
        {
            _at += 2;
            return two;
        }

        return _text[_at++].ToString();
    }

    private string Take(Func<char, bool> part)
    {
        var start = _at;
        while (_at < _text.Length && part(_text[_at])) _at++;
        return _text[start.._at];
    }

    private static bool IsNamePart(char c) => char.IsLetterOrDigit(c) || c is '_' or '@' or '#' or '$';
}
