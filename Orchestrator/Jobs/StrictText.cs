using System.Text;

namespace Lab.Orchestrator.Jobs;

/// <summary>UTF-8 that is text, or nothing.</summary>
internal static class StrictText
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The text, or <c>null</c> where the bytes are none.</summary>
    public static string? Of(byte[] bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
