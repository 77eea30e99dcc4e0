namespace Lab.Worker.Compilation;

/// <summary>What a model is computed with.</summary>
internal enum Precision
{
    /// <summary>8-bit weights and activations in matrix products, 32-bit floats elsewhere.</summary>
    Int8,

    /// <summary>32-bit floats throughout.</summary>
    Fp32,
}
