package reward

import (
	G "gorgonia.org/gorgonia"

	"github.com/herd-lm/herd/core/model"
)

// BradleyTerry is the loss of the reward model: the mean over pairs of
// -log sigmoid(r(chosen) - r(rejected) - margin) (arXiv 2203.02155, equation 1;
// Llama 3 drops the margin, arXiv 2407.21783, section 4.1.2).
func BradleyTerry(o *model.Outputs) (*G.Node, error) {
	lead, err := G.Sub(o.Chosen(o.Value()), o.Rejected(o.Value()))
	if err != nil {
		return nil, err
	}
	if lead, err = G.Sub(lead, o.Margin()); err != nil {
		return nil, err
	}
	losses, err := model.NegLogSigmoid(lead)
	if err != nil {
		return nil, err
	}
	return model.WeightedSum(o.PairWeight(), losses)
}
