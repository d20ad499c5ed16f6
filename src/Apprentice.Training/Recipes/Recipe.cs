using Apprentice.Data.Batching;
using Apprentice.Models.Weights;

namespace Apprentice.Training.Recipes;

/// <summary>
/// A recipe as it was given: what is null was not said. <see cref="RecipeReader"/> reads it and
/// <see cref="RecipeDefaults"/> writes out every default. Relative paths start at the folder in which the command was
/// called, as they do on the command line, or at the recipe's folder where that was named instead of the file. Each field is described here and nowhere else.
/// </summary>
public sealed partial record Recipe
{
    private const string Material = "What to train, on what", Text = "From examples to text", Trained = "What is trained",
        Learning = "How it learns", Steering = "When it stops, what is kept", Machine = "The machine";

    [Field(Material, "The model to start from: a .gguf file, a Hugging Face folder, a registered name, or base (built in).", AlsoCalled = ["base_model", "model_name_or_path", "model_name"])]
    public string? Model { get; init; }

    [Field(Material, "The examples: one file of JSON lines or a CSV table, or several.", IsFiles = true, AlsoCalled = ["dataset", "datasets", "train_file", "train_data", "training_file"])]
    public IReadOnlyList<string>? Data { get; init; }

    [Field(Material, "pretrain: the documents of the first steps, over which the learning rate rises (warmup): what is to be learned before all else. null: the data begins.", IsFiles = true, Default = "null")]
    public IReadOnlyList<string>? WarmupData { get; init; }

    [Field(Material, "pretrain: the documents of the last steps, over which the learning rate falls (decay): the best come last. null: the data goes on.", IsFiles = true, Default = "null", AlsoCalled = ["anneal_data"])]
    public IReadOnlyList<string>? Anneal { get; init; }

    [Field(Material, "Examples that steer the run but are not trained on: none, a share of the data, a number of its examples, or a file.", Default = "a tenth of the data, 200 examples at most; none where there are fewer than 10, and for pretrain, which takes a file only", AlsoCalled = ["validation_file", "val_set_size", "eval_data", "valid"])]
    public HeldOut? Validation { get; init; }

    [Field(Material, "Examples kept for the final judgement, by which nothing is chosen: none, a share, a number, or a file. evaluate takes them where it is given no others.", Default = "none", AlsoCalled = ["test_file"])]
    public HeldOut? Test { get; init; }

    [Field(Material, "The folder of the run. One that is there already is never overwritten.", Default = "runs/ and the name of the first data file", AlsoCalled = ["output_dir", "output"])]
    public string? Out { get; init; }

    [Field(Material, "A word in the id of the finished model, ft:BASE:SUFFIX:ID, a name by which every command knows it. null: none.", Default = "null")]
    public string? Suffix { get; init; }

    [Field(Material, "How the data is laid out; auto finds out and says. preference: learn the preferred answers of preference data alone.", Default = "auto")]
    public DataFormat? Format { get; init; }

    [Field(Material, "Which field of the data plays which role, where its names are not the usual ones: {prompt: question, completion: answer}.", Default = "{}")]
    public IReadOnlyDictionary<string, string>? Columns { get; init; }

    [Field(Text, "Leave out the model's chat template: prompt and completion are joined as they are.", Default = "false")]
    public bool? Raw { get; init; }

    [Field(Text, "A system message for the examples that have none. null: only what the template adds by itself.", Default = "null", AlsoCalled = ["system_prompt"])]
    public string? System { get; init; }

    [Field(Text, "Tokens that an example may have. Under pretrain longer documents are cut into pieces of at most so many.", Default = "2048, or the model's context where that is shorter; 512 for pretrain", Range = "[8,]", AlsoCalled = ["max_seq_length", "sequence_len", "cutoff_len", "max_seq_len"])]
    public int? MaxLength { get; init; }

    [Field(Text, "What to do about longer examples. stop: refuse to start, and say how many there are; drop: leave them out; truncate: cut their end.", Default = "stop")]
    public LongExamples? OverLong { get; init; }

    [Field(Trained, "lora: small matrices beside the frozen weights. dora: the same, and the length of each row of a weight learned apart. full: every weight. pretrain: every weight, beginning at random, on every token of the data; model is a folder with configuration and tokenizer and no weights.", Default = "lora", AlsoCalled = ["adapter", "train_type", "finetuning_type"])]
    public TrainingMethod? Method { get; init; }

    [Field(Trained, "LoRA: the rank of the matrices; more can learn more, and costs more.", Default = "16", Range = "[1, 4096]", AlsoCalled = ["r", "lora_r", "lora_rank"])]
    public int? Rank { get; init; }

    [Field(Trained, "LoRA: what the matrices add is multiplied by alpha / rank.", Default = "twice the rank; under rslora twice its square root, for the same factor", Range = "(0,]", AlsoCalled = ["lora_alpha"])]
    public double? Alpha { get; init; }

