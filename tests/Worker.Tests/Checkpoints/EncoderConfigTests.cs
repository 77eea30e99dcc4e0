using Lab.Worker.Checkpoints;

namespace Lab.Worker.Tests.Checkpoints;

public sealed class EncoderConfigTests
{
    [Fact]
    public void Read_BundledModel_LabelsInTheOrderOfTheirIds()
    {
        var config = EncoderConfig.Read(TestModels.Bundled);

        Assert.Equal(["NEGATIVE", "POSITIVE"], config.Labels);
        Assert.Equal(Activation.Gelu, config.Activation);
    }

    [Fact]
    public void Read_IdsOutOfOrder_LabelsInTheOrderOfTheirIds()
    {
        var config = Read("""{"id2label":{"10":"k","2":"c","0":"a","1":"b","3":"d","4":"e","5":"f","6":"g","7":"h","8":"i","9":"j"}}""");

        Assert.Equal("abcdefghijk", string.Concat(config.Labels));
    }

    [Fact]
    public void Read_AbsentMembers_HaveHuggingFacesDefaults()
    {
        var config = Read("{}");

        Assert.Equal((768, 3072, 12, 6, 512, 30522), (config.Dim, config.HiddenDim, config.Heads, config.Layers, config.MaxPositions, config.VocabSize));
        Assert.Equal(["LABEL_0", "LABEL_1"], config.Labels);
    }

    [Theory]
    [InlineData("distilbert", 6, 30522, 512, 0, 0, 1)]
    [InlineData("bert", 12, 30522, 512, 2, 0, 2)]
    [InlineData("roberta", 12, 50265, 510, 2, 1, 1)]
    public void Read_NothingButAType_HasItsDefaults(string type, int layers, int words, int positions, int typeRows, int padId, int types)
    {
        var config = Read($$"""{"model_type":"{{type}}"}""");

        Assert.Equal(type, config.Architecture.ModelType);
        Assert.Equal((768, 3072, 12, 1e-12f, Activation.Gelu), (config.Dim, config.HiddenDim, config.Heads, config.LayerNormEpsilon, config.Activation));
        Assert.Equal((layers, words, positions, 512, typeRows, padId, types), (config.Layers, config.VocabSize, config.MaxPositions, config.PositionRows, config.TypeRows, config.PadId, config.TokenTypes));
        Assert.Equal(type is "roberta" ? TokenizerKind.ByteLevel : TokenizerKind.WordPiece, config.Tokenizer);
    }

    [Fact]
    public void Read_MembersOfRoberta_AreUnderstood()
    {
        var config = Read("""
            {"model_type":"roberta","hidden_size":64,"intermediate_size":100,"num_attention_heads":4,"num_hidden_layers":3,"hidden_act":"relu","layer_norm_eps":1e-5,
             "max_position_embeddings":514,"pad_token_id":1,"type_vocab_size":1,"vocab_size":50265}
            """);

        Assert.Equal((64, 100, 4, 3, Activation.Relu, 1e-5f), (config.Dim, config.HiddenDim, config.Heads, config.Layers, config.Activation, config.LayerNormEpsilon));
        Assert.Equal((512, 2, 1, 1), (config.MaxPositions, config.FirstPosition, config.TypeRows, config.TokenTypes));
    }

    [Fact]
    public void Read_NamesThatAllModelsHave_AreUnderstood()
    {
        var config = Read("""{"hidden_size":64,"dim":64,"num_attention_heads":4,"num_hidden_layers":3}""");

        Assert.Equal((64, 4, 3), (config.Dim, config.Heads, config.Layers));
    }

    [Theory]
    [InlineData("""{"problem_type":null}""", "SingleLabel", 2)]
    [InlineData("""{"problem_type":"single_label_classification","num_labels":3}""", "SingleLabel", 3)]
    [InlineData("""{"problem_type":"multi_label_classification","id2label":{"0":"LABEL_0","1":"LABEL_1","2":"LABEL_2"}}""", "MultiLabel", 3)]
    [InlineData("""{"problem_type":"regression","num_labels":1}""", "Regression", 1)]
    [InlineData("""{"num_labels":1}""", "SingleLabel", 1)]
    public void Read_ProblemType_IsKeptWithItsLabels(string json, string problem, int labels)
    {
        var config = Read(json);

        Assert.Equal(problem, $"{config.Problem}");
        Assert.Equal(Enumerable.Range(0, labels).Select(id => $"LABEL_{id}"), config.Labels);
    }

