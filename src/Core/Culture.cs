using System.Globalization;
using System.Runtime.CompilerServices;

namespace Agents;

/// <summary>All that these programs format or parse is meant for machines, whatever the locale of the container.</summary>
internal static class Culture
{
#pragma warning disable CA2255 // Each binary would have to remember it otherwise.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Pin()
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.InvariantCulture;
    }
}
