using Agents.Sql;

namespace Agents.Hosting;

/// <summary>The agents' SQL login, from the mounted Secret. Read anew for every connection, so that a rotated password is taken up.</summary>
public sealed class AgentLoginFiles
{
    private readonly string directory;

    /// <summary>Makes the reader; nothing is read yet.</summary>
    /// <param name="directory">Folder with the files <c>username</c> and <c>password</c>.</param>
    public AgentLoginFiles(string directory) => this.directory = directory;

    /// <summary>Reads the login.</summary>
    /// <exception cref="SqlInstanceException"><see cref="SqlFailure.LoginFailed"/>: a file is missing or not readable.</exception>
    public SqlLogin Read() => new(Value("username").Trim(), new SqlSecret(Value("password")));

    private string Value(string name)
    {
        try
        {
            return File.ReadAllText(Path.Combine(directory, name));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new SqlInstanceException(SqlFailure.LoginFailed, [], $"The agents' login cannot be read: {error.Message}", error);
        }
    }
}
