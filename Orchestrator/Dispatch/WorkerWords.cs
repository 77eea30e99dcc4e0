using System.Text;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Dispatch;

/// <summary>What a worker says in words goes into logs, onto the cluster page and to clients: never as it is.</summary>
internal static class WorkerWords
{
    /// <summary>So many characters are kept of what it says.</summary>
    public const int MaxLength = 500;

    private const char Placeholder = '?';

    /// <summary>What it says, bounded, and with a question mark for all that moves a cursor, turns the direction of writing or is half a character.</summary>
    /// <param name="said">What it says.</param>
    /// <param name="maxLength">How many characters are kept of it.</param>
    public static string Plain(string said, int maxLength = MaxLength)
    {
        if (said.Length <= maxLength && WireName.IsPlain(said)) return said;
        var plain = new StringBuilder(Math.Min(said.Length, maxLength));
        for (var i = 0; i < said.Length;)
        {
            var isWhole = Rune.TryGetRuneAt(said, i, out var rune);
            var length = isWhole ? rune.Utf16SequenceLength : 1;
            if (plain.Length + length > maxLength) break;
            if (isWhole && WireName.IsPlain(rune)) plain.Append(said, i, length);
            else plain.Append(Placeholder);
            i += length;
        }

        return plain.ToString();
    }
}
