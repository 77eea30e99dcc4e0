using System.Globalization;
using System.Net;
using System.Text;

namespace Lab.Bench.Reporting;

/// <summary>A picture of the report.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="Caption">What is to be seen in it.</param>
/// <param name="Legend">What each colour is: the style sheet's variable without its dashes, and the words.</param>
/// <param name="Wide">For screens, as SVG.</param>
/// <param name="Narrow">For telephones, as SVG: a wide one made smaller could not be read there.</param>
internal sealed record Picture(string Title, string Caption, IReadOnlyList<(string Variable, string Text)> Legend, string Wide, string Narrow)
{
    /// <summary>As a figure of the report.</summary>
    public string ToHtml()
    {
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"<figure><h3>{WebUtility.HtmlEncode(Title)}</h3>");
        if (Legend.Count > 0)
        {
            html.Append("<p class=\"legend\">");
            foreach (var (variable, text) in Legend)
                html.Append(CultureInfo.InvariantCulture, $"<span><i style=\"background:var(--{variable})\"></i>{WebUtility.HtmlEncode(text)}</span>");
            html.Append("</p>");
        }

        html.Append(CultureInfo.InvariantCulture, $"<div class=\"wide\">{Wide}</div><div class=\"narrow\">{Narrow}</div><figcaption>{WebUtility.HtmlEncode(Caption)}</figcaption></figure>");
        return html.ToString();
    }
}
