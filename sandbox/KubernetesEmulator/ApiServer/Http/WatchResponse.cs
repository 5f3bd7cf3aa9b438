using System.Globalization;
using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Storage;
using KubernetesEmulator.Tables;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace KubernetesEmulator.Http;

/// <summary>Streams changes to one client until it leaves, its time is up, the server stops, or it reads too slowly.</summary>
internal sealed class WatchResponse(Store store, TimeProvider time)
{
    private static readonly TimeSpan BookmarkEvery = TimeSpan.FromSeconds(10);
    private static readonly byte[] NewLine = "\n"u8.ToArray();
    private bool _columnsSent;

    public async Task RunAsync(HttpContext context, ApiRequest request, RequestQuery query, Negotiation accept, CancellationToken cancellationToken)
    {
        var r = request.Resource;
        var selectors = Selectors.Parse(r, query.Text("labelSelector"), query.Text("fieldSelector"));
        if (request.Name is { } name)
            selectors = Selectors.Parse(r, query.Text("labelSelector"), $"metadata.name={name}");
        var from = query.Version("resourceVersion") ?? 0;
        var bookmarks = query.Flag("allowWatchBookmarks");
        var initialEnd = query.Flag("sendInitialEvents");
        using var watch = store.Watch(r.Key, request.Namespace, from == 0 || initialEnd ? null : from);
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "application/json";
        if (watch is null)
        {
            await SendAsync(context, "ERROR", ApiError.Gone($"too old resource version: {from}").Status(), cancellationToken).ConfigureAwait(false);
            return;
        }

        await context.Response.StartAsync(cancellationToken).ConfigureAwait(false);
        await context.Response.Body.FlushAsync(cancellationToken).ConfigureAwait(false);
        foreach (var o in watch.Initial.Where(o => selectors.Match(o.Json)))
            await SendAsync(context, "ADDED", Render(r, o, accept, query), cancellationToken).ConfigureAwait(false);
        foreach (var change in watch.Missed)
            await SendAsync(context, r, change, selectors, accept, query, cancellationToken).ConfigureAwait(false);
        var last = Math.Max(watch.Version, from);
        if (initialEnd && bookmarks)
            await SendAsync(context, "BOOKMARK", Bookmark(r, last, accept, initialEnd: true), cancellationToken).ConfigureAwait(false);
        await context.Response.Body.FlushAsync(cancellationToken).ConfigureAwait(false);

        var seconds = query.Number("timeoutSeconds") is > 0 and var asked ? Math.Min(asked, 7200) : 2700;
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(seconds), time);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            await FollowAsync(context, r, watch, last, bookmarks, selectors, accept, query, ends.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // Time is up: the stream ends in order.
        }
    }

    private async Task FollowAsync(
        HttpContext context, Resource r, Watch watch, long last, bool bookmarks, Selectors selectors, Negotiation accept, RequestQuery query,
        CancellationToken cancellationToken)
    {
        while (true)
        {
            using var pause = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var ready = watch.Changes.WaitToReadAsync(pause.Token).AsTask();
            if (await Task.WhenAny(ready, Task.Delay(BookmarkEvery, time, pause.Token)).ConfigureAwait(false) != ready)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await pause.CancelAsync().ConfigureAwait(false);
                if (bookmarks)
                {
                    await SendAsync(context, "BOOKMARK", Bookmark(r, last, accept, initialEnd: false), cancellationToken).ConfigureAwait(false);
                    await context.Response.Body.FlushAsync(cancellationToken).ConfigureAwait(false);
                }

                continue;
            }

            var open = await ready.ConfigureAwait(false);
            await pause.CancelAsync().ConfigureAwait(false);
            if (!open)
                return;
            while (watch.Changes.TryRead(out var change))
            {
                await SendAsync(context, r, change, selectors, accept, query, cancellationToken).ConfigureAwait(false);
                last = change.Version;
            }

            await context.Response.Body.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task SendAsync(HttpContext context, string type, JsonObject o, CancellationToken cancellationToken)
    {
        var frame = Document.Write(new JsonObject { ["type"] = type, ["object"] = o.Parent is null ? o : o.Copy() });
        await context.Response.Body.WriteAsync(frame, cancellationToken).ConfigureAwait(false);
        await context.Response.Body.WriteAsync(NewLine, cancellationToken).ConfigureAwait(false);
    }

    private Task SendAsync(
        HttpContext context, Resource r, Change change, Selectors selectors, Negotiation accept, RequestQuery query, CancellationToken cancellationToken)
    {
        var was = change.Before is { } before && selectors.Match(before.Json);
        var isNow = change.Kind != ChangeKind.Deleted && selectors.Match(change.After.Json);
        var type = (was, isNow) switch { (false, true) => "ADDED", (true, true) => "MODIFIED", (true, false) => "DELETED", _ => null };
        if (type is null)
            return Task.CompletedTask;
        // An object that leaves the selection is shown as it was, at the version at which it left.
        var shown = type == "DELETED" && change.Kind != ChangeKind.Deleted ? StoredObject.Of(change.Before!.Json, change.Version) : change.After;
        return SendAsync(context, type, Render(r, shown, accept, query), cancellationToken);
    }

    private JsonObject Render(Resource r, StoredObject o, Negotiation accept, RequestQuery query)
    {
        if (accept.MetadataOnly)
            return Table.MetadataOf(o.Json);
        if (!accept.Table)
            return Registry.InVersion(r, o).Copy();
        var table = Table.Of(r, [o], Table.Version(o), query.Text("includeObject"));
        if (_columnsSent)
            table["columnDefinitions"] = null;
        _columnsSent = true;
        return table;
    }

    private static JsonObject Bookmark(Resource r, long version, Negotiation accept, bool initialEnd)
    {
        var metadata = new JsonObject { ["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture), ["creationTimestamp"] = null };
        if (initialEnd)
            metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
        if (accept.Table)
            return new JsonObject { ["kind"] = "Table", ["apiVersion"] = "meta.k8s.io/v1", ["metadata"] = metadata, ["columnDefinitions"] = null, ["rows"] = new JsonArray() };
        return new JsonObject { ["kind"] = r.Kind, ["apiVersion"] = r.ApiVersion, ["metadata"] = metadata };
    }
}
