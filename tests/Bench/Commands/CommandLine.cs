using System.CommandLine;

namespace Lab.Bench.Commands;

/// <summary>The command line as a user would type it again.</summary>
internal static class CommandLine
{
    /// <summary>How the program was called, from the solution's directory.</summary>
    public static string Text(ParseResult parse) =>
        "dotnet run -c Release --project tests/Bench -- " + string.Join(' ', parse.Tokens.Select(token => Quote(token.Value)));

    private static string Quote(string argument) =>
        argument.Length > 0 && argument.All(letter => char.IsAsciiLetterOrDigit(letter) || "-_./:=,+@%".Contains(letter))
            ? argument
            : $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
