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
        var scenario = Catalog.Scenarios.Concat(Catalog.Cuts).Append(Catalog.Idle).Append(Catalog.Namespaced).FirstOrDefault(x => x.Name == parts[0]) ?? throw Unknown(parts[0]);
        return parts switch
        {
            [_] => new Plan(scenario, null),
            [_, var second] => new Plan(scenario, Catalog.Disturbances.FirstOrDefault(x => x.Name == second) ?? throw Unknown(second)),
            _ => throw Unknown(name),
        };

        static StepFailedException Unknown(string what) => new($"unknown scenario '{what}'; see: sandbox scenario list");
    }

    /// <summary>As <see cref="Parse"/>, where <c>representative</c> and <c>all</c> stand for many.</summary>
    public static IReadOnlyList<Plan> ParseAll(IEnumerable<string> names, int seed) =>
    [
        .. names.SelectMany(x => x switch
        {
            "representative" => Representative(seed),
            "all" => All,
            _ => [Parse(x)],
        }),
    ];

    /// <summary>Every scenario once and every disturbance at least once, paired as the seed has it.</summary>
    public static IReadOnlyList<Plan> Representative(int seed)
    {
        var disturbances = Catalog.Disturbances.ToArray();
        new Random(seed).Shuffle(disturbances);
        return [.. Catalog.Scenarios.Select((x, i) => new Plan(x, disturbances[i % disturbances.Length]))];
    }

    /// <summary>Every scenario alone and with every disturbance.</summary>
    public static IReadOnlyList<Plan> All =>
        [.. Catalog.Disturbances.Prepend(null).SelectMany(x => Catalog.Scenarios.Select(y => new Plan(y, x)))];
}
