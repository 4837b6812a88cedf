package reward

import (
	"math"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
)

func negLogSigmoid(x float64) float64 { return math.Max(-x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

func TestBradleyTerry(t *testing.T) {
	values := []float32{1.5, -0.25, 3, 3, -400, 400}
	b := &token.Batch{Sequences: len(values), Pairs: []token.Pair{
		{Chosen: 0, Rejected: 1, Weight: 0.5},
		{Chosen: 0, Rejected: 2, Weight: 0.25, Margin: 0.75}, // a sequence may be in several pairs
		{Chosen: 2, Rejected: 3, Weight: 0.125},
		{Chosen: 4, Rejected: 5, Weight: 0.125},
	}}
	got, grad, err := model.Try(BradleyTerry, b, values)
	if err != nil {
		t.Fatal(err)
	}
	var want float64
	slopes := make([]float64, len(values))
	for _, p := range b.Pairs {
		lead := float64(values[p.Chosen]) - float64(values[p.Rejected]) - float64(p.Margin)
		want += float64(p.Weight) * negLogSigmoid(lead)
		slope := float64(p.Weight) / (1 + math.Exp(lead))
		slopes[p.Chosen] -= slope
		slopes[p.Rejected] += slope
	}
	if math.Abs(got-want) > 1e-5*want {
		t.Errorf("loss %v, want %v", got, want)
	}
	for i, s := range slopes {
		if math.Abs(float64(grad[i])-s) > 1e-6 {
			t.Errorf("gradient %d is %v, want %v", i, grad[i], s)
		}
	}
	b.Pairs[0].Chosen, b.Pairs[0].Rejected = 1, 0
	if planted, _, _ := model.Try(BradleyTerry, b, values); math.Abs(planted-want) < 1e-3 {
		t.Errorf("a pair turned around gives the same loss %v", planted)
	}
}
