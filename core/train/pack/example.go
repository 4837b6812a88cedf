// Package pack packs data rows into batches without padding: documents one after another under
// a document mask, and the responses to a prompt as branches of one segment tree, so that the
// model computes the prompt once.
//
// Start with Example and Batch; a Plan divides examples into steps and micro-batches.
package pack

import "github.com/herd-lm/herd/core/token"

// Run is a sequence of tokens that becomes one segment of a batch.
type Run struct {
	IDs []token.ID
	// Weight is the weight of each token's prediction in the token loss; nil: 0 for all.
	Weight []float32 // [len(IDs)] or nil
	// SeqWeight is the weight of each token in the log-probability of the run as a sequence;
	// nil if the run has no such log-probability.
	SeqWeight []float32 // [len(IDs)] or nil
	Value     bool      // the value head reads the last token
	Reference float64   // log-probability of the sequence under the reference model
}

// sequence reports whether the run is one of the batch's sequences.
func (r Run) sequence() bool { return r.SeqWeight != nil || r.Value }

// read reports whether the loss reads the prediction of token i.
func (r Run) read(i int) bool {
	return r.Weight != nil && r.Weight[i] != 0 || r.SeqWeight != nil && r.SeqWeight[i] != 0
}

// leafTokens returns the number of tokens that a run without children takes in a batch: the
// last token is only a target, unless the value head reads it.
func (r Run) leafTokens() int {
	if r.Value {
		return len(r.IDs)
	}
	return max(0, len(r.IDs)-1)
}

// Example is one data row as tokens: a document, or a prompt with its responses. Sequence
// indices in Pairs count the example's own sequences, in order. The model never predicts the
// first token of a row.
type Example struct {
	Row       string // id of the data row, for error messages
	Prompt    Run
	Responses []Run
	Pairs     []token.Pair
	Norm      float64 // the example's share of Batch.Norm
	Partly    bool    // the chat template left out text of the row; Count says how many
}

// Tokens returns the number of tokens that the example takes in a batch.
func (e Example) Tokens() int {
	if len(e.Responses) == 0 {
		return e.Prompt.leafTokens()
	}
	n := len(e.Prompt.IDs)
	for _, r := range e.Responses {
		n += r.leafTokens()
	}
	return n
}

// Positions returns the number of positions that the example needs in a batch: the length of
// the prompt with its longest response.
func (e Example) Positions() int {
	if len(e.Responses) == 0 {
		return e.Prompt.leafTokens()
	}
	longest := 0
	for _, r := range e.Responses {
		longest = max(longest, r.leafTokens())
	}
	return len(e.Prompt.IDs) + longest
}

// Targets returns the number of predictions that the loss reads.
func (e Example) Targets() int {
	n := e.Prompt.targets(1)
	first := 0
	if len(e.Prompt.IDs) == 0 {
		first = 1 // nothing precedes a response's first token
	}
	for _, r := range e.Responses {
		n += r.targets(first)
	}
	return n
}

// targets returns the number of predictions that the loss reads, from token first on.
func (r Run) targets(first int) int {
	n := 0
	for i := first; i < len(r.IDs); i++ {
		n += count(r.read(i))
	}
	return n
}

// Sequences returns the number of the example's runs that are sequences.
func (e Example) Sequences() int {
	n := count(e.Prompt.sequence())
	for _, r := range e.Responses {
		n += count(r.sequence())
	}
	return n
}

// Values returns the number of the example's runs that the value head reads.
func (e Example) Values() int {
	n := count(e.Prompt.Value)
	for _, r := range e.Responses {
		n += count(r.Value)
	}
	return n
}

// size returns the example's share of the size of a batch.
func (e Example) size() token.Size {
	return token.Size{Tokens: e.Tokens(), Reads: e.Targets(), Sequences: e.Sequences(), Pairs: len(e.Pairs)}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Text returns the example for a plain text: every token after the first is a target with
// weight 1.
func Text(row string, ids []token.ID) Example {
	weight := make([]float32, len(ids))
	for i := range weight {
		weight[i] = 1
	}
	return Example{Row: row, Prompt: Run{IDs: ids, Weight: weight}, Norm: float64(max(0, len(ids)-1))}
}
