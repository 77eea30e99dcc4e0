namespace Lab.Worker.ModelCommands.Hub;

/// <summary>The hub does not give what was asked for. The message is one line, without any secret.</summary>
/// <param name="problem">What is wrong.</param>
internal sealed class HubException(string problem) : Exception(problem);
