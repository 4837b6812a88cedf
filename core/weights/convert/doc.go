// Package convert reads and writes models in the formats of other programs: Hugging Face
// directories, GGUF files of llama.cpp and, for reading only, the .bin files of llama2.c.
//
// Begin with [Open], which detects the kind of a file from its content, and [Write].
//
// Whatever the file, a [Model] presents configuration, tokenizer and tensors with Hugging
// Face's names and layout. llama.cpp and llama2.c keep the rows of q and k of a Llama in the
// original order, and each kind translates; Qwen2's rows need no change. GGUF stores only the
// factors of Llama 3.1's RoPE scaling, so herd recovers the parameters from the factors.
package convert
