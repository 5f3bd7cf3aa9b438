namespace SqlServerSimulator.TSql.Execution;

/// <summary>The locks of sp_getapplock, which are the sessions' own.</summary>
internal sealed class ApplicationLocks(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly List<Held> _held = [];
    private readonly List<Waiter> _waiting = [];

    private sealed record Held(string Resource, object Owner, bool Transaction, bool Exclusive);

    private sealed record Waiter(Held Wish, TaskCompletionSource Granted);

    /// <summary>Takes a lock.</summary>
    /// <returns>0 at once, 1 after a wait, -1 when the time is over.</returns>
    public async Task<int> TakeAsync(
        string resource, object owner, bool transaction, bool exclusive, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        Waiter waiter;
        lock (_gate)
        {
            var wish = new Held(resource, owner, transaction, exclusive);
            if (IsFree(wish) && !_waiting.Exists(other => Conflict(other.Wish, wish)))
            {
                _held.Add(wish);
                return 0;
            }

            if (timeout == TimeSpan.Zero) return -1;
            waiter = new Waiter(wish, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            _waiting.Add(waiter);
        }

        try
        {
            await waiter.Granted.Task.WaitAsync(timeout ?? Timeout.InfiniteTimeSpan, time, cancellationToken);
            return 1;
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            lock (_gate)
            {
                // Granted in the last moment: given back, because nobody will know of it.
                if (!_waiting.Remove(waiter)) _held.Remove(waiter.Wish);
                Grant();
            }

            if (error is OperationCanceledException) throw;
            return -1;
        }
    }

    /// <summary>Gives one lock back.</summary>
    public bool Release(string resource, object owner, bool transaction)
    {
        lock (_gate)
        {
            var index = _held.FindLastIndex(held => held.Owner == owner && held.Transaction == transaction && Same(held.Resource, resource));
            if (index < 0) return false;
            _held.RemoveAt(index);
            Grant();
            return true;
        }
    }

    /// <summary>Gives back what an owner holds, or only what its transaction holds.</summary>
    public void ReleaseAll(object owner, bool onlyTransaction)
    {
        lock (_gate)
        {
            if (_held.RemoveAll(held => held.Owner == owner && (held.Transaction || !onlyTransaction)) > 0) Grant();
        }
    }

    private void Grant()
    {
        for (var i = 0; i < _waiting.Count; i++)
        {
            var waiter = _waiting[i];
            if (!IsFree(waiter.Wish)) continue;
            _waiting.RemoveAt(i--);
            _held.Add(waiter.Wish);
            waiter.Granted.SetResult();
        }
    }

    private bool IsFree(Held wish) => !_held.Exists(held => held.Owner != wish.Owner && Conflict(held, wish));

    private static bool Conflict(Held left, Held right) => Same(left.Resource, right.Resource) && (left.Exclusive || right.Exclusive);

    // Names of application locks are compared to the letter.
    private static bool Same(string left, string right) => left.Equals(right, StringComparison.Ordinal);
}
