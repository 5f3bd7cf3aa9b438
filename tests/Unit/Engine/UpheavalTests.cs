using System.Globalization;

namespace Unit.Engine;

/// <summary>Seeded stories; CHAOS_SEEDS says how many.</summary>
public sealed class UpheavalTests
{
    private const int Turns = 150;

    private static IEnumerable<int> Seeds => Enumerable.Range(
        1, int.TryParse(Environment.GetEnvironmentVariable("CHAOS_SEEDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 30);

    [TestCaseSource(nameof(Seeds))]
    public void Whatever_changes_there_is_one_writer_and_nothing_acknowledged_is_lost(int seed)
    {
        var upheaval = new Upheaval(seed);
        upheaval.Run(Turns);
        upheaval.Settle();
    }

    [Test]
    public void The_stories_contain_what_they_are_about()
    {
        var stories = Enumerable.Range(1, 12).Select(seed =>
        {
            var upheaval = new Upheaval(seed);
            upheaval.Run(Turns);
            return upheaval;
        }).ToList();
        Assert.That(stories.Sum(story => story.Forced), Is.GreaterThan(1));
        Assert.That(stories.Sum(story => story.Failovers), Is.GreaterThan(24));
        Assert.That(stories.Sum(story => story.Changes), Is.GreaterThan(6));
    }

    [Test]
    public void A_careless_caller_loses_something()
    {
        var failed = 0;
        for (var seed = 1; seed <= 40 && failed == 0; seed++)
        {
            var upheaval = new Upheaval(seed) { IsCareless = true };
            using (new NUnit.Framework.Internal.TestExecutionContext.IsolatedContext())
            {
                try
                {
                    upheaval.Run(Turns);
                    upheaval.Settle();
                }
                catch (AssertionException)
                {
                    failed++;
                }
            }
        }

        Assert.That(failed, Is.Positive, "the checks notice when the rule of the highest sequence number is left out");
    }

    [TestCase(1)]
    [TestCase(4)]
    [TestCase(5)]
    public void The_same_seed_gives_the_same_run(int seed)
    {
        var (first, second) = (Transcript(seed, new World()), Transcript(seed, new World()));
        Assert.That(first, Has.Count.GreaterThan(150));
        Assert.That(FirstDifference(first, second), Is.Null);
    }

    [Test]
    public void Chance_from_elsewhere_shows_in_the_transcript()
    {
        var leaking = new World { Guids = Guid.NewGuid };
        Assert.That(FirstDifference(Transcript(1, new World()), Transcript(1, leaking)), Is.Not.Null, "a Guid that does not come from the environment");
        Assert.That(FirstDifference(Transcript(1, new World()), Transcript(2, new World())), Is.Not.Null, "another seed");
    }

    private static List<string> Transcript(int seed, World world)
    {
        List<string> transcript = [];
        world.Witness = transcript.Add;
        var upheaval = new Upheaval(seed, world);
        upheaval.Run(100);
        upheaval.Settle();
        foreach (var node in world.Nodes.Values.Where(node => node.IsRunning))
        {
            foreach (var view in (string[])
                ["availability_groups", "availability_replicas", "dm_hadr_availability_replica_states", "dm_hadr_database_replica_states", "dm_hadr_database_replica_cluster_states", "dm_hadr_automatic_seeding", "databases"])
            {
                transcript.AddRange(node.View(view).Select(row => $"{node.Name} {view}: {string.Join(", ", row.Select(pair => $"{pair.Key}={pair.Value}"))}"));
            }
        }

        return transcript;
    }

    private static string? FirstDifference(List<string> first, List<string> second)
    {
        var index = first.Zip(second).TakeWhile(pair => pair.First == pair.Second).Count();
        return index == first.Count && index == second.Count
            ? null
            : $"line {index}: {first.ElementAtOrDefault(index)} | {second.ElementAtOrDefault(index)}";
    }
}
