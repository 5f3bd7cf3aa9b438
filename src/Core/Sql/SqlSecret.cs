namespace Agents.Sql;

/// <summary>A password: a string literal where the server reads it, <c>***</c> everywhere else.</summary>
public readonly struct SqlSecret
{
    private readonly string value;

    /// <summary>Wraps a secret.</summary>
    public SqlSecret(string value) => this.value = value;

    /// <summary>The secret itself. Only for what is sent to the server.</summary>
    public string Reveal() => value;

    /// <summary>Never the secret.</summary>
    public override string ToString() => "***";
}

/// <summary>Secret bytes, such as a private key: a binary literal where the server reads it, <c>***</c> everywhere else.</summary>
public readonly struct SqlSecretBytes
{
    private readonly byte[] value;

    /// <summary>Wraps secret bytes.</summary>
    public SqlSecretBytes(byte[] value) => this.value = value;

    /// <summary>The bytes themselves. Only for what is sent to the server.</summary>
    public byte[] Reveal() => value;

    /// <summary>Never the bytes.</summary>
    public override string ToString() => "***";
}
