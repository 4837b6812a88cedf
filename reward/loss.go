package reward

import "github.com/herd-lm/herd/core/model"

// BradleyTerry is the loss of the reward model: the mean over pairs of
// -log sigmoid(r(chosen) - r(rejected) - margin) (arXiv 2203.02155, equation 1;
// Llama 3 drops the margin, arXiv 2407.21783, section 4.1.2).
func BradleyTerry(o *model.Outputs) model.Expr {
	return o.MeanOverPairs(o.PairDifference(o.Value()).Sub(o.Margin()).NegLogSigmoid())
}
