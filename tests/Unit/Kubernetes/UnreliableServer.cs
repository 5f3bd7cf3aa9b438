using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Web;

namespace Unit.Kubernetes;

/// <summary>
/// An API server for one kind of object whose objects change all the time and which fails in every way that a seed can think of: it refuses,
/// forgets, breaks off at any byte, falls silent. After so many faults it behaves, so that whoever follows it can catch up.
/// </summary>
internal sealed class UnreliableServer(Random random, VirtualTime time, int changes, int faults) : HttpMessageHandler
{
    private readonly List<Change> history = [];
    private int oldest;
    private int remembered;

    private sealed record Change(int Version, string Type, string Name, string Text);

    /// <summary>What a client would see that resumed from elsewhere than where it was: the version is exchanged on arrival.</summary>
    public Func<UnreliableServer, int, int>? Resume { get; init; }

    public int Latest => history.Count == 0 ? 1 : history[^1].Version;

    public int LastListed { get; private set; } = 1;

    public int Requests { get; private set; }

    public int Lists { get; private set; }

    public int Faults { get; private set; }

    /// <summary>Nothing more will change or fail, and somebody watches from the last version.</summary>
    public bool IsDone { get; private set; }

    /// <summary>The objects and their contents as of a version, as one text.</summary>
    public string StateAt(int version)
    {
        var objects = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var change in history.TakeWhile(change => change.Version <= version))
            if (change.Type == "DELETED")
                objects.Remove(change.Name);
            else
                objects[change.Name] = $"{change.Version}{change.Text}";
        return string.Join(' ', objects.Select(pair => $"{pair.Key}@{pair.Value}"));
    }

    /// <summary>Version of the change after a version; null when there is none.</summary>
    public int? After(int version) => history.FirstOrDefault(change => change.Version > version)?.Version;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Requests++;
        Assert.That(Requests, Is.LessThan(5000), "The client does not stop asking.");
        MakeChanges(random.Next(3));
        var query = HttpUtility.ParseQueryString(request.RequestUri!.Query);
        if (IsFault())
            switch (random.Next(4))
            {
                case 0:
                    return Refuse(500, "InternalError");
                case 1:
                    var busy = Refuse(429, "TooManyRequests");
                    if (random.Next(2) == 0)
                        busy.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(random.Next(20)));
                    return busy;
                case 2:
                    throw new HttpRequestException("reset");
                default:
                    await time.DelayAsync(TimeSpan.FromSeconds(30), cancellationToken).ConfigureAwait(false);
                    return Refuse(504, "Timeout");
            }

        return query["watch"] is null ? List(query["continue"]) : Watch(int.Parse(query["resourceVersion"]!));
    }

    private static HttpResponseMessage Refuse(int code, string reason) =>
        new((HttpStatusCode)code) { Content = new StringContent(ScriptedServer.Status(code, reason)) };

    private static string Pod(string name, int version, string text) => new JsonObject
    {
        ["kind"] = "Pod",
        ["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["namespace"] = "ag1",
            ["resourceVersion"] = $"{version}",
            ["annotations"] = new JsonObject { ["text"] = text },
        },
    }.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private bool IsFault()
    {
        if (Faults == faults || random.Next(2) == 0)
            return false;
        Faults++;
        return true;
    }

    private void MakeChanges(int count)
    {
        for (; count > 0 && history.Count < changes; count--)
        {
            var name = $"p{random.Next(6)}";
            var exists = history.LastOrDefault(change => change.Name == name) is { Type: not "DELETED" };
            var type = !exists ? "ADDED" : random.Next(3) == 0 ? "DELETED" : "MODIFIED";
            history.Add(new Change(Latest + 1 + random.Next(4), type, name, random.Next(2) == 0 ? "€" : "𝒜ü"));
        }
    }

    private HttpResponseMessage List(string? next)
    {
        if (next is not null && IsFault())
            return Refuse(410, "Expired");
        var (version, from) = next is null ? (Latest, 0) : (int.Parse(next.Split('.')[0]), int.Parse(next.Split('.')[1]));
        if (next is null)
            remembered = version;
        var items = history.Where(change => change.Version <= remembered).GroupBy(change => change.Name).Select(group => group.Last())
            .Where(change => change.Type != "DELETED").OrderBy(change => change.Name, StringComparer.Ordinal).ToList();
        var page = items.Skip(from).Take(2).ToList();
        var more = from + page.Count < items.Count;
        var document = $$$"""{"metadata":{"resourceVersion":"{{{version}}}","continue":"{{{(more ? $"{version}.{from + page.Count}" : "")}}}"},"items":[{{{string.Join(',', page.Select(item => Pod(item.Name, item.Version, item.Text)))}}}]}""";
        var bytes = Encoding.UTF8.GetBytes(document);
        if (IsFault())
            return Stream([bytes[..random.Next(bytes.Length)]], Ending.Break);
        if (!more)
        {
            Lists++;
            LastListed = version;
        }

        return Stream([bytes], Ending.Close);
    }

    private HttpResponseMessage Watch(int version)
    {
        version = Resume?.Invoke(this, version) ?? version;
        if (IsFault() && random.Next(2) == 0)
            oldest = Latest;
        if (version < oldest)
            return random.Next(2) == 0 ? Refuse(410, "Gone") : Stream([Line("ERROR", ScriptedServer.Status(410, "Expired"))], Ending.Close);
        return Stream(Events(version), Ending.Close);
    }

    private IEnumerable<byte[]?> Events(int version)
    {
        while (true)
        {
            var next = history.Where(change => change.Version > version).Take(3).ToList();
            var lines = new List<byte>();
            foreach (var change in next)
            {
                lines.AddRange(Line(change.Type, Pod(change.Name, change.Version, change.Text)));
                version = change.Version;
                for (var again = random.Next(4); again > 1; again--)
                    lines.AddRange(Bookmark(version));
            }

            if (IsFault())
            {
                switch (random.Next(5))
                {
                    case 0:
                        yield return [.. lines.Take(random.Next(lines.Count + 1))];
                        throw new IOException("reset");
                    case 1:
                        yield return [.. lines.Take(random.Next(lines.Count + 1))];
                        yield break;
                    case 2:
                        yield return [.. lines, .. Line("ERROR", ScriptedServer.Status(500, "InternalError"))];
                        yield break;
                    case 3:
                        yield return [.. lines, .. "garbage\n"u8];
                        yield break;
                    default:
                        yield return [.. lines];
                        while (true)
                            yield return null;
                }
            }

            if (lines.Count > 0)
                yield return [.. lines];
            if (version == Latest && history.Count == changes && Faults == faults)
            {
                yield return Bookmark(version);
                IsDone = true;
            }

            yield return null;
            MakeChanges(random.Next(3));
        }
    }

    private static byte[] Line(string type, string item) => Encoding.UTF8.GetBytes($$$"""{"type":"{{{type}}}","object":{{{item}}}}""" + "\n");

    private static byte[] Bookmark(int version) => Line("BOOKMARK", $$$"""{"kind":"Pod","metadata":{"resourceVersion":"{{{version}}}"}}""");

    private HttpResponseMessage Stream(IEnumerable<byte[]?> parts, Ending ending) =>
        new(HttpStatusCode.OK) { Content = new StreamContent(new Body(parts.GetEnumerator(), ending, random, time)) };

    private enum Ending
    {
        Close,
        Break,
    }

    /// <summary>Gives parts of random length, so that lines and letters are split anywhere; null is a pause.</summary>
    private sealed class Body(IEnumerator<byte[]?> parts, Ending ending, Random random, VirtualTime time) : Stream
    {
        private ReadOnlyMemory<byte> left;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            while (left.IsEmpty)
            {
                if (!parts.MoveNext())
                    return ending == Ending.Close ? 0 : throw new IOException("reset");
                if (parts.Current is { } part)
                    left = part;
                else
                    await time.DelayAsync(TimeSpan.FromSeconds(1 + random.Next(20)), cancellationToken).ConfigureAwait(false);
            }

            var taken = Math.Min(Math.Min(left.Length, buffer.Length), 1 + random.Next(80));
            left[..taken].CopyTo(buffer);
            left = left[taken..];
            return taken;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            parts.Dispose();
            base.Dispose(disposing);
        }
    }
}
