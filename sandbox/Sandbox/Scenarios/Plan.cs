using Sandbox.Steps;

namespace Sandbox.Scenarios;

/// <summary>A scenario alone, or with a disturbance: <c>kill</c>, <c>kill+api-outage</c>.</summary>
internal sealed record Plan(Scenario Scenario, Disturbance? Disturbance)
{
    public string Name => Disturbance is null ? Scenario.Name : $"{Scenario.Name}+{Disturbance.Name}";

    /// <exception cref="StepFailedException">There is no such scenario or disturbance.</exception>
    public static Plan Parse(string name)
    {
        var parts = name.Split('+');
        var scenario = Catalog.Scenarios.FirstOrDefault(x => x.Name == parts[0]) ?? throw Unknown(parts[0]);
        return parts switch
        {
            [_] => new Plan(scenario, null),
            [_, var second] => new Plan(scenario, Catalog.Disturbances.FirstOrDefault(x => x.Name == second) ?? throw Unknown(second)),
            _ => throw Unknown(name),
        };

        static StepFailedException Unknown(string what) => new($"unknown scenario '{what}'; see: sandbox scenario list");
    }

    /// <summary>Every scenario alone, and every disturbance in the middle of one of them, which the seed chooses.</summary>
    public static IReadOnlyList<Plan> Representative(int seed)
    {
        var random = new Random(seed);
        var scenarios = Catalog.Scenarios.Where(x => x is { OldDefinition: false, Spoils: false, Forms: false }).ToArray();
        random.Shuffle(scenarios);
        return
        [
            .. Catalog.Scenarios.Where(x => !x.Spoils).Select(x => new Plan(x, null)),
            .. Catalog.Disturbances.Select((x, i) => new Plan(scenarios[i % scenarios.Length], x)),
            .. Catalog.Scenarios.Where(x => x.Spoils).Select(x => new Plan(x, null)),
        ];
    }

    /// <summary>Every scenario alone and with every disturbance.</summary>
    public static IReadOnlyList<Plan> All =>
        [.. Catalog.Disturbances.Prepend(null).SelectMany(x => Catalog.Scenarios.Select(y => new Plan(y, x)))];
}
