using System.Diagnostics;
using KubernetesEmulator.Nodes;

namespace Unit.Nodes;

[TestFixture]
[Platform("Linux")]
internal sealed class ProcessGuardianTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);
    private readonly string _id = Guid.NewGuid().ToString("n");
    private DirectoryInfo _folder = null!;
    private Process _stray = null!;
    private Process _stranger = null!;

    [SetUp]
    public void Start()
    {
        _folder = Directory.CreateTempSubdirectory("guardian-");
        _stray = Sleep(_id);
        _stranger = Sleep("another");
    }

    [TearDown]
    public void End()
    {
        _stray.Kill();
        _stray.Dispose();
        _stranger.Kill();
        _stranger.Dispose();
        if (_folder.Exists)
            _folder.Delete(recursive: true);
    }

    [Test]
    public async Task When_the_parent_lets_go_the_sandbox_s_processes_and_folder_go_and_others_stay()
    {
        await using (Guardian())
        {
        }

        Assert.That(_stray.WaitForExit(Bound));
        _folder.Refresh();
        Assert.Multiple(() =>
        {
            Assert.That(ProcessGuardian.Processes(_id), Is.Empty);
            Assert.That(_folder.Exists, Is.False);
            Assert.That(_stranger.HasExited, Is.False);
        });
    }

    [Test]
    public async Task A_folder_that_somebody_wants_to_read_is_kept()
    {
        await using (var guardian = Guardian())
            guardian.KeepDirectory();

        Assert.That(_stray.WaitForExit(Bound));
        _folder.Refresh();
        Assert.That(_folder.Exists);
    }

    [Test]
    public void Without_an_id_nothing_is_swept() => Assert.That(() => ProcessGuardian.Run(" ", null), Throws.ArgumentException);

    private static Process Sleep(string id)
    {
        var start = new ProcessStartInfo("sleep", "600");
        start.Environment["SANDBOX_ID"] = id;
        return Process.Start(start)!;
    }

    private ProcessGuardian Guardian() =>
        ProcessGuardian.Start(Path.Combine(TestContext.CurrentContext.TestDirectory, "sandbox"), "guardian", _id, _folder.FullName);
}
