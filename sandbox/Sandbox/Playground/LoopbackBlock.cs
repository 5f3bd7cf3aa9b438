using System.Net;

namespace Sandbox.Playground;

/// <summary>
/// Two /16 of loopback addresses for one sandbox, so that several can run on one machine. A lock on a file holds them; the kernel frees it
/// when this process ends, in whatever way.
/// </summary>
internal sealed class LoopbackBlock : IDisposable
{
    private const int First = 128;
    private const int Blocks = 60;
    private readonly FileStream _lock;

    private LoopbackBlock(FileStream @lock, int index)
    {
        _lock = @lock;
        Pods = new IPAddress([127, (byte)(First + (2 * index)), 0, 0]);
        Services = IPNetwork.Parse($"127.{First + (2 * index) + 1}.0.0/16");
    }

    public IPAddress Pods { get; }

    public IPNetwork Services { get; }

    /// <exception cref="InvalidOperationException">All are taken.</exception>
    public static LoopbackBlock Take(string folder)
    {
        for (var i = 0; i < Blocks; i++)
        {
            try
            {
                var path = Path.Combine(folder, $"mssql-sandbox-net-{i}.lock");
                return new LoopbackBlock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None), i);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Another sandbox has this one.
            }
        }

        throw new InvalidOperationException($"All {Blocks} blocks of loopback addresses are in use; there are locks in {folder}.");
    }

    public void Dispose() => _lock.Dispose();
}
