using System.Net;
using System.Net.Http.Headers;
using Apprentice.Data;
using Apprentice.Data.Files;

namespace Apprentice.Models.Hub;

/// <summary>
/// Fetches one file, whole or not at all. A connection that is cut, and a process that was killed, go on where they stopped if the
/// server still has the same file; size and hash are checked where they are known.
/// </summary>
internal sealed class Download(HubConnection connection, DownloadOptions options, IProgress<DownloadProgress>? progress)
{
    /// <summary>What a disk should have left.</summary>
    private const long Spare = 64 << 20;

    /// <summary>Fetches it, and gives its SHA-256 in lower-case hex.</summary>
    /// <param name="wanted">Nobody else is writing it.</param>
    /// <param name="room">Most bytes that it may have.</param>
    /// <param name="cancel">Ends it at once; what has come is kept.</param>
    /// <exception cref="InputException">The server refuses, or has something else than was wanted.</exception>
    /// <exception cref="RunFailedException">Code <c>download_failed</c> or <c>disk_full</c>; what has come is kept.</exception>
    public async Task<string> RunAsync(WantedFile wanted, long room, CancellationToken cancel)
    {
        using var part = PartFile.Open(wanted, cancel);
        var meter = new DownloadMeter(wanted.Name, progress);
        var retries = new Retries(options, WebAddress.Shown(wanted.Address), note => meter.Report(part, note));
        var most = part.Length;
        try
        {
            var hash = part.Length > 0 && part.Origin?.Bytes == part.Length ? CheckedHash(part, wanted, mayBeginAnew: true) : null; // killed when it had come to its end
            for (var mayBeginAnew = true; hash is null; mayBeginAnew = false)
            {
                await retries.RunAsync(() => ReceiveAsync(part, wanted, room, meter, cancel), HasGotOn, cancel).ConfigureAwait(false);
                hash = CheckedHash(part, wanted, mayBeginAnew);
            }

            part.Complete();
            meter.Report(part);
            return hash;
        }
        catch (InputException e) when (e.Code is "hash_mismatch" or "wrong_size" or "bad_gguf" || part.Length > room)
        {
            part.Delete(); // it will never be what is wanted
            throw;
        }

        bool HasGotOn()
        {
            var gotOn = part.Length >= most + options.Worthwhile;
            most = Math.Max(most, part.Length);
            return gotOn;
        }
    }

    /// <summary>Asks for what is missing and takes it; true when the file is whole.</summary>
    private async Task<bool> ReceiveAsync(PartFile part, WantedFile wanted, long room, DownloadMeter meter, CancellationToken cancel)
    {
        using var answer = await connection.GetAsync(wanted.Address, headers => AskForRest(headers, part), cancel).ConfigureAwait(false);
        var origin = OriginOf(answer, wanted, part);
        if (answer.Response.StatusCode == HttpStatusCode.OK)
        {
            if (part.Length > 0)
            {
                meter.Report(part, "begins anew: the file has changed, or the server gives no parts of it");
            }

            part.Begin(origin);
        }
        else if (!GoesOn(answer.Response, origin, part))
        {
            part.Begin(null);
            throw new TransientException("the server gave another part than was asked for");
        }

        part.IsResumed = answer.Response.StatusCode == HttpStatusCode.PartialContent;
        RequireRoom(origin.Bytes, part, wanted, room);
        var body = await answer.Response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
        var buffer = new byte[1 << 17];
        for (int read; (read = await connection.ReadAsync(body, buffer, cancel).ConfigureAwait(false)) > 0;)
        {
            part.Append(buffer.AsSpan(0, read));
            RequireKind(part, wanted);
            if (part.Length > (origin.Bytes ?? room))
            {
                throw origin.Bytes is { } bytes ? WrongSize(wanted, bytes, "more came") : TooLarge(wanted, part.Length, room);
            }

            meter.Report(part);
        }

        return part.Length >= (origin.Bytes ?? 0) ? true : throw new TransientException("the connection ended early");
    }

    private static void AskForRest(HttpRequestHeaders headers, PartFile part)
    {
        if (part.Length == 0 || part.Origin is { ETag: null, Sha256: null })
        {
            return; // nothing would show that the rest is of the same file
        }

        headers.Range = new RangeHeaderValue(part.Length, null);
        if (part.Origin?.ETag is { } tag)
        {
            headers.IfRange = new RangeConditionHeaderValue(tag); // the whole file, should it be another one by now
        }
    }

