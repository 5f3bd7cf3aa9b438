using System.Globalization;
using System.Reflection;
using SqlServerSimulator.Contract;
using SqlServerSimulator.TSql.Parsing;

namespace Unit.TSql;

/// <summary>Our grammar is nowhere more lenient than Microsoft's: what it takes, theirs takes.</summary>
public sealed class StrictnessTests
{
    private static readonly int s_mutants = int.Parse(Environment.GetEnvironmentVariable("TSQL_MUTANTS") ?? "15", CultureInfo.InvariantCulture);

    /// <summary>What their grammar asks for and the engine does not.</summary>
    private static readonly string[] s_pardoned =
    [
        // ALTER ENDPOINT with nothing but a new certificate is how certificates are rotated.
        "The required parameter ROLE was not specified.",
    ];

    /// <summary>Every batch of the tests beside this one that our grammar takes and theirs can judge, and what the product sends.</summary>
    private static List<string> Corpus()
    {
        var written = typeof(StrictnessTests).Assembly.GetTypes().Where(type => type.Namespace == typeof(StrictnessTests).Namespace)
            .SelectMany(type => type.GetMethods()).SelectMany(method => method.GetCustomAttributes<TestCaseAttribute>())
            .SelectMany(test => test.Arguments.OfType<string>());
        return written.Concat(ProductStatementsTests.Batches()).Distinct().Where(IsOurs).Order(StringComparer.Ordinal).ToList();
    }

    [Test]
    public void What_the_tests_use_is_T_SQL()
    {
        var corpus = Corpus();
        Assert.That(corpus, Has.Count.GreaterThan(150));
        Assert.That(string.Join("\n", corpus.Select(Objection).OfType<string>()), Is.Empty);
    }

    [Test]
    public void Mutants_that_our_grammar_takes_are_T_SQL()
    {
        var random = new Random(20261121);
        List<string> lenient = [];
        var taken = 0;
        foreach (var batch in Corpus())
        {
            var tokens = Pieces(batch);
            for (var i = 0; i < s_mutants && tokens.Count > 1; i++)
            {
                var mutant = string.Join(' ', Mutate(tokens, random));
                if (!IsOurs(mutant)) continue;
                taken++;
                if (Objection(mutant) is { } objection) lenient.Add(objection);
            }
        }

        Assert.That(taken, Is.GreaterThan(100), "mutants that were taken");
        Assert.That(lenient, Is.Empty, string.Join("\n", lenient));
    }

    private static bool IsOurs(string batch)
    {
        try
        {
            return Parser.Parse(batch, []).Count > 0 && !OwnGrammar.IsIn(Lexer.Tokenize(batch));
        }
        catch (SqlErrorException)
        {
            return false;
        }
    }

    private static string? Objection(string batch) =>
        Referee.Judge(batch, true, 0) is Verdict.Wrong wrong && !s_pardoned.Contains(wrong.Message)
            ? $"{batch}  --> {wrong.Message} at {wrong.Offset}"
            : null;

    private static List<string> Pieces(string batch) =>
        Lexer.Tokenize(batch).Where(token => token.Kind != TokenKind.End).Select(token => batch[token.Start..token.EndsAt]).ToList();

    private static List<string> Mutate(List<string> tokens, Random random)
    {
        var mutant = tokens.ToList();
        for (var changes = random.Next(1, 3); changes > 0 && mutant.Count > 1; changes--)
        {
            var (a, b) = (random.Next(mutant.Count), random.Next(mutant.Count));
            switch (random.Next(4))
            {
                case 0: mutant.RemoveAt(a); break;
                case 1: mutant.Insert(a, mutant[a]); break;
                case 2: (mutant[a], mutant[b]) = (mutant[b], mutant[a]); break;
                default: mutant.Insert(a, mutant[b]); break;
            }
        }

        return mutant;
    }
}
