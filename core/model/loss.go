package model

// CrossEntropy is the loss of a language model: minus the weighted sum of the targets'
// log-probabilities. With weights of 1 over the step's token count it is the mean over
// tokens. It computes the logits once. For that it must be the loss, or a term of the
// loss that nothing multiplies: anything else fails when it runs.
func CrossEntropy(o *Outputs) Expr { return o.CrossEntropy() }

// NegLogLikelihood has the value of CrossEntropy, as a term beside others over LogProb or
// SeqLogProb, with which it shares the logits. You may multiply it. Its gradient computes
// the logits again.
func NegLogLikelihood(o *Outputs) Expr { return o.Weight().Dot(o.LogProb()).Neg() }

// The roots of graphs that only evaluate a model.

// LogProbs computes the log-probability of every target.
func LogProbs(o *Outputs) Expr { return o.LogProb() }

// SeqLogProbs computes the log-probability of every sequence.
func SeqLogProbs(o *Outputs) Expr { return o.SeqLogProb() }

// Values computes the value head's output for every sequence.
func Values(o *Outputs) Expr { return o.Value() }