    [Field(Trained, "LoRA: the share of the matrices' inputs that is zeroed at random. Above 0, shared prefixes are no longer computed once.", Default = "0", Range = "[0, 1)", AlsoCalled = ["lora_dropout"])]
    public double? Dropout { get; init; }

    [Field(Trained, "LoRA: the layers that get matrices, by the ending of their names (q_proj, down_proj), or all-linear.", Default = "[all-linear]", AlsoCalled = ["target_modules", "lora_target_modules", "lora_target", "lora_layers"])]
    public IReadOnlyList<string>? Targets { get; init; }

    [Field(Trained, "LoRA: multiply by alpha / sqrt(rank) instead, which keeps high ranks learning (Kalajdzievski 2023).", Default = "false", AlsoCalled = ["use_rslora"])]
    public bool? Rslora { get; init; }

    [Field(Trained, "LoRA: modules that are trained whole and saved with the matrices, by the ending of their names: [lm_head], [model.norm]. null: none.", Default = "null", AlsoCalled = ["lora_modules_to_save", "additional_target"])]
    public IReadOnlyList<string>? ModulesToSave { get; init; }

    [Field(Trained, "LoRA: the biases that are trained, too: none, those of the layers with matrices, or all.", Default = "none", AlsoCalled = ["lora_bias"])]
    public BiasTraining? Bias { get; init; }

    [Field(Trained, "LoRA: another rank for the layers whose names match, as PEFT reads it: {q_proj: 32}.", Default = "{}", Range = "[1, 4096]")]
    public IReadOnlyDictionary<string, int>? RankPattern { get; init; }

    [Field(Trained, "LoRA: another alpha for the layers whose names match: {q_proj: 64}.", Default = "{}", Range = "(0,]")]
    public IReadOnlyDictionary<string, double>? AlphaPattern { get; init; }

    [Field(Learning, "The highest learning rate, reached after warm-up.", Default = "by method and model size: 1e-3 for LoRA on up to 200M parameters, falling to 2e-4 at 7B; a tenth of that or less for full; for pretrain 3e-3 up to 10M parameters, falling with the square root of their number", Range = "(0, 10]", AlsoCalled = ["lr"])]
    public double? LearningRate { get; init; }

    [Field(Learning, "LoRA: how many times the learning rate the second matrices (B), biases, norms and magnitudes have (LoRA+, Hayou 2024); 16 is usual. 1: all the same.", Default = "1", Range = "[1, 1000]", AlsoCalled = ["loraplus_lr_ratio", "loraplus_ratio"])]
    public double? LoraPlusRatio { get; init; }

    [Field(Learning, "How the learning rate goes on after warm-up: falling along a cosine, in a line, not at all, or only at the end (wsd).", Default = "cosine; wsd for pretrain", AlsoCalled = ["lr_scheduler", "lr_scheduler_type", "lr_schedule"])]
    public ScheduleKind? Schedule { get; init; }

    [Field(Learning, "Steps over which the learning rate rises from 0: a share of all steps (0.1), or a number (100).", Default = "0.1; 0.05 for pretrain", AlsoCalled = ["warmup_ratio", "warmup_steps"])]
    public Amount? Warmup { get; init; }

    [Field(Learning, "Under wsd, the steps at the end over which the learning rate falls: a share of all steps, or a number.", Default = "0.2")]
    public Amount? Decay { get; init; }

    [Field(Learning, "What the learning rate falls to, as a share of the highest.", Default = "0", Range = "[0, 1]", AlsoCalled = ["min_lr", "min_lr_rate", "min_lr_ratio"])]
    public double? MinLearningRate { get; init; }

    [Field(Learning, "Passes over the examples.", Default = "8 for fewer than 100 examples, then 6, 4, 3, 2, and 1 from 50,000; with max_steps as many as those take", Range = "(0, 10000]", AlsoCalled = ["num_epochs", "num_train_epochs", "n_epochs"])]
    public double? Epochs { get; init; }

    [Field(Learning, "The run ends after so many optimizer steps, should its epochs last longer. 0: no limit.", Default = "0", Range = "[0,]", AlsoCalled = ["iters", "steps"])]
    public int? MaxSteps { get; init; }

    [Field(Learning, "Tokens an optimizer step learns from under pretrain, where batch_size does not count. 0: another method.", Default = "16384 for pretrain, else 0", Range = "[0, 100000000]")]
    public int? BatchTokens { get; init; }

    [Field(Learning, "Examples an optimizer step learns from. How many are computed at once is another matter: micro_batch_tokens.", Default = "16; 8 for fewer than 128 examples, 4 for fewer than 48", Range = "[1, 1000000]", AlsoCalled = ["train_batch_size", "per_device_train_batch_size"])]
    public int? BatchSize { get; init; }

