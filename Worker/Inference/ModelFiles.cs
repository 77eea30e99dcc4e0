using System.Security.Cryptography;
using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Tokenization;

namespace Lab.Worker.Inference;

/// <summary>A model directory's files, read and checked: all that can be done before the network is built.</summary>
/// <param name="Config">The model's shape.</param>
/// <param name="Tokenizer">Its tokeniser.</param>
/// <param name="Weights">Its weights.</param>
/// <param name="Sha256">SHA-256 of the weights, in lower-case hexadecimal.</param>
internal sealed record ModelFiles(EncoderConfig Config, ITokenizer Tokenizer, EncoderWeights Weights, string Sha256)
{
    private const int Sha256Digits = 2 * SHA256.HashSizeInBytes;

    /// <summary>Reads a directory. The weights are hashed, and the runtime is loaded, while the vocabulary is read.</summary>
    /// <param name="directory">The model directory.</param>
    /// <param name="notes">Where the weights' hash may be noted, or null: they are hashed.</param>
    /// <exception cref="ModelDirectoryException">The directory cannot be served.</exception>
    public static ModelFiles Read(string directory, HashNotes? notes = null)
    {
        if (!Directory.Exists(directory)) throw new ModelDirectoryException(directory, "is not a directory");
        var config = EncoderConfig.Read(directory);
        var weights = EncoderWeights.Open(directory, config);
        try
        {
            var hash = Task.Run(() => weights.Sha256(notes is null ? null : (path, compute) => notes.Get(path, Sha256Digits, compute)));
            try
            {
                OnnxRuntimeProcess.DisableTelemetry();
                _ = OnnxRuntimeProcess.Version;
                return new(config, Tokenizers.Read(directory, config), weights, hash.GetAwaiter().GetResult());
            }
            finally
            {
                // It reads memory that is about to be unmapped where reading the vocabulary has failed.
                ((IAsyncResult)hash).AsyncWaitHandle.WaitOne();
            }
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }
}
