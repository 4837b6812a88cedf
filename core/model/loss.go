package model

import G "gorgonia.org/gorgonia"

// CrossEntropy is the loss of a language model: minus the weighted sum of the
// targets' log-probabilities. With the weights 1 and over the step's token
// count, it is the mean over tokens. It computes the logits once, for which it
// must be the loss or a term of it that nothing multiplies: any other fails.
func CrossEntropy(o *Outputs) (*G.Node, error) { return o.CrossEntropy(), nil }

// NegLogLikelihood is the same as a term beside others over LogProb or
// SeqLogProb, with which it shares the logits. It may be multiplied, and its
// gradient computes the logits once more.
func NegLogLikelihood(o *Outputs) (*G.Node, error) {
	sum, err := WeightedSum(o.Weight(), o.LogProb())
	if err != nil {
		return nil, err
	}
	return G.Neg(sum)
}

// WeightedSum returns the sum of w*x over two vectors of one length.
func WeightedSum(w, x *G.Node) (*G.Node, error) {
	product, err := G.HadamardProd(w, x)
	if err != nil {
		return nil, err
	}
	return G.Sum(product)
}

// NegLogSigmoid returns -log sigmoid(x) elementwise, without overflow for any x.
func NegLogSigmoid(x *G.Node) (*G.Node, error) {
	minus, err := G.Neg(x)
	if err != nil {
		return nil, err
	}
	return G.Softplus(minus)
}

// The roots of graphs that are only evaluated.

// LogProbs asks for the log-probability of every target.
func LogProbs(o *Outputs) (*G.Node, error) { return o.LogProb(), nil }

// SeqLogProbs asks for the log-probability of every sequence.
func SeqLogProbs(o *Outputs) (*G.Node, error) { return o.SeqLogProb(), nil }

// Values asks for the value head's output for every sequence.
func Values(o *Outputs) (*G.Node, error) { return o.Value(), nil }
