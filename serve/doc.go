// Package serve answers HTTP requests with models in this process. It speaks OpenAI's API for
// chats, completions, embeddings and models, the API of llama-server and vLLM for tokenisation,
// and Prometheus' for metrics, and it has a page to chat on. docs/serving.md lists what it
// supports.
//
// Begin with [New], which makes a [Server] from settings and models.
//
// serve turns HTTP into [sample.Request] values and knows engines only by an interface. It takes
// a body apart key by key, so that it can refuse a parameter that it does not support by name
// instead of ignoring it silently.
//
// A request first passes admission, which bounds the requests in memory and can be closed. Then
// it waits in the queue of its model: first come, first served, counted by answers.
//
// The engine never waits for a reader. Its output goes into a buffer for each answer, and one
// goroutine writes it out with a deadline for each write. A client that falls too far behind is
// disconnected. A slot becomes free when its answer is drawn, not when it is read.
package serve
