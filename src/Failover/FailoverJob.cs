using Agents.Groups;
using Agents.Hosting;
using Agents.Kubernetes;
using Agents.Observation;

namespace Agents.Failover;

/// <summary>
/// Puts a request into ConfigMap <c>&lt;ag&gt;</c>, which is all that the job may write, and waits for the agents' answer. A job whose pod is
/// started again finds its request by its content and goes on waiting.
/// </summary>
internal sealed class FailoverJob(IKubernetesApi api, FailoverOptions options, TimeProvider time, TextWriter output)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Trouble = TimeSpan.FromSeconds(1);

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var start = time.Monotonic();
        var until = start + options.Patience;
        FailoverRequest? request = null;
        var lastMessage = string.Empty;
        var lastTrouble = string.Empty;
        Say(options.AllowDataLoss
            ? $"Asking for a forced failover of {options.Group} to {options.Target}."
            : $"Asking for a failover of {options.Group} to {(options.Target.Length == 0 ? "the best replica" : options.Target)}.");
        while (true)
        {
            var pause = Poll;
            try
            {
                var map = await api.GetAsync(KubernetesTypes.ConfigMaps, options.Namespace, options.Group, cancellationToken).ConfigureAwait(false);
                if (map?.Data is null || !map.Data.TryGetValue(GroupDocuments.MembersKey, out var members))
                {
                    Say($"Refused: there is no availability group {options.Group} in namespace {options.Namespace} (ConfigMap {options.Group} with key 'members').");
                    return ExitCodes.Refused;
                }

                if (request is null && Unknown(members) is { } why)
                {
                    Say($"Refused: {why}.");
                    return ExitCodes.Refused;
                }

                if (request is null)
                {
                    // What was read before the request was written says nothing about it.
                    request = await AskAsync(map, cancellationToken).ConfigureAwait(false);
                    continue;
                }

                if (map.Data.TryGetValue(GroupDocuments.RequestKey, out var present) && Read(present) is { } other && other.Id != request.Id)
                {
                    Say($"Refused: another failover request, {other.Id}, took the place of this one.");
                    return ExitCodes.Refused;
                }

                if (map.Data.TryGetValue(GroupDocuments.ResultKey, out var text) && GroupDocuments.ReadResult(text) is { } result && result.Id == request.Id)
                {
                    if (result.State != FailoverState.Accepted)
                        return Finish(result);
                    if (result.Message != lastMessage)
                        Say($"Accepted: {result.Message}.");
                    lastMessage = result.Message;
                }
            }
            catch (KubernetesException error) when (error.Failure is not (KubernetesFailure.Forbidden or KubernetesFailure.Unauthorized))
            {
                if (error.Message != lastTrouble)
                    Say($"Trying again: {error.Message}");
                lastTrouble = error.Message;
                pause = error.Failure == KubernetesFailure.Conflict ? Poll : Trouble;
            }
            catch (InvalidDataException error)
            {
                Say($"Failed: ConfigMap {options.Group}: {error.Message}.");
                return ExitCodes.Failed;
            }

            if (time.Monotonic() >= until)
            {
                Say($"No outcome within {options.Patience.TotalSeconds:0} s; the request stays, and the agents may still carry it out.");
                return ExitCodes.OutOfTime;
            }

            await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
        }

        int Finish(FailoverResult result)
        {
            Say($"{result.State} after {(time.Monotonic() - start).TotalSeconds:0.0} s: {result.Message}.");
            return result.State switch
            {
                FailoverState.Succeeded => ExitCodes.Done,
                FailoverState.Refused => ExitCodes.Refused,
                _ => ExitCodes.Failed,
            };
        }
    }

    /// <summary>Refuses at once what can be seen to be wrong without the agents: they judge everything else.</summary>
    private string? Unknown(string members)
    {
        var list = GroupDocuments.ReadMembers(members);
        var target = options.Target.TrimStart('!');
        var looksLikeName = target.Length > 0 && !target.Contains('.', StringComparison.Ordinal) && !target.Contains(':', StringComparison.Ordinal);
        return looksLikeName && !list.Any(member => Same(member.Name, target) || Same(member.Instance, target))
            ? $"there is no replica '{target}'; the replicas are {string.Join(", ", list.Select(member => member.Name))}"
            : null;
    }

    private async Task<FailoverRequest> AskAsync(ConfigMap map, CancellationToken cancellationToken)
    {
        // A request that nobody has finished yet is either our own, from before our pod was started again, or somebody else's.
        if (map.Data!.TryGetValue(GroupDocuments.RequestKey, out var text) && Read(text) is { } open && !IsFinished(map, open))
        {
            if (open.Target == options.Target && open.AllowDataLoss == options.AllowDataLoss)
                return open;
            throw new KubernetesException(KubernetesFailure.Conflict, $"Failover request {open.Id} is still under way.");
        }

        var request = new FailoverRequest(Guid.NewGuid().ToString("N")[..12], options.Target, options.AllowDataLoss);

        // Update, not patch: the Role that the preview published allows get and update. The version read makes it a compare-and-swap.
        var data = new Dictionary<string, string>(map.Data) { [GroupDocuments.RequestKey] = GroupDocuments.WriteRequest(request, time.GetUtcNow()) };
        await api.ReplaceAsync(KubernetesTypes.ConfigMaps, options.Namespace, options.Group, map with { Data = data }, cancellationToken)
            .ConfigureAwait(false);
        return request;
    }

    private static bool IsFinished(ConfigMap map, FailoverRequest request) =>
        map.Data!.TryGetValue(GroupDocuments.ResultKey, out var text) && GroupDocuments.ReadResult(text) is { State: not FailoverState.Accepted } result
        && result.Id == request.Id;

    // What is not a request of this version is nobody's; it is overwritten.
    private static FailoverRequest? Read(string text)
    {
        try
        {
            return GroupDocuments.ReadRequest(text);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static bool Same(string left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);

    private void Say(string line) => output.WriteLine($"{time.GetUtcNow():HH:mm:ss.fff} {line}");
}
