using System.Text.RegularExpressions;
using Clients.Drivers;

namespace Clients.Cases;

/// <summary>Steps on one connection and what each must show, as the lines of <see cref="Reply.Lines"/>.</summary>
internal sealed partial record Case(string Name, params IReadOnlyList<(Step Step, string Expected)> Steps)
{
    /// <summary>What a client must be able to do, beyond what the steps themselves ask for.</summary>
    public Abilities Needs { get; init; }

    public bool Fits(Client client)
    {
        var needs = Needs | Steps.Aggregate(Abilities.None, (all, step) => all | Ability(step.Step.Kind));
        if (Steps.SkipLast(1).Any(step => Error().IsMatch(step.Expected)))
            needs |= Abilities.GoesOn;
        return (client.Abilities & needs) == needs;
    }

    private static Abilities Ability(StepKind kind) => kind switch
    {
        StepKind.Call => Abilities.Parameters,
        StepKind.Procedure => Abilities.Procedures,
        StepKind.Prepared => Abilities.Prepare,
        StepKind.Cancelled => Abilities.Cancel,
        StepKind.Begin or StepKind.Commit or StepKind.Rollback => Abilities.Transactions,
        StepKind.Reset => Abilities.Reset,
        StepKind.Bulk => Abilities.BulkLoad,
        _ => Abilities.None,
    };

    /// <summary>A line that tells of an error: its severity has two digits.</summary>
    [GeneratedRegex(@"^\d+/\d\d/\d+ ", RegexOptions.Multiline)]
    private static partial Regex Error();
}
