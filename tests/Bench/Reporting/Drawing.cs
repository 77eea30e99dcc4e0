using System.Globalization;
using System.Xml.Linq;
using ScottPlot;

namespace Lab.Bench.Reporting;

/// <summary>
/// Draws a plot as SVG for the report. ScottPlot places and draws everything but letters, which would be those of whatever
/// fonts the machine has, or none: they are added as text in the page's own font.
/// </summary>
internal static class Drawing
{
    private const int Left = 56;
    private const int Right = 14;
    private const int Bottom = 44;
    private const int Top = 24;
    private const int TickGap = 8;

    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    /// <summary>Draws one plot in the report's two sizes.</summary>
    /// <param name="title">For those who do not see pictures.</param>
    /// <param name="fill">Puts the data into an empty plot; called for each size, told whether it is the narrow one.</param>
    /// <param name="xLabel">What the horizontal axis counts.</param>
    /// <param name="yLabel">What the vertical axis counts.</param>
    public static (string Wide, string Narrow) InBothSizes(string title, Action<Plot, bool> fill, string xLabel, string yLabel) =>
        (Draw(title, fill, xLabel, yLabel, 860, 320, narrow: false), Draw(title, fill, xLabel, yLabel, 400, 280, narrow: true));

    private static string Draw(string title, Action<Plot, bool> fill, string xLabel, string yLabel, int width, int height, bool narrow)
    {
        using var plot = new Plot();
        plot.FigureBackground.Color = Colors.Transparent;
        plot.DataBackground.Color = Colors.Transparent;
        plot.Grid.MajorLineColor = Ink.Grid;
        plot.Layout.Fixed(new PixelPadding(Left, Right, Bottom, Top));
        fill(plot, narrow);
        plot.Axes.Color(Ink.Axis);
        plot.Axes.Right.IsVisible = plot.Axes.Top.IsVisible = false;
        foreach (var axis in (IAxis[])[plot.Axes.Bottom, plot.Axes.Left])
        {
            axis.MinorTickStyle.Length = 0;
            axis.MajorTickStyle.Length = 0;
            axis.TickLabelStyle.IsVisible = false;
        }

        plot.Axes.Left.FrameLineStyle.Width = 0;
        plot.HideLegend();
        var drawing = XDocument.Parse(plot.GetSvgXml(width, height)).Root!;
        Adapt(drawing, width, height, title);
        AddLetters(drawing, plot, xLabel, yLabel, width, height);
        return drawing.ToString(SaveOptions.DisableFormatting);
    }

    private static void Adapt(XElement drawing, int width, int height, string title)
    {
        drawing.SetAttributeValue("width", null);
        drawing.SetAttributeValue("height", null);
        drawing.SetAttributeValue("viewBox", string.Create(CultureInfo.InvariantCulture, $"0 0 {width} {height}"));
        drawing.SetAttributeValue("role", "img");
        drawing.SetAttributeValue("aria-label", title);
        // Identities are unique in a page, not in a picture.
        var prefix = Guid.NewGuid().ToString("N")[..8];
        foreach (var element in drawing.Descendants().ToList())
        {
            if (element.Attribute("id") is { } id) id.Value = $"{prefix}-{id.Value}";
            if (element.Attribute("clip-path") is { } clip) clip.Value = clip.Value.Replace("url(#", $"url(#{prefix}-", StringComparison.Ordinal);
            foreach (var name in (string[])["fill", "stroke"])
            {
                if (element.Attribute(name) is not { } colour || !Ink.Variables.TryGetValue(colour.Value, out var variable)) continue;
                colour.Remove();
                element.SetAttributeValue("style", $"{(string?)element.Attribute("style")}{name}:{variable};");
            }
        }
    }

    private static void AddLetters(XElement drawing, Plot plot, string xLabel, string yLabel, int width, int height)
    {
        var data = plot.RenderManager.LastRender.DataRect;
        foreach (var tick in Within(plot.Axes.Bottom))
            drawing.Add(Letters(tick.Label, plot.Axes.Bottom.GetPixel(tick.Position, data), data.Bottom + 17, "middle"));
        foreach (var tick in Within(plot.Axes.Left))
            drawing.Add(Letters(tick.Label, data.Left - TickGap, plot.Axes.Left.GetPixel(tick.Position, data) + 4, "end"));
        drawing.Add(Letters(xLabel, width - Right, height - 6, "end"));
        drawing.Add(Letters(yLabel, 6, 13, "start"));

        static IEnumerable<Tick> Within(IAxis axis) => axis.TickGenerator.Ticks.Where(tick =>
            tick.IsMajor && tick.Label.Length > 0 && tick.Position >= axis.Range.Min && tick.Position <= axis.Range.Max);
    }

    private static XElement Letters(string text, float x, float y, string anchor) => new(Svg + "text",
        new XAttribute("x", x.ToString("0.#", CultureInfo.InvariantCulture)),
        new XAttribute("y", y.ToString("0.#", CultureInfo.InvariantCulture)),
        new XAttribute("text-anchor", anchor), text);
}
