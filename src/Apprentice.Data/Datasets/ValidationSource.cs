using System.Globalization;

namespace Apprentice.Data.Datasets;

/// <summary>
/// What <c>--validation</c> says: <c>none</c>, a fraction such as <c>0.1</c> or <c>10%</c>, a number of examples such as <c>50</c>, or a file.
/// </summary>
public static class ValidationSource
{
    /// <summary>Splits the examples as said; a file is read in its own format and everything in <paramref name="train"/> is trained on.</summary>
    public static Split Apply(string validation, Dataset train, ulong seed)
    {
        if (validation == "none")
        {
            return Split.None(train.Examples);
        }

        if (int.TryParse(validation, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            return Split.ByCount(train.Examples, count, seed);
        }

        var percent = validation.EndsWith('%');
        if (double.TryParse(percent ? validation[..^1] : validation, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var fraction))
        {
            return Split.ByFraction(train.Examples, percent ? fraction / 100 : fraction, seed);
        }

        return new Split(train.Examples, DatasetReader.Read(validation).Examples);
    }
}
