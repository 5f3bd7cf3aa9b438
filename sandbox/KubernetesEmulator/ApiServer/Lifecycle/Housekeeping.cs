using System.Threading.Channels;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Storage;

namespace KubernetesEmulator.Lifecycle;

/// <summary>Runs the collectors whenever something was deleted, is being deleted or names an owner.</summary>
internal sealed class Housekeeping(Registry registry)
{
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Note(Change change)
    {
        if (change.Kind == ChangeKind.Deleted || change.After.Deleting
            || (change.Kind == ChangeKind.Added && change.After.Json["metadata"]?["ownerReferences"] is not null))
            _wake.Writer.TryWrite(true);
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (await _wake.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                _wake.Reader.TryRead(out _);
                GarbageCollector.Run(registry);
                ContentRemoval.Run(registry);
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }
}
