namespace Lab.Worker.Tests.ModelCommands;

/// <summary>Labelled sentences of our own making: each subject with each judgement, in several forms.</summary>
internal static class LabelledSentences
{
    private static readonly string[] Subjects =
        ["film", "story", "acting", "script", "ending", "music", "dialogue", "plot", "cast", "comedy", "book", "performance"];

    private static readonly string[] Good =
        ["wonderful", "moving", "charming", "brilliant", "funny and warm", "beautiful", "gripping", "delightful", "superb", "clever"];

    private static readonly string[] Bad =
        ["dull", "tedious", "awful", "lifeless", "a mess", "predictable and flat", "boring", "terrible", "clumsy", "pointless"];

    private static readonly string[] Forms = ["The {0} is {1}.", "I found the {0} {1}", "What can I say? The {0} was {1}!", "{1}, that is the word for this {0}"];

    public static int Count => Subjects.Length * (Good.Length + Bad.Length) * Forms.Length;

    /// <summary>The sentences.</summary>
    public static IEnumerable<string> Texts => Lines.Select(line => line.Split('\t')[1]);

    /// <summary>Whether each of <see cref="Texts"/> is positive.</summary>
    public static IEnumerable<bool> Positive => Lines.Select(line => line.StartsWith("POSITIVE", StringComparison.Ordinal));

    private static IEnumerable<string> Lines =>
        from subject in Subjects
        from form in Forms
        from judgement in Good.Select(word => (Word: word, Label: "POSITIVE")).Concat(Bad.Select(word => (Word: word, Label: "NEGATIVE")))
        select $"{judgement.Label}\t{form.Replace("{0}", subject, StringComparison.Ordinal).Replace("{1}", judgement.Word, StringComparison.Ordinal)}";

    /// <summary>Writes them with a first line that names the columns.</summary>
    public static void Write(string path) => File.WriteAllLines(path, ["label\tsentence", .. Lines]);
}
