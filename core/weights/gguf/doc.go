// Package gguf reads and writes GGUF files, the model format of llama.cpp (ggml's
// docs/gguf.md): metadata, a directory of tensors, and their data, plain or quantised in
// blocks. It knows no model: package convert gives keys and tensors their meaning.
//
// Begin with [Open] to read and [Write] to write.
//
// The quantisers keep the order of every operation of ggml's reference, so that files equal
// those of llama-quantize byte for byte. scripts/parity/llamacpp.sh checks this.
package gguf
