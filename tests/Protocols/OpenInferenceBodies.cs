namespace Lab.Tests.Protocols;

/// <summary>Bodies of <c>/infer</c> and what becomes of them, the same at each service.</summary>
public static class OpenInferenceBodies
{
    /// <summary>A body that is refused, and its status.</summary>
    public static TheoryData<string, int> Refused => new()
    {
        { "", 400 },
        { "{", 400 },
        { "{} x", 400 },
        { "[]", 422 },
        { "null", 422 },
        { "{}", 422 },
        { """{"inputs":[]}""", 400 },
        { """{"inputs":{}}""", 422 },
        { """{"inputs":[7]}""", 422 },
        { """{"id":7,"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":["a"]}]}""", 422 },
        { """{"parameters":[],"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":["a"]}]}""", 422 },
        { """{"inputs":[{"shape":[1],"datatype":"BYTES","data":["a"]}]}""", 422 },
        { """{"inputs":[{"name":"input0","shape":[1],"datatype":"BYTES","data":["a"]}]}""", 422 },
        { """{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":["a"]},{"name":"text","shape":[1],"datatype":"BYTES","data":["a"]}]}""", 422 },
        { """{"inputs":[{"name":"text","shape":[1],"datatype":"FP32","data":[1]}]}""", 422 },
        { """{"inputs":[{"name":"text","shape":[1],"data":["a"]}]}""", 422 },
        { """{"inputs":[{"name":"text","datatype":"BYTES","data":["a"]}]}""", 422 },
        { """{"inputs":[{"name":"text","shape":[],"datatype":"BYTES","data":["a"]}]}""", 422 },
        { """{"inputs":[{"name":"text","shape":[2],"datatype":"BYTES","data":["a"]}]}""", 422 },
        { """{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":["a","b"]}]}""", 422 },
        { """{"inputs":[{"name":"text","shape":[1,2],"datatype":"BYTES","data":["a","b"]}]}""", 422 },
        { """{"inputs":[{"name":"text","shape":[-1],"datatype":"BYTES","data":["a"]}]}""", 422 },
        { """{"inputs":[{"name":"text","shape":[1.5],"datatype":"BYTES","data":["a"]}]}""", 422 },
        { """{"inputs":[{"name":"text","shape":[1,1,1],"datatype":"BYTES","data":["a"]}]}""", 422 },
        { """{"inputs":[{"name":"text","shape":[2,1],"datatype":"BYTES","data":[["a","b"]]}]}""", 422 },
        { """{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":[["a"]]}]}""", 422 },
        { """{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":[7]}]}""", 422 },
        { """{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES"}]}""", 422 },
        { """{"inputs":[{"name":"text","shape":[0],"datatype":"BYTES","data":[]}]}""", 400 },
        { """{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":[" "]}]}""", 400 },
        { """{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":["\udc00"]}]}""", 400 },
        { """{"inputs":[{"name":"text","shape":[33],"datatype":"BYTES","data":["a"]}]}""", 413 },
        { """{"inputs":[{"name":"text","shape":[18446744073709551615],"datatype":"BYTES","data":["a"]}]}""", 413 },
        { """{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":["a"]}],"outputs":[{"name":"embedding"}]}""", 422 },
        { """{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":["a"]}],"outputs":{}}""", 422 },
    };
}
