using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Lab.ServiceDefaults.Tests;

/// <summary>Keeps every log message for a test to look at.</summary>
internal sealed class RememberedLog : ILoggerProvider
{
    public ConcurrentQueue<string> Messages { get; } = new();

    public ILogger CreateLogger(string categoryName) => new Category(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class Category(RememberedLog log, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log.Messages.Enqueue($"{logLevel} {name}: {formatter(state, exception)}{(exception is null ? "" : $" {exception}")}");
    }
}
