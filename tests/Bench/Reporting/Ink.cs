using ScottPlot;

namespace Lab.Bench.Reporting;

/// <summary>
/// The colours of pictures. They are drawn in colours that nothing else has, and each is then replaced by a variable of the
/// report's style sheet, so that one picture suits light and dark.
/// </summary>
internal static class Ink
{
    public static readonly Color First = Color.FromHex("#0A0101");
    public static readonly Color Second = Color.FromHex("#0A0202");
    public static readonly Color Third = Color.FromHex("#0A0303");
    public static readonly Color Harm = Color.FromHex("#0A0404");
    public static readonly Color Axis = Color.FromHex("#0A0505");
    public static readonly Color Grid = Color.FromHex("#0A0606");

    /// <summary>The style sheet's variable for each colour, by the form in which the drawing has it.</summary>
    public static readonly IReadOnlyDictionary<string, string> Variables = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["#0A0101"] = "var(--first)",
        ["#0A0202"] = "var(--second)",
        ["#0A0303"] = "var(--third)",
        ["#0A0404"] = "var(--harm)",
        ["#0A0505"] = "var(--axis)",
        ["#0A0606"] = "var(--grid)",
    };
}
