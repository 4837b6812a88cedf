// Package engine samples from a model in this process, for any number of callers at once.
//
// Begin with [New], which makes an [Engine] from packed weights. It is a sample.Sampler.
//
// # Scheduling
//
// One goroutine computes for all callers as long as there is work. A step has one row for each
// completion that advances, and as many rows of prompts as there is room for.
//
// Everything is a sequence: tokens, and the number of them that have keys and values. A prompt,
// a completion, and a completion that was preempted differ in nothing else. Keys and values lie
// in pages of 32 positions. A tree holds the full pages by their tokens, and every sequence
// that begins with the same tokens finds them there: the samples of a prompt, prompts with one
// system message, the next turn of a conversation. Unused pages stay until their memory is
// needed.
//
// A completion starts when there is memory for it. If memory runs out later, the completion
// that started last is preempted and computed again, to the same bits.
//
// A draw takes its candidates from a histogram of exponents instead of sorting the vocabulary.
// Stop strings are searched in the text as it grows, and no text is streamed that may turn out
// to begin one.
//
// Prompts that begin alike and arrive in the same step may be computed twice in that step.
package engine