    [Theory]
    [InlineData("[]", "not a JSON object")]
    [InlineData("{", "not JSON")]
    [InlineData("", "not JSON")]
    [InlineData("""{"model_type":"electra"}""", "model_type is \"electra\"; only distilbert, bert and roberta can be served")]
    [InlineData("""{"model_type":7}""", "model_type")]
    [InlineData("""{"problem_type":"ranking"}""", "problem_type is \"ranking\"; it must be single_label_classification")]
    [InlineData("""{"problem_type":7}""", "problem_type is not a string")]
    [InlineData("""{"model_type":null}""", "model_type is missing")]
    [InlineData("""{"dim":768,"hidden_size":512}""", "dim is 768, but hidden_size is 512")]
    [InlineData("""{"num_attention_heads":5}""", "multiple of n_heads (5)")]
    [InlineData("""{"pruned_heads":{"0":[1]}}""", "pruned_heads")]
    [InlineData("""{"quantization_config":{"bits":4}}""", "quantization_config")]
    [InlineData("""{"dim":768,"dim":768}""", "Duplicate property 'dim'")]
    [InlineData("""{"task_specific_params":{"summarization":{},"text-classification":{"problem_type":"regression"}}}""", "task_specific_params.text-classification replaces")]
    [InlineData("""{"auto_map":{"AutoModel":"a.B"}}""", "auto_map")]
    [InlineData("""{"architectures":["DistilBertForMaskedLM"]}""", "architectures is \"DistilBertForMaskedLM\", which was trained to predict words or sentences and has no labels yet; only DistilBertForSequenceClassification")]
    [InlineData("""{"tokenizer_class":"BertJapaneseTokenizer"}""", "tokenizer_class is \"BertJapaneseTokenizer\"")]
    [InlineData("""{"is_decoder":true}""", "is_decoder is true; only false")]
    [InlineData("""{"position_embedding_type":"relative_key"}""", "position_embedding_type")]
    [InlineData("""{"rope_scaling":{"factor":2}}""", "rope_scaling is {\"factor\":2}, and what that does is not known")]
    [InlineData("""{"dim":-1}""", "dim is -1")]
    [InlineData("""{"dim":0}""", "dim is 0")]
    [InlineData("""{"dim":768.5}""", "dim")]
    [InlineData("""{"dim":"768"}""", "dim")]
    [InlineData("""{"dim":99999999999999}""", "dim")]
    [InlineData("""{"dim":770}""", "multiple of n_heads")]
    [InlineData("""{"n_heads":0}""", "n_heads is 0")]
    [InlineData("""{"n_layers":0}""", "n_layers is 0")]
    [InlineData("""{"n_layers":2000000000}""", "n_layers")]
    [InlineData("""{"hidden_dim":0}""", "hidden_dim is 0")]
    [InlineData("""{"max_position_embeddings":2}""", "max_position_embeddings is 2")]
    [InlineData("""{"vocab_size":0}""", "vocab_size is 0")]
    [InlineData("""{"activation":"swish"}""", "activation")]
    [InlineData("""{"num_labels":0}""", "num_labels is 0")]
    [InlineData("""{"id2label":{}}""", "num_labels is 0")]
    [InlineData("""{"num_labels":2000000000}""", "num_labels is 2000000000")]
    [InlineData("""{"num_labels":3,"id2label":{"0":"a","1":"b"}}""", "num_labels is 3")]
    [InlineData("""{"id2label":{"0":"a","2":"b"}}""", "id \"2\"")]
    [InlineData("""{"id2label":{"0":"a","x":"b"}}""", "id \"x\"")]
    [InlineData("""{"id2label":{"0":"a","1":7}}""", "no name for the id 1")]
    [InlineData("""{"id2label":{"0":"a","1":"a"}}""", "same label twice")]
    [InlineData("""{"id2label":{"0":"a","1":"b\n"}}""", "id2label has a name for the id 1 that is longer than 256 characters, or has one in it that ends a line")]
    [InlineData("""{"id2label":{"0":"a\u001b[2J","1":"b"}}""", "a name for the id 0")]
    [InlineData("""{"id2label":{"0":"a","1":"\u202eb"}}""", "a name for the id 1")]
    [InlineData("""{"id2label":["a","b"]}""", "id2label is not an object")]
    [InlineData("""{"model_type":"bert","hidden_size":770}""", "hidden_size (770) is not a multiple of num_attention_heads (12)")]
    [InlineData("""{"model_type":"bert","intermediate_size":0}""", "intermediate_size is 0; it must be 1 to")]
    [InlineData("""{"model_type":"bert","num_hidden_layers":0}""", "num_hidden_layers is 0")]
    [InlineData("""{"model_type":"bert","hidden_act":"gelu_new"}""", "hidden_act is \"gelu_new\"; it must be gelu or relu")]
    [InlineData("""{"model_type":"bert","layer_norm_eps":0}""", "layer_norm_eps is 0; it must be above 0, and 1 at most")]
    [InlineData("""{"model_type":"bert","layer_norm_eps":-1}""", "layer_norm_eps is -1")]
    [InlineData("""{"model_type":"bert","layer_norm_eps":1e999}""", "layer_norm_eps is Infinity")]
    [InlineData("""{"model_type":"bert","layer_norm_eps":"small"}""", "layer_norm_eps is not a number")]
    [InlineData("""{"model_type":"bert","type_vocab_size":0}""", "type_vocab_size is 0; it must be 1 to 1024")]
    [InlineData("""{"model_type":"bert","position_embedding_type":"relative_key_query"}""", "position_embedding_type is \"relative_key_query\"; only \"absolute\"")]
    [InlineData("""{"model_type":"bert","is_decoder":true}""", "is_decoder is true; only false")]
    [InlineData("""{"model_type":"bert","add_cross_attention":true}""", "add_cross_attention is true; only false")]
    [InlineData("""{"model_type":"bert","dim":768}""", "dim is 768, and what that does is not known")]
    [InlineData("""{"model_type":"bert","embedding_size":128}""", "embedding_size is 128, and what that does is not known")]
    [InlineData("""{"model_type":"roberta","pad_token_id":-1}""", "pad_token_id is -1; it must be 0 to 50264")]
    [InlineData("""{"model_type":"roberta","pad_token_id":2147483647}""", "pad_token_id is 2147483647; it must be 0 to 50264")]
    [InlineData("""{"model_type":"roberta","pad_token_id":510}""", "max_position_embeddings is 512; it must be 515 to 16895")]
    [InlineData("""{"model_type":"roberta","max_position_embeddings":4}""", "max_position_embeddings is 4; it must be 6 to 16386")]
    [InlineData("""{"model_type":"roberta","max_position_embeddings":-2147483648}""", "max_position_embeddings is -2147483648; it must be 6 to 16386")]
    [InlineData("""{"model_type":"roberta","tokenizer_class":"PhobertTokenizer"}""", "tokenizer_class is \"PhobertTokenizer\"")]
    [InlineData("""{"model_type":"xlm-roberta"}""", "model_type is \"xlm-roberta\", whose tokenizer is a unigram model (SentencePiece), which cannot be read; only")]
    [InlineData("""{"model_type":"t5"}""", "model_type is \"t5\", which has a decoder besides its encoder; only")]
    [InlineData("""{"model_type":"bert","architectures":["BertModel"]}""", "architectures is \"BertModel\", an encoder without a classifier; only BertForSequenceClassification")]
    [InlineData("""{"model_type":"bert","architectures":["BertForQuestionAnswering"]}""", "which finds answers within texts and has no labels")]
    [InlineData("""{"model_type":"bert","architectures":[7]}""", "architectures is 7; only BertForSequenceClassification")]
    [InlineData("""{"model_type":"roberta","architectures":["RobertaForMaskedLM","RobertaModel"]}""", "architectures is \"RobertaForMaskedLM\", \"RobertaModel\"; only RobertaForSequenceClassification")]
    public void Read_ImpossibleValue_NamesFileAndMember(string json, string expected)
    {
        var error = Assert.Throws<ModelDirectoryException>(() => Read(json));

        Assert.Contains("config.json: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private static EncoderConfig Read(string json)
    {
        using var directory = new TemporaryDirectory();
        if (json.StartsWith('{') && json.EndsWith('}') && !json.Contains("model_type", StringComparison.Ordinal))
            json = json is "{}" ? """{"model_type":"distilbert"}""" : $$"""{"model_type":"distilbert",{{json[1..]}}""";
        File.WriteAllText(directory.File("config.json"), json);
        return EncoderConfig.Read(directory.Path);
    }
}