    /// <summary>What the server says of the file, checked against what is known of it.</summary>
    private static PartOrigin OriginOf(HubAnswer answer, WantedFile wanted, PartFile part)
    {
        var (response, headers) = (answer.Response, answer.Response.Content.Headers);
        if (headers.ContentEncoding.Any(e => e != "identity"))
        {
            throw new InputException("download_refused", "the server packs the file, although it was asked not to", WebAddress.Shown(wanted.Address));
        }

        if (answer.Sha256 is { } said && wanted.Sha256 is { } asked && said != asked)
        {
            throw WrongHash(wanted, asked, said);
        }

        var bytes = response.StatusCode == HttpStatusCode.OK ? headers.ContentLength : headers.ContentRange?.Length;
        if (bytes is { } length && wanted.Bytes is { } expected && length != expected)
        {
            throw WrongSize(wanted, expected, $"the server has {length:N0}");
        }

        return new PartOrigin(
            WebAddress.Shown(wanted.Address), response.Headers.ETag is { IsWeak: false } tag ? tag.Tag : null,
            bytes ?? wanted.Bytes ?? (response.StatusCode == HttpStatusCode.OK ? null : part.Origin?.Bytes), wanted.Sha256 ?? answer.Sha256 ?? part.Origin?.Sha256);
    }

    /// <summary>Whether a partial answer is the rest of what is there: servers are wrong about that.</summary>
    private static bool GoesOn(HttpResponseMessage response, PartOrigin now, PartFile part) =>
        response.StatusCode == HttpStatusCode.PartialContent
        && part is { Length: > 0, Origin: { } origin }
        && response.Content.Headers.ContentRange is { Unit: "bytes", HasRange: true } range && range.From == part.Length
        && (origin.Bytes is null || now.Bytes == origin.Bytes)
        && (origin.ETag is null || now.ETag is null || now.ETag == origin.ETag)
        && (origin.Sha256 is null || now.Sha256 == origin.Sha256);

    private static void RequireRoom(long? bytes, PartFile part, WantedFile wanted, long room)
    {
        if (bytes > room)
        {
            throw TooLarge(wanted, bytes.Value, room);
        }

        DownloadRoom.Require(Path.GetDirectoryName(wanted.Path)!, (bytes ?? part.Length) - part.Length + Spare);
    }

    private static void RequireKind(PartFile part, WantedFile wanted)
    {
        if (wanted.IsGguf && part.Head is { Length: >= 4 } head && !head.StartsWith("GGUF"u8))
        {
            var kind = FileKind.Of(head);
            throw new InputException("bad_gguf", $"there is no GGUF file at this address{(kind is null ? ": what comes does not begin with 'GGUF'" : $", but {kind.Name}")}", WebAddress.Shown(wanted.Address), hint: kind?.Remedy);
        }
    }

    /// <summary>The hash; null where it is wrong because parts of different files may have come together, which is then tried once more from the beginning.</summary>
    private static string? CheckedHash(PartFile part, WantedFile wanted, bool mayBeginAnew)
    {
        var (hash, expected) = (part.Hash, wanted.Sha256 ?? part.Origin?.Sha256);
        if (hash == (expected ?? hash))
        {
            return hash;
        }

        if (!part.IsResumed || !mayBeginAnew)
        {
            throw WrongHash(wanted, expected!, hash);
        }

        part.Begin(null);
        return null;
    }

    private static InputException WrongHash(WantedFile wanted, string expected, string actual) => new(
        "hash_mismatch", $"this is not the file that is wanted: its SHA-256 is {actual}, not {expected}", WebAddress.Shown(wanted.Address), hint: "it was changed, or damaged on the way; nothing of it is kept");

    private static InputException WrongSize(WantedFile wanted, long expected, string actual) => new(
        "wrong_size", $"the file is to have {expected:N0} bytes, and {actual}", WebAddress.Shown(wanted.Address), hint: "it was changed, or the server is not to be trusted; nothing of it is kept");

    private static InputException TooLarge(WantedFile wanted, long bytes, long room) => new(
        "too_large", $"the model has {bytes:N0} bytes or more, and at most {room:N0} are taken", WebAddress.Shown(wanted.Address), hint: "raise the limit with --max-size, in GB");
}
