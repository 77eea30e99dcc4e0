using System.Globalization;

namespace Lab.Bench.Recording;

/// <summary>The order in which people list workers: <c>worker-2</c> before <c>worker-10</c>.</summary>
internal static class WorkerNames
{
    public static readonly IComparer<string> InOrder = StringComparer.Create(CultureInfo.InvariantCulture, CompareOptions.NumericOrdering);
}
