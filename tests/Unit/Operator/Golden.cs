using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Unit.Operator;

/// <summary>Compares a document with a file; when they differ, what was received is written beside it as <c>NAME.received.json</c>.</summary>
internal static class Golden
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Verify(JsonNode document, string name)
    {
        var file = Path.Combine(Folder(), $"{name}.json");
        var received = Path.Combine(Folder(), $"{name}.received.json");
        var text = document.ToJsonString(Indented) + "\n";
        if (File.Exists(file) && File.ReadAllText(file) == text)
        {
            File.Delete(received);
            return;
        }

        File.WriteAllText(received, text);
        Assert.Fail($"{name} differs from {file}; what was received is in {received}. If it is right, make it the golden file.");
    }

    // The path that the compiler records is mapped, so the folder is found from the test assembly upwards.
    private static string Folder()
    {
        for (var folder = new DirectoryInfo(TestContext.CurrentContext.TestDirectory); folder is not null; folder = folder.Parent)
        {
            var golden = Path.Combine(folder.FullName, "tests", "Unit", "Operator", "Golden");
            if (Directory.Exists(golden))
                return golden;
        }

        throw new DirectoryNotFoundException("tests/Unit/Operator/Golden is not above the test assembly.");
    }
}
