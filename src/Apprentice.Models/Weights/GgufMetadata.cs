using System.Collections.ObjectModel;
using System.Numerics;
using Apprentice.Data;

namespace Apprentice.Models.Weights;

/// <summary>
/// A GGUF file's metadata. <c>Get…</c> demands a key of a fitting type; <c>Find…</c> gives null where the key is not
/// there. Writers differ in the width that they choose for a number, so any integer type serves for an integer.
/// </summary>
/// <param name="file">The file, for messages.</param>
/// <param name="values">Key to value.</param>
public sealed class GgufMetadata(string file, IDictionary<string, GgufValue> values) : ReadOnlyDictionary<string, GgufValue>(values)
{
    /// <exception cref="InputException">The key is missing or not a string; so for each of these.</exception>
    public string GetString(string key) => FindString(key) ?? throw Missing(key);

    public long GetInt64(string key) => FindInt64(key) ?? throw Missing(key);

    /// <summary>An integer from 0 to 2^31 − 1, as all sizes and counts of a model are.</summary>
    public int GetSize(string key) => FindSize(key) ?? throw Missing(key);

    public float GetFloat(string key) => FindFloat(key) ?? throw Missing(key);

    public bool GetBool(string key) => FindBool(key) ?? throw Missing(key);

    public string[] GetStrings(string key) => FindStrings(key) ?? throw Missing(key);

    public int[] GetInts(string key) => FindInts(key) ?? throw Missing(key);

    public float[] GetFloats(string key) => FindFloats(key) ?? throw Missing(key);

    public string? FindString(string key) => Find(key) is not { } v ? null : v.Value as string ?? throw Wrong(key, v, "a string");

    public long? FindInt64(string key) => Find(key) is not { } v ? null : Integer(v.Value) ?? throw Wrong(key, v, "an integer below 2^63");

    public int? FindSize(string key) =>
        Find(key) is not { } v ? null
        : Integer(v.Value) is { } n and >= 0 and <= int.MaxValue ? (int)n
        : throw Wrong(key, v, "an integer from 0 to 2147483647");

    public float? FindFloat(string key) => Find(key) switch
    {
        null => null,
        { Value: float f } => f,
        { Value: double d } => (float)d,
        var v => Integer(v.Value) ?? throw Wrong(key, v, "a number"),
    };

    public bool? FindBool(string key) => Find(key) is not { } v ? null : v.Value as bool? ?? throw Wrong(key, v, "a bool");

    public string[]? FindStrings(string key) => Find(key) is not { } v ? null : v.Value as string[] ?? throw Wrong(key, v, "an array of strings");

    public int[]? FindInts(string key) => Find(key) is not { } v
        ? null
        : (v.Value switch
        {
            // Not through Array covariance: a uint[] would pass for an int[] and turn large numbers negative.
            _ when v.ElementType == GgufValueType.Int32 => (int[])v.Value,
            _ when v.ElementType == GgufValueType.UInt8 => Narrow((byte[])v.Value),
            _ when v.ElementType == GgufValueType.Int8 => Narrow((sbyte[])v.Value),
            _ when v.ElementType == GgufValueType.UInt16 => Narrow((ushort[])v.Value),
            _ when v.ElementType == GgufValueType.Int16 => Narrow((short[])v.Value),
            _ when v.ElementType == GgufValueType.UInt32 => Narrow((uint[])v.Value),
            _ when v.ElementType == GgufValueType.UInt64 => Narrow((ulong[])v.Value),
            _ when v.ElementType == GgufValueType.Int64 => Narrow((long[])v.Value),
            _ => null,
        }) ?? throw Wrong(key, v, "an array of 32-bit integers");

    public float[]? FindFloats(string key) => Find(key) switch
    {
        null => null,
        { Value: float[] f } => f,
        { Value: double[] d } => Array.ConvertAll(d, x => (float)x),
        var v => throw Wrong(key, v, "an array of floats"),
    };

    private GgufValue? Find(string key) => TryGetValue(key, out var value) ? value : null;

    private static long? Integer(object value) => value switch
    {
        byte n => n,
        sbyte n => n,
        ushort n => n,
        short n => n,
        uint n => n,
        int n => n,
        long n => n,
        ulong n and <= long.MaxValue => (long)n,
        _ => null,
    };

    private static int[]? Narrow<T>(T[] values)
        where T : IBinaryInteger<T>
    {
        try
        {
            return Array.ConvertAll(values, int.CreateChecked);
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    private InputException Missing(string key) => new("bad_gguf", $"the metadata has no '{key}'", file);

    private InputException Wrong(string key, GgufValue value, string wanted) =>
        new("bad_gguf", $"metadata '{key}' should be {wanted}; it is {value.Describe()}{(value.Value is Array or string ? "" : $" {value.Value}")}", file);
}
