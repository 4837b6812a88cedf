package dpo

import (
	"slices"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
)

// The indices of the two responses of an example.
const (
	chosen   = 0
	rejected = 1
)

// Example puts both responses to a prompt into one row. With maskFormat, the log-probabilities of
// the responses leave out end-of-turn tokens, because the loss would push a token that both
// responses have up and down at once (arXiv 2407.21783, section 4.1.4). Headers belong to the
// prompt. The likelihood term of the chosen response is a mean over all of its tokens, including
// the end of turn; each row has weight 1.
func Example(format *template.Format, row table.Preference, maskFormat bool) (pack.Example, error) {
	format, err := format.WithTools(row.Tools)
	if err != nil {
		return pack.Example{}, err
	}
	e, rendered, err := example.Responses(format, row.ID, row.Prompt, row.Chosen, row.Rejected)
	if err != nil {
		return e, err
	}
	e.Norm = 1
	e.Pairs = []token.Pair{{Chosen: chosen, Rejected: rejected, Weight: 1}}
	for i, response := range [][]chat.Message{chosen: row.Chosen, rejected: row.Rejected} {
		weights := example.Weights(rendered[i], slices.Concat(row.Prompt, response))
		e.Responses[i].SeqWeight = contrasted(weights, rendered[i].Kind, maskFormat)
		if i == chosen {
			e.Responses[i].Weight = mean(weights)
		}
	}
	if row.RefChosenLogP != nil && row.RefRejectedLogP != nil {
		e.Responses[chosen].Reference, e.Responses[rejected].Reference = *row.RefChosenLogP, *row.RefRejectedLogP
	}
	return e, nil
}

// contrasted returns the weights, with 0 for ends of turns if they are masked.
func contrasted(weights []float32, kinds []template.Kind, maskFormat bool) []float32 {
	w := slices.Clone(weights)
	for i, kind := range kinds {
		if maskFormat && kind == template.EndOfTurn {
			w[i] = 0
		}
	}
	return w
}

// mean divides weights by their sum. Weights that are all 0 stay so.
func mean(w []float32) []float32 {
	var n float32
	for _, x := range w {
		n += x
	}
	if n == 0 {
		return w
	}
	for i := range w {
		w[i] /= n
	}
	return w
}

// Metrics adds the metrics of TRL's DPO trainer.
func Metrics(beta float64) func(*token.Batch, *model.Result, *train.Meter) {
	return func(b *token.Batch, r *model.Result, m *train.Meter) {
		for _, p := range b.Pairs {
			c, j := r.SeqLogProb[p.Chosen], r.SeqLogProb[p.Rejected]
			rewardChosen := beta * float64(c-b.Reference[p.Chosen])
			rewardRejected := beta * float64(j-b.Reference[p.Rejected])
			m.Add("logps/chosen", float64(c), 1)
			m.Add("logps/rejected", float64(j), 1)
			m.Add("rewards/chosen", rewardChosen, 1)
			m.Add("rewards/rejected", rewardRejected, 1)
			m.Add("rewards/margins", rewardChosen-rewardRejected, 1)
			m.Add("rewards/accuracies", right(rewardChosen-rewardRejected), 1)
		}
	}
}

func right(margin float64) float64 {
	if margin > 0 {
		return 1
	}
	return 0
}
