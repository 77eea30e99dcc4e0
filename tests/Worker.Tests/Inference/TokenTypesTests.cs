using Lab.Worker.Inference;

namespace Lab.Worker.Tests.Inference;

/// <summary>Which tokens of a pair a directory's files give to the second text.</summary>
public sealed class TokenTypesTests
{
    [Theory]
    [InlineData(0, 5)]
    [InlineData(1, 3)]
    public void Read_TokenTypesOfATemplate_AreTheTokenizers(int type, int expected)
    {
        using var directory = new DirectoryWriter();
        directory.TokenizerJson(json =>
        {
            json["post_processor"]!["pair"]![3]!["Sequence"]!["type_id"] = type;
            json["post_processor"]!["pair"]![4]!["SpecialToken"]!["type_id"] = type;
        });

        var (_, tokenizer, weights, _) = ModelFiles.Read(directory.Path);
        weights.Dispose();

        Assert.Equal(expected, tokenizer.EncodePair("word1", "word2").SecondStart);
    }

    [Theory]
    [InlineData("""{"model_input_names":["input_ids","attention_mask"]}""", 5)]
    [InlineData("""{"model_input_names":["input_ids","attention_mask"],"tokenizer_class":"BertTokenizer"}""", 5)]
    [InlineData("""{"model_input_names":["input_ids","token_type_ids","attention_mask"]}""", 3)]
    [InlineData("""{"model_input_names":["input_ids","token_type_ids"],"tokenizer_class":"DistilBertTokenizerFast"}""", 3)]
    [InlineData("""{"model_input_names":null,"tokenizer_class":"DistilBertTokenizerFast"}""", 5)]
    [InlineData("""{"tokenizer_class":"DistilBertTokenizer"}""", 5)]
    [InlineData("""{"tokenizer_class":"BertTokenizer"}""", 3)]
    public void Read_TokenTypesAreNotGivenToTheModel_AllAreZero(string config, int expected)
    {
        using var directory = new DirectoryWriter();
        directory.Write("tokenizer_config.json", config);
        Check();
        directory.TokenizerJson(json =>
        {
            json["post_processor"]!["pair"]![3]!["Sequence"]!["type_id"] = 1;
            json["post_processor"]!["pair"]![4]!["SpecialToken"]!["type_id"] = 1;
        });
        Check();

        void Check()
        {
            var (_, tokenizer, weights, _) = ModelFiles.Read(directory.Path);
            weights.Dispose();
            Assert.Equal(expected, tokenizer.EncodePair("word1", "word2").SecondStart);
        }
    }
}
