using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Apprentice.Tensors.Memory;

namespace Apprentice.Tensors.Kernels;

/// <summary>Work that falls into numbered parts which may run in any order on any thread.</summary>
internal interface IJob
{
    /// <summary>Does one part. A part must not depend on which thread runs it.</summary>
    void Run(int part, Scratch scratch);
}

/// <summary>Memory that belongs to one worker and is reused from part to part.</summary>
internal sealed unsafe class Scratch
{
    private NativeBuffer _buffer = new(0);

    /// <summary>Memory for so many floats, contents undefined; the previous rental of the same worker is over.</summary>
    public float* Floats(long count)
    {
        if (_buffer.Bytes < count * sizeof(float))
        {
            _buffer.Dispose();
            _buffer = new NativeBuffer(count * sizeof(float), zero: false);
        }

        return _buffer.Floats;
    }
}

/// <summary>
/// Threads that wait for parallel work by spinning briefly, then parking. The caller works too. Results never depend
/// on the number of threads, because parts are fixed by the shapes and each output is written by one part.
/// </summary>
/// <remarks>One parallel loop at a time; an empty one costs about a microsecond (Parallel.For: 11-16).</remarks>
internal sealed unsafe class WorkerTeam : IDisposable
{
    private const int SpinsBeforeParking = 4_000;
    private const int Closed = int.MinValue;

    private readonly Thread[] _threads;
    private readonly Scratch[] _scratches;
    private readonly object _wake = new();
    private readonly Lock _running = new();
    private delegate*<void*, int, Scratch, void> _body;
    private void* _job;
    private int _parts;
    private int _next;
    private int _members = Closed; // workers inside the current loop, plus Closed when no more may enter
    private int _parked;
    private volatile int _generation;
    private volatile bool _stopping;
    private Exception? _failure;

    public WorkerTeam(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        _scratches = [.. Enumerable.Range(0, threads).Select(_ => new Scratch())];
        _threads = [.. Enumerable.Range(1, threads - 1).Select(Start)];
    }

    public int Threads => _scratches.Length;

    /// <summary>Runs all parts and returns when all are done; the first exception of a part is rethrown.</summary>
    public void Run<TJob>(int parts, TJob job)
        where TJob : struct, IJob
    {
        if (parts <= 0)
        {
            return;
        }

        lock (_running)
        {
            if (parts == 1 || _threads.Length == 0)
            {
                for (var part = 0; part < parts; part++)
                {
                    job.Run(part, _scratches[0]);
                }

                return;
            }

            // The job lives in this frame, which outlasts the work: workers may point into it.
            _body = &RunPart<TJob>;
            _job = Unsafe.AsPointer(ref job);
            _parts = parts;
            _next = 0;
            _failure = null;
            Volatile.Write(ref _members, 0);
            Interlocked.Increment(ref _generation);
            WakeParked();
            Work(_scratches[0]);

            // Nothing is left to begin: a worker that has not woken up yet (a busy machine) need not be waited for.
            Interlocked.Or(ref _members, Closed);
            var spin = default(SpinWait);
            while (Volatile.Read(ref _members) != Closed)
            {
                spin.SpinOnce(sleep1Threshold: -1);
            }

            if (_failure is { } failure)
            {
                ExceptionDispatchInfo.Throw(failure);
            }
        }
    }

    public void Dispose()
    {
        _stopping = true;
        Interlocked.Increment(ref _generation);
        WakeParked();
        foreach (var thread in _threads)
        {
            thread.Join();
        }
    }

    private static void RunPart<TJob>(void* job, int part, Scratch scratch)
        where TJob : struct, IJob => Unsafe.AsRef<TJob>(job).Run(part, scratch);

    private Thread Start(int index)
    {
        var thread = new Thread(() => Loop(_scratches[index])) { IsBackground = true, Name = $"tensor worker {index}" };
        thread.Start();
        return thread;
    }

    private void Loop(Scratch scratch)
    {
        var seen = 0;
        while (true)
        {
            for (var spins = 0; _generation == seen; spins++)
            {
                if (spins < SpinsBeforeParking)
                {
                    Thread.SpinWait(4);
                    continue;
                }

                Park(seen);
            }

            seen = _generation;
            if (_stopping)
            {
                return;
            }

            if (TryEnter())
            {
                Work(scratch);
                Interlocked.Decrement(ref _members);
            }
        }
    }

    private bool TryEnter()
    {
        int members;
        do
        {
            members = Volatile.Read(ref _members);
            if (members < 0)
            {
                return false;
            }
        }
        while (Interlocked.CompareExchange(ref _members, members + 1, members) != members);

        return true;
    }

    /// <summary>
    /// Sleeps until the generation moves on. Announces first, then looks: a caller that did not see the announcement
    /// has moved the generation on already.
    /// </summary>
    private void Park(int seen)
    {
        Interlocked.Increment(ref _parked);
        lock (_wake)
        {
            while (_generation == seen)
            {
                Monitor.Wait(_wake);
            }
        }

        Interlocked.Decrement(ref _parked);
    }

    private void WakeParked()
    {
        if (Volatile.Read(ref _parked) > 0)
        {
            lock (_wake)
            {
                Monitor.PulseAll(_wake);
            }
        }
    }

    private void Work(Scratch scratch)
    {
        try
        {
            int part;
            while ((part = Interlocked.Increment(ref _next) - 1) < _parts)
            {
                _body(_job, part, scratch);
            }
        }
        catch (Exception failure)
        {
            Interlocked.CompareExchange(ref _failure, failure, null);
            Volatile.Write(ref _next, int.MaxValue / 2);
        }
    }
}
