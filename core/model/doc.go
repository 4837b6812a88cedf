// Package model is the Llama: its configuration, parameters, adapters, training graph and
// decoder.
//
// To train, call [New] or [Load] for the [Params], then [Compile] them with a [Loss], then call
// Program.Run for each batch. [CompileForward] compiles the same graph without gradients for
// evaluation. To decode, call [Pack] or Source.Pack for the [Packed] weights, then Packed.Decoder.
//
// # Architectures
//
// The model_type of config.json is llama, mistral or qwen2. RoPE scaling is llama3 or linear.
// herd does not compute a sliding window: Config.Context ends where the window would begin to
// hide something, and asking for more is an error. Qwen2's biases of queries, keys and values
// lie one behind the other like their matrices. They are added before the rotation and do not
// decay. Config keeps all fields of the file that a model was read from; saving rewrites only
// the fields that herd changed.
//
// Load compares names and shapes with config.json before it allocates memory for the weights.
// It maps the files of weights and converts one tensor at a time on all processors.
//
// # The graph
//
// Each heavy node is an Op of package graph: embedding, RMSNorm, QKV with rotation, attention,
// projection with residual, gate and up with SwiGLU, the head. Each has a symbolic gradient
// that is again an Op.
//
// A graph is built once, for the largest micro-batch of the run. Kernels read the extent of the
// current batch at run time. Vectors that Gorgonia's own nodes compute on are zero beyond it.
// Weights are nodes over slices of Params.W. The gradient of each parameter is pinned to
// Params.G: the first micro-batch of a step sets it, the others add to it.
//
// Four details of gradients deserve a warning:
//
//   - The gradient of a residual would need a node that sums. Instead the norm at the block's
//     entry receives it, and its kernel adds it.
//   - A tied head and the embedding write one gradient. The node of the head comes first, and
//     the embedding's kernel adds.
//   - CrossEntropy computes its gradient in the forward pass, before the derivative of the loss
//     by it is known. Its backward node fails the run unless that derivative is exactly 1: do
//     not multiply CrossEntropy by anything on the way to the loss.
//   - CrossEntropy and LogProb would both set the gradient of the head, so a loss cannot use
//     both: building the graph fails. Use NegLogLikelihood beside other terms. It shares
//     LogProb with them and computes the logits once more for the gradient.
//
// With [RecomputeLayer] only the input of each layer waits for the gradient. No bit of a result
// changes, so this setting is not part of a run's digest. The last layer is left out, because
// the gradient begins with it.
//
// # Losses
//
// A Loss is a function of [Outputs], which builds its nodes when you first ask for them:
// CrossEntropy, LogProb, SeqLogProb, Value, Reference, Chosen, Rejected, the weights. Gorgonia
// derives the gradient. [Try] evaluates a preference loss and its gradient on given
// log-probabilities, for tests.
//
// # Adapters
//
// A run changes a [Trainable]: the Params, or an [Adapter] (LoRA, rsLoRA, DoRA) with flat
// arrays of its own beside a frozen model. A projection with an adapter is the same Op with A,
// B and the magnitudes as further operands; in a fused window each projection has its own.
// Frozen parameters have no gradient buffer. Dropout is drawn from the seed, the step, the
// micro-batch and the matrix. With lora.base_dtype bf16 or int8 a node makes each matrix
// float32 in the arena right before it is read. [Locate] finds the base of an adapter. The
// adapter's weights carry the digest of the base, and herd refuses another base.
//
// # Decoding
//
// Decoding does not use the graph: a [Decoder] computes rows with cached keys and values
// (kernel.Page). Its weights are a [Packed]: every matrix packed once in one precision, the
// norms, and the plain rows of the embedding. In int8 the embedding is looked up where it is
// packed; with a tied head, in the head's own panels. Source.Pack makes a Packed straight from
// the files, some lines at a time, so the model never exists as float32 besides; with an
// adapter it goes through Params. Any number of decoders may share a Packed.
package model
