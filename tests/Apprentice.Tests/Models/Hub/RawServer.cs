using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Apprentice.Tests.Models.Hub;

/// <summary>What was asked for.</summary>
internal sealed record RawRequest(string Target, IReadOnlyDictionary<string, string> Headers)
{
    public string? Header(string name) => Headers.GetValueOrDefault(name);

    /// <summary>The first byte that is asked for, or null for all.</summary>
    public long? From => Header("Range") is { } range ? long.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture) : null;
}

/// <summary>What is answered, whether it makes sense or not.</summary>
internal sealed record RawAnswer(int Status, byte[] Body, params (string Name, string Value)[] Headers)
{
    /// <summary>What Content-Length says; null: the truth. Negative: nothing, the end of the connection is the end of the body.</summary>
    public long? Length { get; init; }

    /// <summary>The connection is cut after so many bytes of the body.</summary>
    public int CutAfter { get; init; } = int.MaxValue;

    /// <summary>The connection stays open after that, and nothing comes.</summary>
    public bool Stalls { get; init; }

    /// <summary>The body comes in pieces of 4 kB with so long between them.</summary>
    public TimeSpan Pause { get; init; }

    public static RawAnswer Redirect(string to, params (string, string)[] headers) => new(302, [], [("Location", to), .. headers]);
}

/// <summary>
/// A web server that does what it is told, on a port of its own: it can lie, stall, and cut the connection. One request a connection. It
/// stops when it is disposed.
/// </summary>
internal sealed class RawServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<RawRequest, RawAnswer> _answer;
    private readonly ConcurrentQueue<RawRequest> _requests = new();

    public RawServer(Func<RawRequest, RawAnswer> answer)
    {
        _answer = answer;
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
        _ = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>In the order in which they came.</summary>
    public IReadOnlyList<RawRequest> Requests => [.. _requests];

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptSocketAsync(_stop.Token), _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(Socket socket, CancellationToken stop)
    {
        using (socket)
        {
            try
            {
                if (await ReadAsync(socket, stop) is { } request)
                {
                    _requests.Enqueue(request);
                    await WriteAsync(socket, _answer(request), stop);
                }
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // The client left.
            }
        }
    }

    private static async Task<RawRequest?> ReadAsync(Socket socket, CancellationToken stop)
    {
        var (text, buffer) = (new StringBuilder(), new byte[4096]);
        while (!text.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            var read = await socket.ReceiveAsync(buffer, stop);
            if (read == 0)
            {
                return null;
            }

            text.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }

        var lines = text.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        return new RawRequest(lines[0].Split(' ')[1], lines.Skip(1).Select(l => l.Split(": ", 2)).ToDictionary(l => l[0], l => l[1], StringComparer.OrdinalIgnoreCase));
    }

    private static async Task WriteAsync(Socket socket, RawAnswer answer, CancellationToken stop)
    {
        var head = new StringBuilder().Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {answer.Status} As told\r\nConnection: close\r\n");
        foreach (var (name, value) in answer.Headers)
        {
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }

        if ((answer.Length ?? answer.Body.Length) is >= 0 and var length)
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {length}\r\n");
        }

        await socket.SendAsync(Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()), stop);
        var body = answer.Body.AsMemory(0, Math.Min(answer.Body.Length, answer.CutAfter));
        for (var piece = answer.Pause > TimeSpan.Zero ? 4096 : Math.Max(1, body.Length); !body.IsEmpty; body = body[Math.Min(piece, body.Length)..])
        {
            await socket.SendAsync(body[..Math.Min(piece, body.Length)], stop);
            await Task.Delay(answer.Pause, stop);
        }

        if (answer.Stalls)
        {
            await Task.Delay(Timeout.Infinite, stop);
        }

        // Whoever closes with unread input resets the connection, and the client loses what it has not read yet.
        socket.Shutdown(SocketShutdown.Send);
        await socket.ReceiveAsync(new byte[16], stop);
    }
}

/// <summary>A file as honest servers have it: with a mark of its content, and in parts where they are asked for.</summary>
internal sealed record ServedFile(byte[] Content, string? ETag = "\"v1\"")
{
    public RawAnswer Answer(RawRequest request)
    {
        var tag = ETag is null ? Array.Empty<(string, string)>() : [("ETag", ETag)];
        return request.From is not { } from || (request.Header("If-Range") is { } wanted && wanted != ETag) ? new RawAnswer(200, Content, tag)
            : from >= Content.Length ? new RawAnswer(416, [], [("Content-Range", $"bytes */{Content.Length}"), .. tag])
            : new RawAnswer(206, Content[(int)from..], [("Content-Range", $"bytes {from}-{Content.Length - 1}/{Content.Length}"), .. tag]);
    }
}
