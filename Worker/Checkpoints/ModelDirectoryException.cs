namespace Lab.Worker.Checkpoints;

/// <summary>
/// A model directory that cannot be served. The message is one line: the file, the tensor where there is one,
/// and what is wrong with it.
/// </summary>
internal sealed class ModelDirectoryException : Exception
{
    /// <summary>Something is wrong with a file as a whole.</summary>
    /// <param name="file">The path of the file, or of the directory.</param>
    /// <param name="problem">What is wrong, in a clause that follows a colon.</param>
    public ModelDirectoryException(string file, string problem)
        : base($"{file}: {OneLine(problem)}")
    {
    }

    /// <summary>Something is wrong with one tensor.</summary>
    /// <param name="file">The path of the file.</param>
    /// <param name="tensor">The tensor's name in the file.</param>
    /// <param name="problem">What is wrong, in a clause that follows a colon.</param>
    public ModelDirectoryException(string file, string tensor, string problem)
        : base($"{file}: tensor \"{Printable(tensor)}\": {OneLine(problem)}")
    {
    }

    // Names come from the file: whatever they hold, the message stays one line of bounded length.
    private static string Printable(string name) =>
        OneLine(name.Length <= 200 ? name : string.Concat(name.AsSpan(0, 200), "…"));

    private static string OneLine(string text) =>
        string.Create(text.Length, text, (line, source) =>
        {
            for (var i = 0; i < line.Length; i++) line[i] = char.IsControl(source[i]) ? ' ' : source[i];
        });
}
