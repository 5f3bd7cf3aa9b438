using Sandbox;
using Sandbox.Playground;

return args is [Guardian.Command, var id, var directory]
    ? Guardian.Run(id, directory)
    : await SandboxCommandLine.RunAsync(args);
