// Package sample draws seeded continuations of prompts.
//
// Begin with [Request] and [Settings], which say what to draw, and [Sampler], which draws. Package
// engine samples in this process, package remote from a server.
//
// A completion depends on the model, its precision, the prompt, the settings and the seed. It
// does not depend on other requests, on sharing, on the number of threads or on memory, bit for
// bit on one kind of processor.
package sample
