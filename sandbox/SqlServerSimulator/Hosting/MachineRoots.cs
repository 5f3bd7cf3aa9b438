using System.Runtime.InteropServices;

namespace SqlServerSimulator.Hosting;

/// <summary>The certificates of authorities that this machine trusts.</summary>
internal static class MachineRoots
{
    private const string Nowhere = "/nonexistent";

    /// <summary>
    /// Keeps .NET from reading them, which it would do for the chain of the instance's own certificate, and which takes as long as the rest of
    /// a start. An instance trusts none of them.
    /// </summary>
    public static void Ignore()
    {
        // OpenSSL reads the process's environment itself.
        _ = setenv("SSL_CERT_DIR", Nowhere, 1);
        _ = setenv("SSL_CERT_FILE", Nowhere, 1);

        [DllImport("libc")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        static extern int setenv([MarshalAs(UnmanagedType.LPUTF8Str)] string name, [MarshalAs(UnmanagedType.LPUTF8Str)] string value, int overwrite);
    }
}
