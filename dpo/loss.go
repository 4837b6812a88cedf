package dpo

import (
	G "gorgonia.org/gorgonia"

	"github.com/herd-lm/herd/core/model"
)

// Sigmoid is the loss of direct preference optimisation (arXiv 2305.18290,
// equation 7), the mean over pairs of
//
//	-log sigmoid(beta * ((log p(chosen) - log ref(chosen)) - (log p(rejected) - log ref(rejected))))
//
// plus nll times the chosen responses' negative log-likelihood, whose weights
// are the token weights of the batch (arXiv 2404.19733, equation 1; arXiv
// 2407.21783, section 4.1.4, has nll = 0.2). As in the former, the likelihood is
// a mean over each response's tokens, then over pairs; TRL's mixture with its
// sft loss takes one mean over all chosen tokens of a batch.
func Sigmoid(beta, nll float64) model.Loss {
	return func(o *model.Outputs) (*G.Node, error) {
		loss, err := contrast(o, beta)
		if err != nil || nll == 0 {
			return loss, err
		}
		likelihood, err := model.NegLogLikelihood(o)
		if err != nil {
			return nil, err
		}
		if likelihood, err = G.Mul(likelihood, G.NewConstant(float32(nll))); err != nil {
			return nil, err
		}
		return G.Add(loss, likelihood)
	}
}

func contrast(o *model.Outputs, beta float64) (*G.Node, error) {
	ratio, err := G.Sub(o.SeqLogProb(), o.Reference())
	if err != nil {
		return nil, err
	}
	lead, err := G.Sub(o.Chosen(ratio), o.Rejected(ratio))
	if err != nil {
		return nil, err
	}
	if lead, err = G.Mul(lead, G.NewConstant(float32(beta))); err != nil {
		return nil, err
	}
	losses, err := model.NegLogSigmoid(lead)
	if err != nil {
		return nil, err
	}
	return model.WeightedSum(o.PairWeight(), losses)
}
