using System.Text.Encodings.Web;
using System.Text.Json;
using Apprentice.Data;

namespace Apprentice.Models.Weights;

/// <summary>
/// Reads and writes <c>adapter_config.json</c> in PEFT's format. What changes the forward pass and is not built here is
/// refused by its name; settings of initialisation, and fields of PEFT versions to come, are passed over.
/// </summary>
public static class PeftConfigFile
{
    public const string Name = "adapter_config.json";

    private const string ErrorCode = "bad_adapter";
    private const int LargestRank = 1 << 16;

    private static readonly (string Word, BiasTraining Bias)[] Biases = [("none", BiasTraining.None), ("all", BiasTraining.All), ("lora_only", BiasTraining.LoraOnly)];

    private static readonly string[] Unsupported =
    [
        "lora_bias", "layer_replication", "trainable_token_indices", "target_parameters",
        "alora_invocation_tokens", "arrow_config", "use_qalora", "use_bdlora", "megatron_config", "kasa_config",
        "velora_config", "monteclora_config",
    ];

    /// <summary>Initialisations that leave the base weights as they are; the others (PiSSA, OLoRA, …) need a changed base.</summary>
    private static readonly string[] HarmlessInitialisations = ["gaussian", "eva", "orthogonal"];

    /// <exception cref="InputException">It is not there, not sound, or of a kind that is not supported.</exception>
    public static PeftConfig Read(string path)
    {
        var config = ModelConfig.Open(path, ErrorCode);
        RefuseUnsupported(config);
        var targets = config.Find("target_modules");
        return new PeftConfig
        {
            Rank = Rank(config, "r", config.Number("r") ?? 8),
            Alpha = config.Number("lora_alpha") ?? 8,
            UseRsLora = config.Bool("use_rslora", otherwise: false),
            UseDora = config.Bool("use_dora", otherwise: false),
            ModulesToSave = config.Strings("modules_to_save") is var saved && saved.All(key => key.Length > 0) ? saved : throw config.Wrong("modules_to_save", "names that are not empty"),
            Bias = BiasOf(config),
            Dropout = (config.Number("lora_dropout") ?? 0) is >= 0 and <= 1 and var p ? p : throw config.Wrong("lora_dropout", "from 0 to 1"),
            TargetModules = targets?.ValueKind == JsonValueKind.Array ? config.Strings("target_modules") : [],
            TargetPattern = targets?.ValueKind == JsonValueKind.Array ? null : config.String("target_modules"),
            LayersToTransform = config.Find("layers_to_transform") is null ? null : config.Integers("layers_to_transform"),
            RankPattern = new(config.Numbers("rank_pattern").Select(p => KeyValuePair.Create(p.Key, Rank(config, p.Key, p.Value))), path),
            AlphaPattern = new(config.Numbers("alpha_pattern"), path),
            BaseModel = config.String("base_model_name_or_path"),
            TaskType = config.String("task_type"),
            FanInFanOut = config.Bool("fan_in_fan_out", otherwise: false),
        };
    }

    /// <summary>Writes the fields that every PEFT version since 0.9 knows, sorted by name as PEFT does.</summary>
    public static void Write(string path, PeftConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None);
        var options = new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var json = new Utf8JsonWriter(stream, options))
        {
            json.WriteStartObject();
            WriteMap(json, "alpha_pattern", config.AlphaPattern.Entries, (w, alpha) => w.WriteNumberValue(alpha));
            json.WriteNull("auto_mapping");
            json.WriteString("base_model_name_or_path", config.BaseModel);
            json.WriteString("bias", Biases.Single(b => b.Bias == config.Bias).Word);
            json.WriteBoolean("fan_in_fan_out", config.FanInFanOut);
            json.WriteBoolean("inference_mode", true);
            json.WriteBoolean("init_lora_weights", true);
            json.WriteNull("layers_pattern");
            WriteList(json, "layers_to_transform", config.LayersToTransform, (w, layer) => w.WriteNumberValue(layer));
            json.WriteNumber("lora_alpha", config.Alpha);
            json.WriteNumber("lora_dropout", config.Dropout);
            WriteList(json, "modules_to_save", config.ModulesToSave.Count > 0 ? config.ModulesToSave : null, (w, module) => w.WriteStringValue(module));
            json.WriteString("peft_type", "LORA");
            json.WriteNumber("r", config.Rank);
            WriteMap(json, "rank_pattern", config.RankPattern.Entries, (w, rank) => w.WriteNumberValue(rank));
            json.WriteNull("revision");
            if (config.TargetPattern is { } pattern)
            {
                json.WriteString("target_modules", pattern);
            }
            else
            {
                WriteList(json, "target_modules", config.TargetModules, (w, module) => w.WriteStringValue(module));
            }

            json.WriteString("task_type", config.TaskType);
            json.WriteBoolean("use_dora", config.UseDora);
            json.WriteBoolean("use_rslora", config.UseRsLora);
            json.WriteEndObject();
        }

        stream.Flush(flushToDisk: true);
    }

    private static void RefuseUnsupported(ModelConfig config)
    {
        var type = config.String("peft_type") ?? throw config.Error("no 'peft_type'");
        if (type != "LORA")
        {
            throw Refused($"adapters of type {type} are not supported: LORA is");
        }

        foreach (var name in Unsupported)
        {
            if (config.IsSet(name))
            {
                throw Refused($"the adapter uses '{name}', which is not supported");
            }
        }

        if (config.Find("init_lora_weights") is { ValueKind: JsonValueKind.String } way && !HarmlessInitialisations.Contains(way.GetString()))
        {
            throw Refused($"'init_lora_weights' is '{way.GetString()}': such an adapter belongs to changed base weights; convert it to plain LoRA with PEFT");
        }

        InputException Refused(string message) => new("unsupported_adapter", message, config.Path);
    }

    private static BiasTraining BiasOf(ModelConfig config)
    {
        var word = config.String("bias") ?? "none";
        var at = Array.FindIndex(Biases, b => b.Word == word);
        return at >= 0 ? Biases[at].Bias : throw config.Wrong("bias", $"none, all or lora_only, not {word}");
    }

    private static int Rank(ModelConfig config, string name, double value) =>
        value is >= 1 and <= LargestRank && value == Math.Floor(value)
            ? (int)value
            : throw config.Error($"the rank '{name}' must be an integer from 1 to {LargestRank}");

    private static void WriteMap<T>(Utf8JsonWriter json, string name, IEnumerable<KeyValuePair<string, T>> entries, Action<Utf8JsonWriter, T> write)
    {
        json.WriteStartObject(name);
        foreach (var (key, value) in entries)
        {
            json.WritePropertyName(key);
            write(json, value);
        }

        json.WriteEndObject();
    }

    private static void WriteList<T>(Utf8JsonWriter json, string name, IEnumerable<T>? items, Action<Utf8JsonWriter, T> write)
    {
        if (items is null)
        {
            json.WriteNull(name);
            return;
        }

        json.WriteStartArray(name);
        foreach (var item in items)
        {
            write(json, item);
        }

        json.WriteEndArray();
    }
}
