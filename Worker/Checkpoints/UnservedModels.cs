namespace Lab.Worker.Checkpoints;

/// <summary>Why models that people have cannot be served, in a few words.</summary>
internal static class UnservedModels
{
    /// <summary>What a <c>model_type</c> is, such as ", which …"; empty where nothing is known of it.</summary>
    public static string WhyType(string type) => type switch
    {
        "xlm-roberta" or "xlm-roberta-xl" or "camembert" or "albert" => ", whose tokenizer is a unigram model (SentencePiece), which cannot be read",
        "bart" or "mbart" or "t5" or "mt5" or "pegasus" or "marian" or "led" or "m2m_100" or "encoder-decoder" => ", which has a decoder besides its encoder",
        "gpt2" or "gpt_neo" or "gpt_neox" or "opt" or "llama" or "mistral" or "qwen2" or "qwen3" or "gemma" or "phi" => ", which is a decoder and no encoder",
        _ => "",
    };

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
            _ => "",
        };

        bool Ends(string end) => name.EndsWith(end, StringComparison.Ordinal);
    }
}
