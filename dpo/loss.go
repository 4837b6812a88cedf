package dpo

import "github.com/herd-lm/herd/core/model"

// Sigmoid is the loss of direct preference optimisation (arXiv 2305.18290,
// equation 7), the mean over pairs of
//
//	-log sigmoid(beta * ((log p(chosen) - log ref(chosen)) - (log p(rejected) - log ref(rejected))))
//
// plus nll times the negative log-likelihood of the chosen responses, whose weights are
// the token weights of the batch (arXiv 2404.19733, equation 1; arXiv 2407.21783, section
// 4.1.4, has nll = 0.2). As in the former, the likelihood is a mean over each response's
// tokens, then over pairs. TRL's mixture with its sft loss takes one mean over all chosen
// tokens of a batch.
func Sigmoid(beta, nll float64) model.Loss {
	return func(o *model.Outputs) model.Expr {
		loss := o.MeanOverPairs(o.PairDifference(o.LogRatio()).Scale(beta).NegLogSigmoid())
		if nll == 0 {
			return loss
		}
		return loss.Add(model.NegLogLikelihood(o).Scale(nll))
	}
}
