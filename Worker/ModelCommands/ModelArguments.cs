using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;

namespace Lab.Worker.ModelCommands;

/// <summary>Arguments and options that several commands have.</summary>
internal static class ModelArguments
{
    /// <summary>The model directory that a command reads.</summary>
    public static Argument<string> Directory() => Directory("A model directory: config.json, model.safetensors, the tokenizer's files.");

    /// <summary>A directory.</summary>
    public static Argument<string> Directory(string description)
    {
        var directory = new Argument<string>("dir") { Description = description };
        directory.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: "" }]) result.AddError("dir is empty");
        });
        return directory;
    }

    /// <summary>The kind of model.</summary>
    public static Option<EncoderArchitecture> Architecture() => new("--architecture")
    {
        DefaultValueFactory = _ => Architectures.DistilBert,
        Description = $"The kind of model, one of {Architectures.Types}.",
        CustomParser = result =>
        {
            if (Architectures.Find(result.Tokens[0].Value) is { } known) return known;
            result.AddError($"--architecture: \"{result.Tokens[0].Value}\" is none of {Architectures.Types}");
            return null;
        },
    };

    /// <summary>What to compute with.</summary>
    public static Option<Precision> Precision() => OneOf("--precision", Compilation.Precision.Int8, "int8 or fp32.");

    /// <summary>One name of an enumeration; the numbers behind the names are none.</summary>
    public static Option<T> OneOf<T>(string name, T standard, string description)
        where T : struct, Enum => new(name)
        {
            DefaultValueFactory = _ => standard,
            Description = description,
            CustomParser = result => Names<T>(result, name) is [var value, ..] ? value : standard,
        };

    /// <summary>Several names of an enumeration, each once.</summary>
    public static Option<T[]> SomeOf<T>(string name, T standard, string description)
        where T : struct, Enum => new(name)
        {
            DefaultValueFactory = _ => [standard],
            Description = description,
            AllowMultipleArgumentsPerToken = true,
            CustomParser = result => Names<T>(result, name),
        };

    /// <summary>A list of whole numbers, such as <c>16,32,128</c>, each once.</summary>
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

            return [.. numbers.Distinct()];
        },
    };

    /// <summary>A whole number of at least one.</summary>
    public static Option<int> Number(string name, int standard, string description) =>
        new(name) { DefaultValueFactory = _ => standard, Description = description };

    private static T[] Names<T>(ArgumentResult result, string name)
        where T : struct, Enum
    {
        var names = Enum.GetNames<T>();
        var values = new List<T>();
        foreach (var token in result.Tokens)
        {
            if (Array.Find(names, one => one.Equals(token.Value, StringComparison.OrdinalIgnoreCase)) is not { } known)
            {
                result.AddError($"{name}: \"{token.Value}\" is none of {string.Join(", ", names.Select(one => one.ToLowerInvariant()))}");
                return [];
            }

            values.Add(Enum.Parse<T>(known));
        }

        return [.. values.Distinct()];
    }
}
