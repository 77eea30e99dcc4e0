using System.Text;
using Renci.SshNet;

namespace Lab.Ec2Deployer.Remote;

/// <summary>A command under way on a host.</summary>
internal sealed class RunningCommand : IDisposable
{
    private readonly SshCommand _command;
    private readonly Task _execution;
    private Stream? _input;

    private RunningCommand(SshCommand command, Task execution, Stream input) => (_command, _execution, _input) = (command, execution, input);

    /// <summary>Starts it. SSH.NET opens channels without awaiting, hence a thread of its own.</summary>
    public static Task<RunningCommand> StartAsync(SshClient client, HostCommand command, CancellationToken cancellationToken) =>
        OnThread(() =>
        {
            var ssh = client.CreateCommand(command.Line);
            try
            {
                var execution = ssh.ExecuteAsync(CancellationToken.None);
                return new RunningCommand(ssh, execution, OpenInput(ssh));
            }
            catch
            {
                ssh.Dispose();
                throw;
            }
        }, cancellationToken);

    private static Stream OpenInput(SshCommand command)
    {
        try
        {
            return command.CreateInputStream();
        }
        catch (InvalidOperationException)
        {
            // A quick command on a busy machine: it has ended already, and its exit code tells how. Nobody reads what is written.
            return Stream.Null;
        }
    }

    /// <summary>Writes to its standard input; waits while the host takes no more.</summary>
    public Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => OnThread(() =>
    {
        _input!.Write(bytes.Span);
        _input.Flush();
        return true;
    }, cancellationToken);

    /// <summary>Sends a whole stream to its standard input.</summary>
    /// <param name="content">What is sent, from where it stands.</param>
    /// <param name="sent">Told of the bytes of each piece.</param>
    /// <param name="cancellationToken">Stops between two pieces.</param>
    public Task WriteAsync(Stream content, Action<int> sent, CancellationToken cancellationToken) => OnThread(() =>
    {
        var buffer = new byte[256 * 1024];
        while (content.Read(buffer) is > 0 and var read)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _input!.Write(buffer, 0, read);
            sent(read);
        }

        _input!.Flush();
        return true;
    }, cancellationToken);

    /// <summary>Ends its standard input.</summary>
    public void CloseInput()
    {
        _input?.Dispose();
        _input = null;
    }

    /// <summary>The next line of its standard output, or null at its end.</summary>
    public Task<string?> ReadLineAsync(CancellationToken cancellationToken) => OnThread(() =>
    {
        var line = new List<byte>();
        while (_command.OutputStream.ReadByte() is >= 0 and var read)
        {
            if (read == '\n') return Encoding.UTF8.GetString([.. line]);
            line.Add((byte)read);
        }

        return line.Count > 0 ? Encoding.UTF8.GetString([.. line]) : null;
    }, cancellationToken);

    /// <summary>Waits for its end.</summary>
    /// <param name="limit">At most so many bytes of the end of each output are returned.</param>
    /// <param name="cancellationToken">Tells the command to end.</param>
    public async Task<CommandResult> WaitAsync(int limit, CancellationToken cancellationToken)
    {
        try
        {
            await _execution.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            _command.CancelAsync();
            throw;
        }

        return new(_command.ExitStatus ?? -1, End(_command.Result, limit), End(_command.Error, limit));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            CloseInput();
        }
        catch (Exception e) when (e is Renci.SshNet.Common.SshException or ObjectDisposedException)
        {
            // The connection is gone, and the command's input with it.
        }

        // Whoever disposes it early does not ask what becomes of it.
        _ = _execution.ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        _command.Dispose();
    }

    private static string End(string text, int limit) => text.Length <= limit ? text : text[^limit..];

    private static async Task<T> OnThread<T>(Func<T> work, CancellationToken cancellationToken) =>
        await Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).WaitAsync(cancellationToken);
}
