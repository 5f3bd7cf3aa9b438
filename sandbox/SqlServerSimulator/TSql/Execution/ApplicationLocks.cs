namespace SqlServerSimulator.TSql.Execution;

/// <summary>Modes of sp_getapplock.</summary>
internal enum LockMode
{
    IntentShared,
    Shared,
    Update,
    IntentExclusive,
    Exclusive,
}

/// <summary>The locks of sp_getapplock, which are the sessions' own.</summary>
internal sealed class ApplicationLocks(TimeProvider time)
{
    /// <summary>Which modes of different owners get along: row held, column wished, in the order of <see cref="LockMode"/>.</summary>
    private static readonly bool[][] Compatible =
    [
        [true, true, true, true, false],
        [true, true, true, false, false],
        [true, true, false, false, false],
        [true, false, false, true, false],
        [false, false, false, false, false],
    ];

    private readonly Lock _gate = new();
    private readonly List<Held> _held = [];
    private readonly List<Waiter> _waiting = [];

    private sealed record Held(string Resource, object Owner, bool Transaction, LockMode Mode);

    private sealed record Waiter(Held Wish, TaskCompletionSource Granted);

    /// <summary>Takes a lock.</summary>
    /// <returns>0 at once, 1 after a wait, -1 when the time is over, -2 when cancelled, -3 when each would wait for the other.</returns>
    public async Task<int> TakeAsync(
        string resource, object owner, bool transaction, LockMode mode, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        Waiter waiter;
        lock (_gate)
        {
            var wish = new Held(resource, owner, transaction, mode);

            // Whoever holds the resource already need not queue behind those who wait for it.
            if (IsFree(wish) && (_held.Exists(held => held.Owner == owner && Same(held.Resource, resource)) || !_waiting.Exists(other => Conflict(other.Wish, wish))))
            {
                _held.Add(wish);
                return 0;
            }

            if (timeout == TimeSpan.Zero) return -1;
            if (WaitsFor(wish, owner, [])) return -3;
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

    /// <summary>Gives back what an owner holds, or only what its transaction, or its session outside of it.</summary>
    public void ReleaseAll(object owner, bool? transaction = null)
    {
        lock (_gate)
        {
            if (_held.RemoveAll(held => held.Owner == owner && (transaction is null || held.Transaction == transaction)) > 0) Grant();
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

    /// <summary>Whether those who hold what is wished for wait, directly or not, for an owner.</summary>
    private bool WaitsFor(Held wish, object owner, HashSet<object> seen) => _held
        .Where(held => held.Owner != wish.Owner && Conflict(held, wish) && seen.Add(held.Owner))
        .SelectMany(held => _waiting.Where(waiter => waiter.Wish.Owner == held.Owner))
        .Any(waiter => _held.Exists(held => held.Owner == owner && Conflict(held, waiter.Wish)) || WaitsFor(waiter.Wish, owner, seen));

    private bool IsFree(Held wish) => !_held.Exists(held => held.Owner != wish.Owner && Conflict(held, wish));

    private static bool Conflict(Held left, Held right) => Same(left.Resource, right.Resource) && !Compatible[(int)left.Mode][(int)right.Mode];

    // Names of application locks are compared to the letter.
    private static bool Same(string left, string right) => left.Equals(right, StringComparison.Ordinal);
}
