namespace Apprentice.Models.Weights;

/// <summary>The types of GGUF metadata values, with the numbers that the format gives them.</summary>
public enum GgufValueType
{
    UInt8 = 0,
    Int8 = 1,
    UInt16 = 2,
    Int16 = 3,
    UInt32 = 4,
    Int32 = 5,
    Float32 = 6,
    Bool = 7,
    String = 8,
    Array = 9,
    UInt64 = 10,
    Int64 = 11,
    Float64 = 12,
}

/// <summary>
/// One metadata value as it stands in the file: a number, bool or string of the .NET type that has the value type's
/// name, or an array of that type (<c>uint[]</c>, <c>string[]</c>, …; an array of arrays is a <c>GgufValue[]</c>).
/// </summary>
/// <param name="Type">The value's type.</param>
/// <param name="ElementType">The type of an array's elements; null where the value is no array.</param>
/// <param name="Value">The value.</param>
public sealed record GgufValue(GgufValueType Type, GgufValueType? ElementType, object Value)
{
    /// <summary>The type in words: "String" or "array of 3 Int32".</summary>
    public string Describe() => Value is Array array ? $"array of {array.Length} {ElementType}" : Type.ToString();
}
