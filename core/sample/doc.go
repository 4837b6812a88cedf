// Package sample draws seeded continuations of prompts.
//
// Begin with [Request] and [Settings], which say what to draw, and [Sampler], which draws. The
// engine of this process is one Sampler, a server (package remote) another.
//
// A completion depends on the model, its precision, the prompt, the settings and the seed. It
// does not depend on other requests, on sharing, on the number of threads or on memory, bit for
// bit on one kind of processor.
//
// # How the engine works
//
// One goroutine computes for all callers as long as there is work. A step has one row for each
// completion that advances, and as many rows of prompts as there is room for.
//
// Everything is a sequence: tokens, and the number of them that have keys and values. A prompt,
// a completion, and a completion that was set back differ in nothing else. Keys and values lie
// in pages of 32 positions. A tree holds the full pages by their tokens, and every sequence
// that begins with the same tokens finds them there: the samples of a prompt, prompts with one
// system message, the next turn of a conversation. Unused pages stay until their memory is
// needed.
//
// A completion begins when there is memory for it. If memory runs out later, the completion
// that began last is set back and computed again, to the same bits.
//
// A draw takes its candidates from a histogram of exponents instead of sorting the vocabulary.
// Stop strings are searched in the text as it grows, and no text is streamed that may turn out
// to begin one.
package sample
