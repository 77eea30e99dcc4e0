using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lab.Ec2Deployer.Packaging;

/// <summary>
/// The list of a page's files that the SDK publishes beside a program. It tells when each was written on the machine that
/// built it: with that in it, the same sources would be another version in each checkout.
/// </summary>
internal static class AssetList
{
    /// <summary>How its name ends.</summary>
    public const string Suffix = ".staticwebassets.endpoints.json";

    // RFC 9110, 8.8.2. Browsers compare the files' entity tags, which are hashes and take precedence (13.1.3).
    private const string LastModified = "Last-Modified";
    private const string NoTime = "Sat, 01 Jan 2000 00:00:00 GMT";

    /// <summary>The list with one time for all files.</summary>
    /// <param name="list">The list in JSON; what is none is given back as it is.</param>
    public static byte[] WithoutTimes(byte[] list)
    {
        try
        {
            if (JsonNode.Parse(list) is not { } root) return list;
            foreach (var endpoint in root["Endpoints"]?.AsArray() ?? [])
            {
                foreach (var header in endpoint?["ResponseHeaders"]?.AsArray() ?? [])
                    if (header?["Name"]?.GetValue<string>() == LastModified) header["Value"] = NoTime;
            }

            return Encoding.UTF8.GetBytes(root.ToJsonString());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return list;
        }
    }
}
