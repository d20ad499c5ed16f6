using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Apprentice.Tests.EndToEnd;

/// <summary>What came back for bytes that were sent: the status (0 where the server said nothing), the head and the body.</summary>
internal sealed record RawResponse(int Status, string Head, string Body);

/// <summary>Bytes to a server and back, as no proper client would send them.</summary>
internal static class RawHttp
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);

    /// <summary>Sends the bytes on a connection of their own, then one byte a second of what trickles, and reads the first answer.</summary>
    /// <param name="server">Where it listens.</param>
    /// <param name="bytes">All that is sent at once.</param>
    /// <param name="trickle">What is sent byte by byte thereafter until the server answers.</param>
    /// <exception cref="TimeoutException">Nothing came back within a minute.</exception>
    public static async Task<RawResponse> Send(Uri server, byte[] bytes, byte[]? trickle = null)
    {
        using var limit = new CancellationTokenSource(LongestWait);
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(server.Host, server.Port, limit.Token);
        var stream = client.GetStream();
        using var answered = CancellationTokenSource.CreateLinkedTokenSource(limit.Token);
        var sending = Write(stream, bytes, trickle ?? [], answered.Token);
        try
        {
            return await Read(stream, limit.Token);
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested)
        {
            throw new TimeoutException("the server neither answered nor closed the connection", e);
        }
        finally
        {
            await answered.CancelAsync();
            await sending;
        }
    }

    private static async Task Write(NetworkStream stream, byte[] bytes, byte[] trickle, CancellationToken cancellation)
    {
        try
        {
            await stream.WriteAsync(bytes, cancellation);
            for (var i = 0; i < trickle.Length; i++)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), cancellation);
                await stream.WriteAsync(trickle.AsMemory(i, 1), cancellation);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The server has heard enough.
        }
    }

    private static async Task<RawResponse> Read(NetworkStream stream, CancellationToken cancellation)
    {
        var received = new MemoryStream();
        var buffer = new byte[8192];
        while (!IsWhole(Text(received)))
        {
            int count;
            try
            {
                count = await stream.ReadAsync(buffer, cancellation);
            }
            catch (IOException)
            {
                break; // closed while it was still being sent to
            }

            if (count == 0)
            {
                break;
            }

            received.Write(buffer, 0, count);
        }

        var text = Text(received);
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        return end < 0 ? new RawResponse(0, text, "") : new RawResponse(int.Parse(text.AsSpan(9, 3), CultureInfo.InvariantCulture), text[..end], Body(text[..end], text[(end + 4)..]));

        static string Text(MemoryStream bytes) => Encoding.Latin1.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    private static bool IsWhole(string text)
    {
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        return end >= 0 && (IsChunked(text[..end]) ? text.EndsWith("0\r\n\r\n", StringComparison.Ordinal) : Length(text[..end]) is { } length && text.Length - end - 4 >= length);
    }

    /// <summary>The body as UTF-8, put together from its chunks.</summary>
    private static string Body(string head, string rest)
    {
        if (IsChunked(head))
        {
            var whole = new StringBuilder();
            while (rest.IndexOf("\r\n", StringComparison.Ordinal) is > 0 and var line && int.Parse(rest.AsSpan(0, line), NumberStyles.HexNumber, CultureInfo.InvariantCulture) is > 0 and var size)
            {
                whole.Append(rest, line + 2, size);
                rest = rest[(line + 2 + size + 2)..];
            }

            rest = whole.ToString();
        }

        return Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(rest));
    }

    private static bool IsChunked(string head) => head.Contains("transfer-encoding: chunked", StringComparison.OrdinalIgnoreCase);

    private static int? Length(string head) => head.Split("\r\n").FirstOrDefault(h => h.StartsWith("content-length:", StringComparison.OrdinalIgnoreCase)) is { } line
        ? int.Parse(line.AsSpan("content-length:".Length), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture) : null;
}
