// Package remote samples from servers that speak OpenAI's API (vLLM, SGLang, llama-server,
// Ollama, herd serve), and takes scores from reward models that vLLM serves.
//
// Begin with [New] for a sampler and [NewReward] for a reward model. docs/remote.md describes
// the servers and settings.
//
// One request is one seed, and a repeated request is the same bytes. The client that both share
// does retries, keys and limits. It keeps a key in closures, never in anything that can be
// printed, and removes it from errors in one place.
package remote
