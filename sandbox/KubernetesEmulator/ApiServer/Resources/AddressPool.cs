using System.Buffers.Binary;
using System.Net;
using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Http;
using KubernetesEmulator.Storage;

namespace KubernetesEmulator.Resources;

/// <summary>Gives Services their cluster IPs and node ports. What is stored is what is taken: there is no second record.</summary>
internal sealed class AddressPool(Store store, IPNetwork range)
{
    private readonly Lock _lock = new();
    private uint _last;

    /// <summary>Held while a Service is given an address and stored, so that two creations cannot get the same one.</summary>
    public Lock Gate => _lock;

    public void Assign(JsonObject service)
    {
        var spec = service.Ensure("spec");
        if (spec.Text("type") == "ExternalName")
        {
            spec.Remove("clusterIP");
            spec.Remove("clusterIPs");
            return;
        }

        var others = store.List(Catalog.Services.Key, null).Items
            .Where(s => s.Uid != (service.Text("metadata", "uid") ?? "")).ToList();
        var wanted = spec.Text("clusterIP") ?? spec.Texts("clusterIPs").FirstOrDefault() ?? "";
        if (wanted.Length == 0)
        {
            wanted = Next([.. others.Select(s => s.Json.Text("spec", "clusterIP") ?? "")]);
        }
        else if (wanted != "None")
        {
            if (!IPAddress.TryParse(wanted, out var address) || !range.Contains(address))
                throw ApiError.Invalid(Catalog.Services, service.Text("metadata", "name") ?? "", [FieldError.Invalid("spec.clusterIPs", new JsonArray(wanted),
                    $"failed to allocate IP {wanted}: the provided IP ({wanted}) is not in the valid range. The range of valid IPs is {range}")]);
            if (others.Any(s => s.Json.Text("spec", "clusterIP") == wanted))
                throw ApiError.Invalid(Catalog.Services, service.Text("metadata", "name") ?? "", [FieldError.Invalid("spec.clusterIPs", new JsonArray(wanted),
                    $"failed to allocate IP {wanted}: provided IP is already allocated")]);
        }

        spec["clusterIP"] = wanted;
        spec["clusterIPs"] = new JsonArray(wanted);
        if (spec.Text("type") is not ("NodePort" or "LoadBalancer"))
            return;
        var ports = others.Select(s => s.Json).Append(service).SelectMany(s => s.Objects("spec", "ports")).Select(p => p.Number("nodePort") ?? 0).ToHashSet();
        foreach (var port in spec.Objects("ports").Where(p => p.Number("nodePort") is null or 0))
        {
            var free = Enumerable.Range(30000, 2768).First(n => !ports.Contains(n));
            ports.Add(free);
            port["nodePort"] = free;
        }
    }

    private string Next(HashSet<string> taken)
    {
        var first = BinaryPrimitives.ReadUInt32BigEndian(range.BaseAddress.GetAddressBytes());
        var size = 1u << (32 - range.PrefixLength);
        Span<byte> bytes = stackalloc byte[4];
        for (var tried = 0u; tried < size; tried++)
        {
            _last = _last + 1 >= size - 1 ? 1 : _last + 1;
            BinaryPrimitives.WriteUInt32BigEndian(bytes, first + _last);
            var address = new IPAddress(bytes).ToString();
            if (!taken.Contains(address))
                return address;
        }

        throw new ApiError(500, "InternalError", "Internal error occurred: failed to allocate a serviceIP: range is full");
    }
}
