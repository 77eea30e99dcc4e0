using System.Text;
using CsCheck;
using Lab.Worker.Checkpoints;

namespace Lab.Worker.Tests.Checkpoints;

public sealed class SafetensorsFileTests
{
    [Fact]
    public void Open_WellFormed_GivesEachTensorsBytes()
    {
        var header = """{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"__metadata__":{"x":"y"},"b":{"dtype":"F16","shape":[],"data_offsets":[3,5]}}""";
        Open(Bytes(header, [1, 2, 3, 4, 5]), file =>
        {
            Assert.Equal(["a", "b"], file.Entries.Keys.Order());
            Assert.Equal([1, 2, 3], file.Bytes(file.Entries["a"]).ToArray());
            Assert.Equal([4, 5], file.Bytes(file.Entries["b"]).ToArray());
        });
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7, "not within")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 9, "end at byte 8 of 9")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "not within")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}""", 8, "data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9223372036854775808]}}""", 8, "data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[9223372036854775799,9223372036854775807]}}""", 8, "not within")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "does not fill")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}""", 8, "does not fill")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", 8, "shape")]
    [InlineData("""{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}""", 8, "element type")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", 8, "data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","data_offsets":[0,8]}}""", 8, "shape")]
    [InlineData("""{"a":7}""", 8, "dtype")]
    [InlineData("""{"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[3,7]}}""", 7, "overlap")]
    [InlineData("""{"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[5,9]}}""", 9, "hole")]
    public void Open_BadEntry_NamesTensor(string header, int dataBytes, string expected)
    {
        var message = Refusal(Bytes(header, new byte[dataBytes]));

        Assert.Contains(expected, message, StringComparison.Ordinal);
        if (expected != "end at byte 8 of 9") Assert.Contains("tensor \"a\"", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", "not a JSON object")]
    [InlineData("{", "not JSON")]
    [InlineData("", "not JSON")]
    [InlineData("""{"__metadata__":7}""", "__metadata__ is not an object of strings")]
    [InlineData("""{"__metadata__":{"total":7}}""", "__metadata__ is not an object of strings")]
    [InlineData("""{"__metadata__":{"format":"tf"}}""", "__metadata__.format is \"tf\"; only pt")]
    [InlineData("""{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""", "Duplicate property 'a'")]
    [InlineData("""{"a":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}}""", "Duplicate property 'dtype'")]
    public void Open_BadHeader_IsRefused(string header, string expected) =>
        Assert.Contains(expected, Refusal(Bytes(header, [])), StringComparison.Ordinal);

    [Theory]
    [InlineData(1UL << 63)]
    [InlineData(ulong.MaxValue)]
    [InlineData(100_000_000UL)]
    [InlineData(3UL)]
    public void Open_HeaderLongerThanTheFile_IsRefusedUnread(ulong claimed) =>
        Assert.Contains($"header of {claimed} bytes", Refusal([.. BitConverter.GetBytes(claimed), 1, 2]), StringComparison.Ordinal);

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void Open_ShorterThanItsLengthField_IsRefused(int bytes) =>
        Assert.Contains($"has {bytes} bytes", Refusal(new byte[bytes]), StringComparison.Ordinal);

    [Fact]
    public void Open_TensorNameWithLineBreaks_MessageIsOneBoundedLine()
    {
        var name = string.Concat(Enumerable.Repeat("evil\\n", 1000));
        var message = Refusal(Bytes($$"""{"{{name}}":7}""", []));

        Assert.DoesNotContain('\n', message);
        Assert.InRange(message.Length, 1, 1000);
    }

    [Fact]
    public async Task Open_MillionsOfDimensions_TakesNoTimeAndMessageIsBounded()
    {
        var dimensions = string.Concat(Enumerable.Repeat("1,", 1_000_000));
        foreach (var last in (string[])["1", "[]"])
        {
            // With a time in proportion to the square this would take an hour.
            var message = await Task.Run(() => Refusal(Bytes($$$"""{"a":{"dtype":"U8","shape":[{{{dimensions}}}{{{last}}}],"data_offsets":[0,2]}}""", [0, 0])), TestContext.Current.CancellationToken)
                .WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

            Assert.Contains("tensor \"a\"", message, StringComparison.Ordinal);
            Assert.InRange(message.Length, 1, 2000);
        }
    }

    [Fact]
    public void Open_MissingFile_IsRefused()
    {
        using var directory = new TemporaryDirectory();

        var error = Assert.Throws<ModelDirectoryException>(() => SafetensorsFile.Open(directory.File("model.safetensors")));
        Assert.Contains("does not exist", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_AnyDamageToAGoodFile_IsReadOrRefused()
    {
        using var directory = TestModels.Write(TestModels.Small);
        var path = directory.File("model.safetensors");
        var good = File.ReadAllBytes(path);
        var headerEnd = 8 + (int)BitConverter.ToUInt64(good);
        Gen.Select(Gen.Int[0, headerEnd - 1], Gen.Byte, Gen.Int[0, good.Length]).Sample((position, value, length) =>
        {
            var bytes = good[..Math.Max(length, position + 1)];
            bytes[position] = value;
            File.WriteAllBytes(path, bytes);
            try
            {
                using var file = SafetensorsFile.Open(path);
                foreach (var entry in file.Entries.Values) _ = file.Bytes(entry).ToArray();
            }
            catch (ModelDirectoryException e)
            {
                Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
            }
        }, iter: 300, threads: 1);
    }

    private static byte[] Bytes(string header, byte[] data) =>
        [.. BitConverter.GetBytes((ulong)Encoding.UTF8.GetByteCount(header)), .. Encoding.UTF8.GetBytes(header), .. data];

    private static string Refusal(byte[] bytes)
    {
        var error = Assert.Throws<ModelDirectoryException>(() => Open(bytes, _ => { }));
        Assert.Contains("model.safetensors: ", error.Message, StringComparison.Ordinal);
        return error.Message;
    }

    private static void Open(byte[] bytes, Action<SafetensorsFile> check)
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllBytes(directory.File("model.safetensors"), bytes);
        using var file = SafetensorsFile.Open(directory.File("model.safetensors"));
        check(file);
    }
}
