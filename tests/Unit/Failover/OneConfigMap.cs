using System.Globalization;
using System.Text.Json.Nodes;
using Agents.Groups;
using Agents.Kubernetes;

namespace Unit.Failover;

/// <summary>
/// An API server that has one ConfigMap and grants get and update on it, which is all that the preview's Role gives the failover job. Whatever
/// else is called fails the test. <see cref="Agents"/> plays the agents: it may change the data after each read.
/// </summary>
internal sealed class OneConfigMap(Dictionary<string, string>? data) : IKubernetesApi
{
    private int version = 1;

    public Dictionary<string, string>? Data { get; private set; } = data;

    public int Updates { get; private set; }

    /// <summary>Failures to throw from the next calls, in order.</summary>
    public Queue<KubernetesException> Failures { get; } = new();

    public Action<OneConfigMap> Agents { get; set; } = _ => { };

    public FailoverRequest Request => GroupDocuments.ReadRequest(Data![GroupDocuments.RequestKey]);

    public void Answer(FailoverState state, string message) =>
        Data![GroupDocuments.ResultKey] = GroupDocuments.WriteResult(new FailoverResult(Request.Id, state, message, "mssql2-0"), DateTimeOffset.UnixEpoch);

    public Task<T?> GetAsync<T>(ResourceType<T> type, string? @namespace, string name, CancellationToken cancellationToken)
        where T : class
    {
        Fail();
        Assert.That((type.Plural, @namespace, name), Is.EqualTo(("configmaps", "ns", "ag1")));
        var map = Data is null ? null : new ConfigMap
        {
            Metadata = new ObjectMeta { Name = name, ResourceVersion = version.ToString(CultureInfo.InvariantCulture) },
            Data = new Dictionary<string, string>(Data),
        };
        Agents(this);
        return Task.FromResult((T?)(object?)map);
    }

    public Task<T> ReplaceAsync<T>(
        ResourceType<T> type, string? @namespace, string name, T value, CancellationToken cancellationToken, string? subresource = null)
        where T : class
    {
        Fail();
        var map = (ConfigMap)(object)value;
        if (map.Metadata.ResourceVersion != version.ToString(CultureInfo.InvariantCulture))
            throw new KubernetesException(KubernetesFailure.Conflict, "conflict");
        version++;
        Updates++;
        Data = new Dictionary<string, string>(map.Data!);
        return Task.FromResult(value);
    }

    public Task<ResourceList<T>> ListAsync<T>(ResourceType<T> type, string? @namespace, ListOptions options, CancellationToken cancellationToken)
        where T : class => throw Forbidden();

    public IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(
        ResourceType<T> type, string? @namespace, ListOptions options, string resourceVersion, CancellationToken cancellationToken)
        where T : class => throw Forbidden();

    public Task<T> CreateAsync<T>(ResourceType<T> type, string? @namespace, T value, CancellationToken cancellationToken)
        where T : class => throw Forbidden();

    public Task<T> ApplyAsync<T>(
        ResourceType<T> type, string? @namespace, string name, JsonObject manifest, string fieldManager, CancellationToken cancellationToken,
        string? subresource = null)
        where T : class => throw Forbidden();

    public Task<T> MergePatchAsync<T>(
        ResourceType<T> type, string? @namespace, string name, JsonObject patch, CancellationToken cancellationToken, string? subresource = null)
        where T : class => throw Forbidden();

    public Task<bool> DeleteAsync<T>(
        ResourceType<T> type, string? @namespace, string name, CancellationToken cancellationToken, DeleteOptions? options = null)
        where T : class => throw Forbidden();

    private static InvalidOperationException Forbidden() => new("The job's Role does not allow this.");

    private void Fail()
    {
        if (Failures.TryDequeue(out var failure))
            throw failure;
    }
}
