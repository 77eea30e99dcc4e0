using Lab.Orchestrator.Jobs;
using Lab.ServiceDefaults.Contracts;
using Lab.ServiceDefaults.Contracts.Description;
using Microsoft.OpenApi;

namespace Lab.Orchestrator.Api;

/// <summary>What the OpenAPI document says of the orchestrator's own endpoints.</summary>
internal static class Descriptions
{
    private const string Job = """{"request_id":"0199d3c4-7c1e-7b5a-9a57-0f4f7d7e4c11","status":"queued","submitted_at":"2026-01-01T12:00:00Z"}""";
    private static readonly ApiTag Requests = new("Requests", "One text or pair in, its answer out, at once or as a job that is fetched later.");
    private static readonly ApiTag Fleet = new("Workers", "The workers, and which of them get work.");
    private const string Table = """{"worker-1":{"ip":"10.0.0.11","port":8000,"status":"free","completed":42,"failed":0}}""";

    public static EndpointDescription NewRequest { get; } = new("Classify one text or pair of texts")
    {
        Id = "newRequest",
        Tag = Requests,
        Details = "The text as JSON or as text/plain; without a body 50 random letters and spaces. With \"text_pair\" it is a pair of texts, of which the answer repeats the first. Too long a text loses its end, and the answer says so. A model for several labels at once adds \"labels\": all of probability 0.5 and more.",
        Bodies = [("application/json", """{"text":"What a wonderful film!"}"""), ("text/plain", "What a wonderful film!")],
        BodySchema = BodySchemas.Text,
        NeedsBody = false,
        Parameters =
        [
            ("Prefer", ParameterLocation.Header, "respond-async to fetch the answer later; wait=N for a deadline in seconds (RFC 7240)."),
            ("Idempotency-Key", ParameterLocation.Header, "With respond-async: the same key and body give the same job."),
        ],
        Answers =
        [
            new(200, "The answer", typeof(RequestAnswer), """
                {"request_id":"0199d3c4-7c1e-7b5a-9a57-0f4f7d7e4c11","worker":"worker-1","attempts":1,"batch_size":1,"queue_ms":0.1,"inference_ms":2.5,
                "input_text":"What a wonderful film!","truncated":false,"label":"POSITIVE","probabilities":[0.02,0.98]}
                """),
            new(202, "Accepted as a job", typeof(JobDocument), Job, Headers: [("Location", "Where to fetch the answer.", JsonSchemaType.String), ("Preference-Applied", "What was granted of Prefer.", JsonSchemaType.String)]),
        ],
        Refusals = [400, 413, 415, 422, 429, 502, 503, 504, 507],
    };

    public static EndpointDescription GetJob { get; } = new("A job's state, and its result or error once it has finished")
    {
        Id = "getJob",
        Tag = Requests,
        Answers = [new(200, "The job", typeof(JobDocument), Job)],
        Refusals = [404, 410, 503],
    };

    public static EndpointDescription CancelJob { get; } = new("Cancel a job")
    {
        Id = "cancelJob",
        Tag = Requests,
        Answers = [new(204, "Canceled")],
        Refusals = [404, 409, 410, 503, 507],
    };

    public static EndpointDescription Workers { get; } = new("The worker table")
    {
        Id = "getWorkers",
        Tag = Fleet,
        Details = "With ?stream the same table as server-sent events: once at first, then at each change, at most ten times a second.",
        Parameters = [("stream", ParameterLocation.Query, "Present, whatever its value: server-sent events.")],
        Answers = [new(200, "Every worker by its name", typeof(Dictionary<string, WorkerStatus>), Table)],
        Refusals = [429],
    };

    public static EndpointDescription Drain { get; } = new("Let a worker finish its work and give it no more")
    {
        Id = "drainWorker",
        Tag = Fleet,
        Answers = [new(204, "Done")],
        Refusals = [404],
    };

    public static EndpointDescription Resume { get; } = new("Take a drained worker back into service")
    {
        Id = "resumeWorker",
        Tag = Fleet,
        Answers = [new(204, "Done")],
        Refusals = [404],
    };
}
