namespace Apprentice.Server.Contracts;

/// <summary>A request that is answered with an error, in the shape and the words of OpenAI's API (ErrorResponse).</summary>
/// <param name="status">HTTP status, 400 or above.</param>
/// <param name="message">What is wrong and what would be right; for the client to read, so without what others may not know.</param>
/// <param name="param">The field of the request that it is about, or null.</param>
/// <param name="code">Short name of the error, or null.</param>
internal sealed class ApiException(int status, string message, string? param = null, string? code = null) : Exception(message)
{
    public int Status => status;

    public string? Param => param;

    public string? Code => code;

    /// <summary>A text as a message may repeat it: short, on one line.</summary>
    public static string Shown(string text) =>
        string.Concat((text.Length > 64 ? text[..64] + "…" : text).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));

    public static ApiException Missing(string param) => new(400, $"Missing required parameter: '{param}'.", param, "missing_required_parameter");

    public static ApiException Unknown(string param) => new(400, $"Unknown parameter: '{param}'.", param, "unknown_parameter");

    public static ApiException Unsupported(string param, string why) => new(400, $"Unsupported parameter: '{param}' {why}", param, "unsupported_parameter");

    public static ApiException UnsupportedValue(string param, string value, string right) =>
        new(400, $"Unsupported value: '{param}' does not support {value}. {right}", param, "unsupported_value");

    public static ApiException InvalidValue(string param, string message) => new(400, $"Invalid '{param}': {message}", param, "invalid_value");

    public static ApiException Model(string name) =>
        new(404, $"The model '{Shown(name)}' does not exist or you do not have access to it. GET /v1/models lists those that are served.", "model", "model_not_found");

    public ErrorResponse Body() => new(new ErrorBody(Message, Status switch
    {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        >= 500 => "server_error",
        _ => "invalid_request_error",
    }, Param, Code));
}

/// <summary>The schemas ErrorResponse and Error.</summary>
internal sealed record ErrorResponse(ErrorBody Error);

/// <inheritdoc cref="ErrorResponse"/>
internal sealed record ErrorBody(string Message, string Type, string? Param, string? Code);
