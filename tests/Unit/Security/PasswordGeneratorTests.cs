using Agents.Security;

namespace Unit.Security;

internal sealed class PasswordGeneratorTests
{
    [Test]
    public void Has_three_character_classes_even_with_a_source_that_always_picks_the_same([Values(0, 1)] int end)
    {
        var password = new PasswordGenerator(bound => end == 0 ? 0 : bound - 1).Create(8);
        Assert.Multiple(() =>
        {
            Assert.That(password.Any(char.IsAsciiLetterUpper));
            Assert.That(password.Any(char.IsAsciiLetterLower));
            Assert.That(password.Any(char.IsAsciiDigit));
        });
    }

    [Test]
    public void Uses_only_letters_and_digits() =>
        Assert.That(Enumerable.Range(0, 200).SelectMany(_ => new PasswordGenerator().Create()).All(char.IsAsciiLetterOrDigit));

    [Test]
    public void Refuses_lengths_that_the_policy_refuses([Values(7, 129)] int length) =>
        Assert.That(() => new PasswordGenerator().Create(length), Throws.InstanceOf<ArgumentOutOfRangeException>());

    [Test]
    public void Differs_each_time() =>
        Assert.That(Enumerable.Range(0, 50).Select(_ => new PasswordGenerator().Create()), Is.Unique);
}
