using System.CommandLine;
using System.Globalization;
using Lab.ServiceDefaults.Contracts;
using Lab.Worker.Compilation;
using Lab.Worker.Tokenization;
using Spectre.Console;

namespace Lab.Worker.ModelCommands;

/// <summary><c>model eval</c>: accuracy on a labelled file, and what 8 bits cost of it.</summary>
internal static class EvalCommand
{
    private const int Batch = 32;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var directory = ModelArguments.Directory();
        var file = new Argument<string>("tsv") { Description = "Texts and labels: columns \"sentence\" (or \"text\") and \"label\", of pairs \"sentence1\" and \"sentence2\" (or \"text\" and \"text_pair\"), parted by tabs, named in the first line." };
        var within = new Option<double>("--within") { DefaultValueFactory = _ => 0.5, Description = "By how many points of accuracy int8 may fall behind fp32." };
        var agree = new Option<double>("--agree") { DefaultValueFactory = _ => 99, Description = "How many of a hundred texts must have the same label in int8 as in fp32." };
        var command = new Command("eval", "Measures the accuracy of int8 and fp32 on a labelled file; fails if int8 falls behind or differs.") { directory, file, within, agree };
        command.SetAction((parse, cancellationToken) => ModelCommand.GuardAsync(() =>
            Run(LoadedModel.Read(parse.GetRequiredValue(directory)), parse.GetRequiredValue(file), parse.GetValue(within), parse.GetValue(agree), cancellationToken)));
        return command;
    }

    private static int Run(LoadedModel model, string file, double within, double agree, CancellationToken cancellationToken)
    {
        if (model.Config is not { Problem: ProblemType.SingleLabel, Labels.Count: > 1 })
            throw new FormatException($"{model.Path}: accuracy is measured of models that choose one of several labels, and this one does not");
        var texts = LabelledTexts.Read(file, model.Config.Labels);
        if (texts.Any(text => text.Label is null)) throw new FormatException($"{file}: the first line names no column \"label\"");
        TokenizedText[] tokens = [.. texts.Select(text => text.Encode(model.Tokenizer))];
        var fp32 = Logits(model, tokens, Precision.Fp32, cancellationToken);
        var int8 = Logits(model, tokens, Precision.Int8, cancellationToken);
        if (fp32.Concat(int8).SelectMany(logits => logits).Any(logit => !float.IsFinite(logit)))
        {
            AnsiConsole.WriteLine("FAILED: a logit is not a finite number.");
            return ModelCommand.FailureExitCode;
        }

        var alike = 100.0 / texts.Count * fp32.Zip(int8).Count(pair => Best(pair.First) == Best(pair.Second));
        var largest = fp32.Zip(int8).Max(pair => pair.First.Zip(pair.Second).Max(logits => Math.Abs(logits.First - logits.Second)));

        var table = new Table().Border(TableBorder.Markdown).AddColumns("precision", "right", "of", "accuracy");
        table.AddRow("fp32", $"{Right(fp32)}", $"{texts.Count}", Percent(Right(fp32)));
        table.AddRow("int8", $"{Right(int8)}", $"{texts.Count}", Percent(Right(int8)));
        AnsiConsole.Write(table);
        var behind = 100.0 * (Right(fp32) - Right(int8)) / texts.Count;
        AnsiConsole.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Both say the same of {alike:F2} % of the texts; no logit differs by more than {largest:F3}."));
        var passed = behind <= within && alike >= agree;
        AnsiConsole.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{(passed ? "OK" : "FAILED")}: int8 is {Math.Abs(behind):F2} points {(behind > 0 ? "behind" : "ahead")}, {within:F2} behind are allowed; {agree:F2} % must be the same."));
        return passed ? 0 : ModelCommand.FailureExitCode;

        int Right(float[][] logits) => logits.Zip(texts).Count(pair => Best(pair.First) == pair.Second.Label);
        string Percent(int right) => (100.0 * right / texts.Count).ToString("F2", CultureInfo.InvariantCulture) + " %";
    }

    private static float[][] Logits(LoadedModel model, TokenizedText[] tokens, Precision precision, CancellationToken cancellationToken)
    {
        using var session = model.Open(new(precision));
        var logits = new List<float[]>(tokens.Length);
        foreach (var batch in tokens.Chunk(Batch))
        {
            cancellationToken.ThrowIfCancellationRequested();
            logits.AddRange(session.ComputeLogits(batch));
        }

        return [.. logits];
    }

    private static int Best(float[] logits) => Array.IndexOf(logits, logits.Max());
}
