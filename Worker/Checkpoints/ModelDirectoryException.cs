namespace Lab.Worker.Checkpoints;

/// <summary>
/// A model directory that cannot be served. The message is one line: the file, the tensor where there is one,
/// and what is wrong with it.
/// </summary>
internal sealed class ModelDirectoryException : Exception
{
    // Names and values come from the file: whatever they hold, the message stays one line of bounded length.
    private const int MaxProblemChars = 1000;
    private const int MaxNameChars = 200;
    private const char LineSeparator = '\u2028';
    private const char ParagraphSeparator = '\u2029';

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

    private static string Printable(string name) => OneLine(Shortened(name, MaxNameChars));

    private static string OneLine(string text)
    {
        text = Shortened(text, MaxProblemChars);
        return string.Create(text.Length, text, (line, source) =>
        {
            for (var i = 0; i < line.Length; i++) line[i] = char.IsControl(source[i]) || source[i] is LineSeparator or ParagraphSeparator ? ' ' : source[i];
        });
    }

    // What is wrong stands behind the name.
    private static string Shortened(string text, int maxChars) =>
        text.Length <= maxChars ? text : $"{text.AsSpan(0, maxChars / 2)}…{text.AsSpan(text.Length - maxChars / 2)}";
}
