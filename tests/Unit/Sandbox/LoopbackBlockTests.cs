using Sandbox.Playground;

namespace Unit.Sandbox;

[TestFixture]
internal sealed class LoopbackBlockTests
{
    [Test]
    public void Two_sandboxes_get_different_addresses_and_a_freed_block_is_used_again()
    {
        var folder = Directory.CreateTempSubdirectory("loopback-");
        try
        {
            using var one = LoopbackBlock.Take(folder.FullName);
            var two = LoopbackBlock.Take(folder.FullName);
            var second = two.Pods;
            two.Dispose();
            using var three = LoopbackBlock.Take(folder.FullName);
            Assert.Multiple(() =>
            {
                Assert.That(second, Is.Not.EqualTo(one.Pods));
                Assert.That(two.Services, Is.Not.EqualTo(one.Services));
                Assert.That(three.Pods, Is.EqualTo(second));
                Assert.That(one.Services.Contains(one.Pods), Is.False);
            });
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