    [Field(Learning, "The rule by which gradients become steps. muon (for pretrain and full): every direction of a matrix learns at one pace; embeddings and norms go by AdamW.", Default = "adamw", AlsoCalled = ["optim"])]
    public OptimizerKind? Optimizer { get; init; }

    [Field(Learning, "AdamW: how slowly the mean of the gradients forgets.", Default = "0.9", Range = "[0, 1)", AlsoCalled = ["adam_beta1"])]
    public double? Beta1 { get; init; }

    [Field(Learning, "AdamW: how slowly the mean of their squares forgets.", Default = "0.999; 0.95 for pretrain", Range = "[0, 1)", AlsoCalled = ["adam_beta2"])]
    public double? Beta2 { get; init; }

    [Field(Learning, "AdamW: added to the divisor, so that it is never 0.", Default = "1e-8", Range = "(0, 1]", AlsoCalled = ["adam_epsilon", "eps"])]
    public double? Epsilon { get; init; }

    [Field(Learning, "SGD and Muon: how slowly the sum of the gradients forgets.", Default = "0.9; 0.95 for muon", Range = "[0, 1)")]
    public double? Momentum { get; init; }

    [Field(Learning, "The share of each weight taken away in a step, times the learning rate. Norms and biases are spared.", Default = "0 for lora and dora, 0.01 for full, 0.1 for pretrain", Range = "[0, 10]")]
    public double? WeightDecay { get; init; }

    [Field(Learning, "Gradients whose norm over all weights is larger are scaled down to it. 0: never.", Default = "1", Range = "[0,]", AlsoCalled = ["max_grad_norm", "gradient_clipping", "clip_grad_norm"])]
    public double? Clip { get; init; }

    [Field(Learning, "The share of the target's probability that is spread over all tokens.", Default = "0", Range = "[0, 1)", AlsoCalled = ["label_smoothing_factor"])]
    public double? LabelSmoothing { get; init; }

    [Field(Learning, "Where all randomness comes from: the split, the order of examples, the first values, dropout.", Default = "1", Range = "[0,]", AlsoCalled = ["random_seed"])]
    public int? Seed { get; init; }

    [Field(Steering, "The metric by which evaluate judges the run where none is named; loss where the task has no right answer.", Default = "loss")]
    public string? Metric { get; init; }

    [Field(Steering, "Steps from one evaluation on the validation examples to the next. 0: never.", Default = "a tenth of the run, seldom enough to cost no more than about a tenth of its time; 0 without validation", Range = "[0,]", AlsoCalled = ["eval_steps", "eval_every"])]
    public int? EvaluateEvery { get; init; }

    [Field(Steering, "Stop after so many evaluations in a row that were no better than the best. 0: never.", Default = "3; 0 with fewer than 20 validation examples, whose loss is too noisy to stop by, and for pretrain", Range = "[0,]", AlsoCalled = ["early_stopping_patience", "patience"])]
    public int? EarlyStopping { get; init; }

    [Field(Steering, "Steps from one checkpoint to the next. 0: only where there is an evaluation, and at the end.", Default = "as evaluate_every; without validation a tenth of the run", Range = "[0,]", AlsoCalled = ["save_steps", "save_every"])]
    public int? CheckpointEvery { get; init; }

    [Field(Steering, "How many of the newest checkpoints are kept, beside the best.", Default = "2", Range = "[1, 10000]", AlsoCalled = ["save_total_limit"])]
    public int? KeepCheckpoints { get; init; }

    [Field(Machine, "Threads to compute with; the result is the same for any number. 0: all cores.", Default = "0", Range = "[0, 4096]")]
    public int? Threads { get; init; }

    [Field(Machine, "Tokens computed at once; a batch is cut into such pieces, with the same gradients. 0: chosen for this machine.", Default = "0", Range = "[0,]", AlsoCalled = ["micro_batch_size"])]
    public int? MicroBatchTokens { get; init; }

    [Field(Machine, "Compute activations again in the backward pass instead of keeping them: slower, less memory.", Default = "auto", AlsoCalled = ["gradient_checkpointing", "activation_checkpointing"])]
    public RecomputePolicy? Recompute { get; init; }

    [Field(Machine, "Compute a beginning that examples of a batch have in common once, with the same gradients. Never with dropout, which is to differ between examples.", Default = "true", AlsoCalled = ["shared_prefixes", "prefix_sharing"])]
    public bool? SharePrefixes { get; init; }

    [Field(Machine, "auto: multiply by the model's weights in bfloat16, with sums in float32, where oneDNN is installed and the CPU has the instructions: faster, and the loss stays within a percent. off: always float32.", Default = "auto", AlsoCalled = ["bf16", "mixed_precision"])]
    public AcceleratorPolicy? Accelerator { get; init; }
}
