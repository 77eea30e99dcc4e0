namespace Lab.Bench.Load;

/// <summary>The texts that are sent.</summary>
internal abstract class TextSource
{
    private const int RandomLength = 50;
    private const string RandomAlphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ        ";

    private static readonly string[] Sentences =
    [
        "I loved every minute of it.",
        "A dull, lifeless mess.",
        "The acting is superb and the story moves you to tears.",
        "What a waste of time and money.",
        "It arrived on time and works as described.",
        "The worst customer service I have ever had.",
        "An unexpectedly charming little film.",
        "I fell asleep halfway through.",
        "The soundtrack alone is worth the ticket.",
        "The plot makes no sense at all.",
        "Warm, funny and beautifully photographed.",
        "It broke after two days and nobody answers the phone.",
        "I would watch it again tomorrow.",
        "Two hours that I will never get back.",
        "The food was excellent and the staff were kind.",
        "A clumsy script and wooden performances.",
        "A brilliant, tense and moving thriller.",
        "The battery is empty before noon.",
        "Everyone in the audience laughed out loud.",
        "Neither funny nor clever.",
    ];

    /// <summary>In the words of the report.</summary>
    public abstract string Description { get; }

    /// <summary>Twenty built-in sentences, in turn.</summary>
    public static TextSource BuiltIn() => new InTurn([.. Sentences.Select(sentence => new Text(sentence))], "the built-in sentences");

    /// <summary>The lab's: 50 random letters and spaces, drawn for each request.</summary>
    /// <param name="seed">The same seed draws the same texts.</param>
    public static TextSource RandomLetters(int seed) => new Drawn(seed);

    /// <summary>Texts in turn.</summary>
    /// <param name="texts">At least one.</param>
    /// <param name="description">In the words of the report.</param>
    public static TextSource Of(IReadOnlyList<Text> texts, string description) => new InTurn(texts, description);

    /// <summary>A file of texts, one a line, or of pairs with a tab between them; empty lines are left out.</summary>
    /// <exception cref="BenchException">It cannot be read, there is no text in it, or a line has tabs and is no pair.</exception>
    public static TextSource FromFile(string path)
    {
        try
        {
            var texts = File.ReadLines(path).Index().Where(line => !string.IsNullOrWhiteSpace(line.Item)).Select(line => ReadLine(path, line.Index + 1, line.Item)).ToList();
            return texts.Count > 0 ? new InTurn(texts, $"{texts.Count} texts of {Path.GetFileName(path)}") : throw new BenchException(ExitCode.Usage, $"There is no text in {path}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BenchException(ExitCode.Usage, $"The texts cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The text of a request. May be called from several threads.</summary>
    /// <param name="number">The request's number, from 0.</param>
    public abstract Text Next(int number);

    private static Text ReadLine(string path, int number, string line) => line.Split('\t') switch
    {
        [var text] => new(text),
        [var text, var pair] when !string.IsNullOrWhiteSpace(text) && !string.IsNullOrWhiteSpace(pair) => new(text, pair),
        _ => throw new BenchException(ExitCode.Usage, $"Line {number} of {path} is neither a text without tabs nor two texts with a tab between them."),
    };

    private sealed class InTurn(IReadOnlyList<Text> texts, string description) : TextSource
    {
        public override string Description => description;

        public override Text Next(int number) => texts[number % texts.Count];
    }

    private sealed class Drawn(int seed) : TextSource
    {
        public override string Description => $"{RandomLength} random letters and spaces each";

        // Numbered rather than drawn in turn: the same requests in every run, whichever thread sends them.
        public override Text Next(int number) => new(new Random(HashCode.Combine(seed, number)).GetString(RandomAlphabet, RandomLength));
    }
}
