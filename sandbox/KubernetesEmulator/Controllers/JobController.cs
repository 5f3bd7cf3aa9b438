using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Controllers;

/// <summary>Pods that run to completion.</summary>
internal sealed class JobController(IKubernetesApi api, ControllerOptions options) : IController
{
    public Task ReconcileAsync(ClusterView view, CancellationToken cancellationToken) =>
        ControllerHost.EachAsync(
            view.Jobs.Values.Where(x => !x.Deleting()), options, x => $"job {x.Key()}", x => ReconcileAsync(view, x, cancellationToken));

    private static bool Ended(JsonObject job) => job.IsTrue("Complete") || job.IsTrue("Failed");

    private static DateTimeOffset? FinishedAt(JsonObject pod) =>
        pod.Items("status", "containerStatuses").Select(x => x.Time("state", "terminated", "finishedAt")).Max();

    private async Task ReconcileAsync(ClusterView view, JsonObject job, CancellationToken cancellationToken)
    {
        var pods = view.PodsOf(job);
        if (Ended(job))
        {
            var endedAt = job.Items("status", "conditions").Where(x => x.Text("status") == "True").Select(x => x.Time("lastTransitionTime")).Max();
            foreach (var pod in pods.Where(x => !x.Finished() && !x.Deleting()))
                await DeleteAsync(pod, cancellationToken).ConfigureAwait(false);
            if (job.Number("spec", "ttlSecondsAfterFinished") is { } ttl && endedAt + TimeSpan.FromSeconds(ttl) <= view.Now)
                await api.DeleteAsync(Kinds.Jobs, job.Namespace(), job.Name(), cancellationToken, new DeleteOptions(Uid: job.Uid())).ConfigureAwait(false);
            return;
        }

        var active = pods.Where(x => !x.Finished() && !x.Deleting()).ToList();
        // What was counted once stays counted, even when somebody removes the pod.
        var succeeded = Math.Max(pods.Count(x => x.Phase() == "Succeeded"), job.Number("status", "succeeded") ?? 0);
        var failed = Math.Max(pods.Count(x => x.Phase() == "Failed"), job.Number("status", "failed") ?? 0);
        var completions = job.Number("spec", "completions") ?? 1;
        var limit = job.Number("spec", "backoffLimit") ?? 6;
        var startedAt = job.Time("status", "startTime") ?? view.Now;
        var restarts = active.Sum(x => x.Items("status", "containerStatuses").Sum(y => y.Number("restartCount") ?? 0));
        var onFailure = job.Text("spec", "template", "spec", "restartPolicy") == "OnFailure";
        var condition = succeeded >= completions ? Make("Complete", "CompletionsReached", "Reached expected number of succeeded pods")
            : failed > limit || (onFailure && restarts > 0 && restarts >= limit)
                ? Make("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
            : job.Number("spec", "activeDeadlineSeconds") is { } deadline && view.Now >= startedAt + TimeSpan.FromSeconds(deadline)
                ? Make("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
            : null;

        var status = new JsonObject
        {
            ["startTime"] = startedAt.Stamp(),
            ["active"] = condition is null ? active.Count : 0,
            ["ready"] = active.Count(x => x.Ready()),
            ["succeeded"] = succeeded,
            ["failed"] = failed,
        };
        if (condition is not null)
        {
            status["conditions"] = new JsonArray(condition);
            if (condition.Text("type") == "Complete")
                status["completionTime"] = view.Now.Stamp();
        }

        await Templates.WriteStatusAsync(api, Kinds.Jobs, job, status, cancellationToken).ConfigureAwait(false);
        if (condition is not null)
            return;

        if (job.Flag("spec", "suspend") == true)
        {
            foreach (var pod in active)
                await DeleteAsync(pod, cancellationToken).ConfigureAwait(false);
            return;
        }

        var lastFailure = pods.Where(x => x.Phase() == "Failed").Select(FinishedAt).Max();
        var delay = failed > 1 ? options.JobDelay * (1 << Math.Min(failed - 2, 6)) : TimeSpan.Zero;
        if (lastFailure + delay > view.Now)
            return;
        var wanted = Math.Min(job.Number("spec", "parallelism") ?? 1, completions - succeeded);
        var taken = pods.Select(x => x.Name()).ToHashSet();
        // A pod that is still ending may yet turn out to have failed; its successor waits.
        for (var i = pods.Count(x => !x.Finished()); i < wanted; i++)
        {
            var name = Templates.FreeName(job, taken);
            taken.Add(name);
            var pod = Templates.Pod(
                job, Kinds.Jobs, name,
                ("job-name", job.Name()), ("batch.kubernetes.io/job-name", job.Name()),
                ("controller-uid", job.Uid()), ("batch.kubernetes.io/controller-uid", job.Uid()));
            await api.CreateAsync(Kinds.Pods, job.Namespace(), pod, cancellationToken).ConfigureAwait(false);
        }

        JsonObject Make(string type, string reason, string message) => Fields.Condition(null, type, "True", view.Now, reason, message);
    }

    private Task<bool> DeleteAsync(JsonObject pod, CancellationToken cancellationToken) =>
        api.DeleteAsync(Kinds.Pods, pod.Namespace(), pod.Name(), cancellationToken, new DeleteOptions(Uid: pod.Uid()));
}
