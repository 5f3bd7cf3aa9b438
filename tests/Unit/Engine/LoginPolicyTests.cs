using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>Logins whose password was tried too often, is too old, or must be changed.</summary>
public sealed class LoginPolicyTests
{
    private const string Password = "L0gin!Passw0rd";

    [TestCase(3, true, 18486)]
    [TestCase(0, true, 0, TestName = "No_number_of_tries_locks_a_login_out_unless_one_is_set")]
    [TestCase(3, false, 0, TestName = "A_login_without_policy_is_not_locked_out")]
    public void A_login_is_locked_out_after_so_many_wrong_passwords_until_it_is_unlocked(int threshold, bool policy, int error)
    {
        var (_, node) = Open(new CreateLogin("u", Password) { CheckPolicy = policy }, options => options with { LockoutThreshold = threshold });
        for (var attempt = 0; attempt < 3; attempt++)
        {
            Assert.That(TryLogIn(node, "wrong"), Is.EqualTo(18456), $"try {attempt + 1}");
        }

        Assert.That(TryLogIn(node, Password), Is.EqualTo(error));
        if (error == 0)
        {
            return;
        }

        Assert.That(node.Instance.LoginProperty(node.Sa, "u", "IsLocked"), Is.EqualTo(1));
        Assert.That(node.ErrorLog, Has.Some.StartsWith("Error: 18486, Severity: 14, State: 0."));
        node.Restart();
        Assert.That(TryLogIn(node, Password), Is.EqualTo(error), "a restart unlocks nobody");
        node.Do(new AlterLogin("u") { Unlock = true });
        Assert.That(TryLogIn(node, Password), Is.Zero);
        Assert.That(node.Instance.LoginProperty(node.Sa, "u", "IsLocked"), Is.Zero);
    }

    [Test]
    public void A_login_that_gets_in_begins_to_count_anew()
    {
        var (_, node) = Open(new CreateLogin("u", Password), options => options with { LockoutThreshold = 2 });
        for (var round = 0; round < 3; round++)
        {
            Assert.That(TryLogIn(node, "wrong"), Is.EqualTo(18456));
            Assert.That(TryLogIn(node, Password), Is.Zero);
        }
    }

    [TestCase(true, 18487)]
    [TestCase(false, 0)]
    public void A_password_expires_where_that_is_asked_for_until_it_is_changed(bool expires, int error)
    {
        var (world, node) = Open(
            new CreateLogin("u", Password) { CheckExpiration = expires }, options => options with { PasswordMaximumAge = TimeSpan.FromHours(1) });
        Assert.That(TryLogIn(node, Password), Is.Zero);
        world.Run(3601);
        Assert.That(TryLogIn(node, Password), Is.EqualTo(error));
        Assert.That(node.Instance.LoginProperty(node.Sa, "u", "IsExpired"), Is.EqualTo(expires ? 1 : 0));
        Assert.That(TryLogIn(node, "wrong"), Is.EqualTo(18456), "who does not know the password learns nothing");
        node.Do(new AlterLogin("u") { Password = "An0ther!Passw0rd" });
        Assert.That(TryLogIn(node, "An0ther!Passw0rd"), Is.Zero);
    }

    [Test]
    public void A_password_that_must_be_changed_lets_nobody_in()
    {
        var (_, node) = Open(new CreateLogin("u", Password) { CheckExpiration = true, MustChange = true }, options => options);
        Assert.That(TryLogIn(node, Password), Is.EqualTo(18488));
        node.Do(new AlterLogin("u") { Password = "An0ther!Passw0rd" });
        Assert.That(TryLogIn(node, "An0ther!Passw0rd"), Is.Zero);
    }

    private static (World World, World.Node Node) Open(CreateLogin login, Func<InstanceOptions, InstanceOptions> configure)
    {
        var world = new World();
        var node = world.Add("a", node => node.Options = configure(node.Options));
        node.Do(login);
        return (world, node);
    }

    private static int TryLogIn(World.Node node, string password)
    {
        var result = node.Instance.LogIn(new LoginRequest("u", password, "", false, "test", "test"));
        return result.Session is null ? result.Errors[0].Number : 0;
    }
}
