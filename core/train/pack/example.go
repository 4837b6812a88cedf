// Package pack lays data rows out as packed batches without padding: documents
// one after another under a document mask, and responses to a prompt as branches
// of one segment tree, so that the prompt is computed once.
package pack

import "github.com/herd-lm/herd/core/token"

// Run is a stretch of tokens, one segment of a batch.
type Run struct {
	IDs []token.ID
	// Weight is what predicting each token counts in the token loss; nil is 0
	// for all.
	Weight []float32 // [len(IDs)] or nil
	// SeqWeight is what each token counts in the log-probability of the run as
	// a sequence; nil if the run has none.
	SeqWeight []float32 // [len(IDs)] or nil
	Value     bool      // the value head reads the last token
	Reference float64   // log-probability of the sequence under the reference model
}

// sequence reports whether the run is one of the batch's sequences.
func (r Run) sequence() bool { return r.SeqWeight != nil || r.Value }

// read reports whether the prediction of token i is read out.
func (r Run) read(i int) bool {
	return r.Weight != nil && r.Weight[i] != 0 || r.SeqWeight != nil && r.SeqWeight[i] != 0
}

// leafTokens returns how many tokens of a run without children a batch needs:
// the last is only a target, unless the value head reads it.
func (r Run) leafTokens() int {
	if r.Value {
		return len(r.IDs)
	}
	return max(0, len(r.IDs)-1)
}

// Example is what one data row becomes: a document, or a prompt with the
// responses to it. Sequence indices in Pairs count the example's own sequences,
// in order. The first token of a row is never predicted.
type Example struct {
	Row       string // id of the data row, for error messages
	Prompt    Run
	Responses []Run
	Pairs     []token.Pair
	Norm      float64 // what the example adds to Batch.Norm
}

// Tokens returns how many tokens the example takes in a batch.
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

// Positions returns how many tokens of its longest sequence a batch computes: the
// prompt with a response.
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

// Targets returns how many predictions are read out.
func (e Example) Targets() int {
	n := e.Prompt.targets(1)
	first := 0
	if len(e.Prompt.IDs) == 0 {
		first = 1 // nothing comes before a response's first token
	}
	for _, r := range e.Responses {
		n += r.targets(first)
	}
	return n
}

// targets returns how many predictions are read out from token first on.
func (r Run) targets(first int) int {
	n := 0
	for i := first; i < len(r.IDs); i++ {
		n += count(r.read(i))
	}
	return n
}

// Sequences returns how many of the example's runs are sequences.
func (e Example) Sequences() int {
	n := count(e.Prompt.sequence())
	for _, r := range e.Responses {
		n += count(r.sequence())
	}
	return n
}

// Values returns how many of the example's runs the value head reads.
func (e Example) Values() int {
	n := count(e.Prompt.Value)
	for _, r := range e.Responses {
		n += count(r.Value)
	}
	return n
}

// size returns what the example adds to the size of a batch.
func (e Example) size() token.Size {
	return token.Size{Tokens: e.Tokens(), Reads: e.Targets(), Sequences: e.Sequences(), Pairs: len(e.Pairs)}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Text returns the example of a plain text: every token after the first counts.
func Text(row string, ids []token.ID) Example {
	weight := make([]float32, len(ids))
	for i := range weight {
		weight[i] = 1
	}
	return Example{Row: row, Prompt: Run{IDs: ids, Weight: weight}, Norm: float64(max(0, len(ids)-1))}
}
