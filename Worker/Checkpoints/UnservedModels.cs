namespace Lab.Worker.Checkpoints;

/// <summary>Why models that people have cannot be served, in a few words.</summary>
internal static class UnservedModels
{
    private const string Unigram = ", whose tokenizer is a unigram model (SentencePiece), which cannot be read";
    private const string Decoder = ", which has a decoder besides its encoder";

    // The model types, and how the names of their classes in transformers begin.
    private static readonly (string Type, string Class, string Why)[] Known =
    [
        ("xlm-roberta", "XLMRoberta", Unigram), ("xlm-roberta-xl", "XLMRobertaXL", Unigram), ("camembert", "Camembert", Unigram), ("albert", "Albert", Unigram),
        ("bart", "Bart", Decoder), ("mbart", "MBart", Decoder), ("t5", "T5", Decoder), ("mt5", "MT5", Decoder), ("led", "LED", Decoder),
    ];

    /// <summary>What a <c>model_type</c> is, such as ", which …"; empty where nothing is known of it.</summary>
    public static string WhyType(string type) => Array.Find(Known, model => model.Type == type).Why ?? "";

    /// <summary>What a name in <c>architectures</c> is, such as ", which …"; empty where nothing is known of it.</summary>
    public static string WhyClass(string name)
    {
        return name switch
        {
            _ when Ends("ForTokenClassification") => ", which labels tokens and not texts",
            _ when Ends("ForQuestionAnswering") => ", which finds answers within texts and has no labels",
            _ when Ends("ForMultipleChoice") => ", which chooses among texts and has no labels",
            _ when Ends("ForMaskedLM") || Ends("ForPreTraining") || Ends("ForCausalLM") || Ends("LMHeadModel") || Ends("ForNextSentencePrediction") =>
                ", which was trained to predict words or sentences and has no labels yet",
            _ when Ends("Model") => ", an encoder without a classifier",
            _ => Array.Find(Known, model => name == $"{model.Class}ForSequenceClassification").Why ?? "",
        };

        bool Ends(string end) => name.EndsWith(end, StringComparison.Ordinal);
    }
}
