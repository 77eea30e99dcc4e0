using System.CommandLine;
using System.Globalization;
using Lab.Worker.Compilation;

namespace Lab.Worker.ModelCommands;

/// <summary>Arguments and options that several commands have.</summary>
internal static class ModelArguments
{
    /// <summary>The model directory that a command reads.</summary>
    public static Argument<string> Directory() => new("dir") { Description = "A model directory: config.json, model.safetensors, vocab.txt." };

    /// <summary>What to compute with.</summary>
    public static Option<Precision> Precision() =>
        new("--precision") { DefaultValueFactory = _ => Compilation.Precision.Int8, Description = "int8 or fp32." };

    /// <summary>A list of whole numbers, such as <c>16,32,128</c>.</summary>
    /// <param name="name">The option's name.</param>
    /// <param name="standard">Its default.</param>
    /// <param name="maximum">The largest number allowed; the smallest is 1.</param>
    /// <param name="description">What it is for.</param>
    public static Option<int[]> Numbers(string name, int[] standard, int maximum, string description) => new(name)
    {
        DefaultValueFactory = _ => standard,
        Description = description,
        CustomParser = result =>
        {
            var numbers = new List<int>();
            foreach (var part in result.Tokens.SelectMany(token => token.Value.Split(',')))
            {
                if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1 || number > maximum)
                {
                    result.AddError($"{name}: \"{part}\" is not a number from 1 to {maximum}");
                    return [];
                }

                numbers.Add(number);
            }

            return [.. numbers];
        },
    };

    /// <summary>A whole number of at least one.</summary>
    public static Option<int> Number(string name, int standard, string description) =>
        new(name) { DefaultValueFactory = _ => standard, Description = description };
}
