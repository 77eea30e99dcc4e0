using System.Text.Json;

namespace Lab.Worker.Checkpoints;

/// <summary>Small JSON files of a model directory.</summary>
internal static class JsonFile
{
    /// <summary>Parses a file of at most <paramref name="maxBytes"/> bytes.</summary>
    /// <exception cref="ModelDirectoryException">The file is missing, unreadable, too large or not JSON.</exception>
    public static JsonDocument Read(string path, int maxBytes)
    {
        try
        {
            using var file = File.OpenRead(path);
            if (file.Length > maxBytes)
                throw new ModelDirectoryException(path, $"has {file.Length} bytes; more than {maxBytes} are not read");
            return JsonDocument.Parse(file);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelDirectoryException(path, "does not exist");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelDirectoryException(path, $"cannot be read: {e.Message}");
        }
        catch (JsonException e)
        {
            throw new ModelDirectoryException(path, $"is not JSON: {e.Message}");
        }
    }
}
