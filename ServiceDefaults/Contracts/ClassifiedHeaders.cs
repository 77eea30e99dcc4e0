using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.OpenApi;

namespace Lab.ServiceDefaults.Contracts;

/// <summary>Who computed an answer and how long it took, where a protocol's body has no room for it.</summary>
public static class ClassifiedHeaders
{
    /// <summary>The header that names who computed.</summary>
    public const string Worker = "x-lab-worker";

    /// <summary>The header that tells the time before the dispatch, in milliseconds.</summary>
    public const string QueueTime = "x-queue-time";

    /// <summary>The header that tells the time of tokenisation and inference, in milliseconds.</summary>
    public const string InferenceTime = "x-inference-time";

    /// <summary>Each header with what it tells.</summary>
    internal static IReadOnlyList<(string Name, string What, JsonSchemaType Type)> Descriptions { get; } =
    [
        (Worker, "Who computed; several names with commas.", JsonSchemaType.String),
        (QueueTime, "Milliseconds before the dispatch, of several inputs the longest.", JsonSchemaType.Number),
        (InferenceTime, "Milliseconds of tokenisation and inference, of several dispatches the longest.", JsonSchemaType.Number),
    ];

    /// <summary>Writes what is known.</summary>
    internal static void Write(HttpResponse response, Classified classified)
    {
        var headers = response.Headers;
        if (classified.Worker is { } worker) headers[Worker] = worker;
        if (classified.QueueMs is { } queued) headers[QueueTime] = Milliseconds(queued);
        headers[InferenceTime] = Milliseconds(classified.InferenceMs);
    }

    private static string Milliseconds(double value) => value.ToString("F3", CultureInfo.InvariantCulture);
}
