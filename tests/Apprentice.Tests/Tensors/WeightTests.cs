using Apprentice.Tensors;

namespace Apprentice.Tests.Tensors;

public class WeightTests
{
    [Fact]
    public void Rows_of_a_matrix_and_elements_of_its_bias_move_alike()
    {
        int[] order = [2, 0, 3, 1];
        var matrix = Weight.FromValues("w", trainable: false, [0, 0, 1, 1, 2, 2, 3, 3], 4, 2);
        var bias = Weight.FromValues("b", trainable: false, [0, 1, 2, 3], 4);

        Assert.Equal([2, 2, 0, 0, 3, 3, 1, 1], matrix.WithRows(order).ToArray());
        Assert.Equal([2, 0, 3, 1], bias.WithRows(order).ToArray());
        Assert.Throws<ArgumentException>(() => bias.WithRows([0]));
    }
}
