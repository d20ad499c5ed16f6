using System.Numerics.Tensors;
using Apprentice.Tensors.Autograd;

namespace Apprentice.Tensors.Ops;

/// <summary>
/// Divergence of a student's distribution from a teacher's, a row of logits at a time, in nats (Hinton et al. 2015 for
/// the forward direction; Agarwal et al. 2023 for both). With p_s, p_t = softmax(logits / temperature); no factor of
/// temperature² is applied. Where the weighting distribution is 0, a term counts nothing.
/// </summary>
public static unsafe class KlDivergence
{
    /// <summary>KL(teacher || student) = sum(p_t (log p_t - log p_s)).</summary>
    /// <param name="student">Logits [rows, width]; kept for backward.</param>
    /// <param name="teacher">Logits [rows, width]; get no gradient, kept for backward.</param>
    /// <returns>[rows, 1].</returns>
    public static Tensor Forward(Tape tape, Tensor student, Tensor teacher, float temperature = 1) =>
        Apply(tape, student, teacher, temperature, reverse: false);

    /// <summary>KL(student || teacher) = sum(p_s (log p_s - log p_t)).</summary>
    /// <param name="student">Logits [rows, width]; kept for backward.</param>
    /// <param name="teacher">Logits [rows, width]; get no gradient, kept for backward.</param>
    /// <returns>[rows, 1].</returns>
    public static Tensor Reverse(Tape tape, Tensor student, Tensor teacher, float temperature = 1) =>
        Apply(tape, student, teacher, temperature, reverse: true);

    private static Tensor Apply(Tape tape, Tensor student, Tensor teacher, float temperature, bool reverse)
    {
        if (student.Rows != teacher.Rows || student.Columns != teacher.Columns)
        {
            throw new ArgumentException($"student [{student.Rows}, {student.Columns}], teacher [{teacher.Rows}, {teacher.Columns}]", nameof(teacher));
        }

        return RowOperation.Apply(tape, student, 1, new Function(tape.Values(teacher), temperature, reverse));
    }

    private readonly struct Function(float* teacher, float temperature, bool reverse) : IRowFunction
    {
        public void Forward(int row, float* x, float* y, int width, float* work)
        {
            float* student = work, target = work + width;
            LogProbabilities(row, x, width, student, target);
            *y = (float)Divergence(student, target, width);
        }

        public void Backward(int row, float* x, float* dy, float* dx, int width, float* work)
        {
            float* student = work, target = work + width;
            LogProbabilities(row, x, width, student, target);
            var divergence = reverse ? Divergence(student, target, width) : 0;
            for (var i = 0; i < width; i++)
            {
                var p = MathF.Exp(student[i]);
                var slope = !reverse ? p - MathF.Exp(target[i])
                    : p > 0 ? p * (student[i] - target[i] - (float)divergence)
                    : 0;
                dx[i] = slope * *dy / temperature;
            }
        }

        private void LogProbabilities(int row, float* x, int width, float* student, float* target)
        {
            Tempered(x, student, width, target + width);
            Tempered(teacher + (long)row * width, target, width, target + width);
        }

        private void Tempered(float* logits, float* logProbabilities, int width, float* work)
        {
            TensorPrimitives.Divide(new ReadOnlySpan<float>(logits, width), temperature, new Span<float>(logProbabilities, width));
            LogSoftmax.Row(logProbabilities, logProbabilities, width, work);
        }

        private double Divergence(float* student, float* target, int width)
        {
            float* of = reverse ? student : target, from = reverse ? target : student;
            var sum = 0.0;
            for (var i = 0; i < width; i++)
            {
                var p = Math.Exp(of[i]);
                sum += p > 0 ? p * ((double)of[i] - from[i]) : 0;
            }

            return sum;
        }
    }
}
