namespace Lab.Bench.Commands;

/// <summary>What commands touch outside the program: <c>Program.cs</c> gives the real ones, tests their own.</summary>
/// <param name="Out">Results and progress.</param>
/// <param name="Error">What went wrong.</param>
/// <param name="OutIsTerminal">Whether somebody looks at the results as they come.</param>
/// <param name="Time">The clock.</param>
internal sealed record Surroundings(TextWriter Out, TextWriter Error, bool OutIsTerminal, TimeProvider Time);
