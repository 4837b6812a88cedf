package dpo

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
)

// The losses in this file show that the vocabulary of model.Expr suffices for the
// preference losses of TRL, and that they are as short as in the papers. herd does not
// offer them.

// ofDifference returns a loss over beta times the difference of the log ratios of a pair.
func ofDifference(beta float64, f func(x model.Expr) model.Expr) model.Loss {
	return func(o *model.Outputs) model.Expr {
		return o.MeanOverPairs(f(o.PairDifference(o.LogRatio()).Scale(beta)))
	}
}

// ofBoth returns a loss over beta times each response's log ratio.
func ofBoth(beta float64, f func(chosen, rejected model.Expr) model.Expr) model.Loss {
	return func(o *model.Outputs) model.Expr {
		reward := o.LogRatio().Scale(beta)
		return o.MeanOverPairs(f(o.Chosen(reward), o.Rejected(reward)))
	}
}

// hinge is that of SLiC (arXiv 2305.10425).
func hinge(beta float64) model.Loss {
	return ofDifference(beta, func(x model.Expr) model.Expr { return model.Const(1).Sub(x).Relu() })
}

// ipo is arXiv 2310.12036, equation 17.
func ipo(beta float64) model.Loss {
	return ofDifference(1, func(x model.Expr) model.Expr { return x.Sub(model.Const(1 / (2 * beta))).Square() })
}

// robust is arXiv 2403.00409, equation 9, for labels that are wrong with probability e.
func robust(beta, e float64) model.Loss {
	return ofDifference(beta, func(x model.Expr) model.Expr {
		return x.NegLogSigmoid().Scale(1 - e).Sub(x.Neg().NegLogSigmoid().Scale(e)).Scale(1 / (1 - 2*e))
	})
}

// exoPair is arXiv 2402.00856, equation 16.
func exoPair(beta, e float64) model.Loss {
	return ofDifference(beta, func(x model.Expr) model.Expr {
		kl := func(x model.Expr, p float64) model.Expr {
			return x.Sigmoid().Mul(x.LogSigmoid().Sub(model.Const(math.Log(p))))
		}
		return kl(x, 1-e).Add(kl(x.Neg(), e))
	})
}

// discoPOP is arXiv 2406.08414, equation 5. Its exponential is multiplied by the sigmoid
// inside the exponent, where it cannot overflow.
func discoPOP(beta, tau float64) model.Loss {
	return ofDifference(beta, func(x model.Expr) model.Expr {
		gate := x.Scale(1 / tau)
		return gate.Neg().Sigmoid().Mul(x.NegLogSigmoid()).Add(gate.LogSigmoid().Sub(x).Exp())
	})
}

// apoZero and apoDown are arXiv 2408.06266, equations 7 and 8.
func apoZero(beta float64) model.Loss {
	return ofBoth(beta, func(c, r model.Expr) model.Expr { return c.Neg().Sigmoid().Add(r.Sigmoid()) })
}

func apoDown(beta float64) model.Loss {
	return ofBoth(beta, func(c, r model.Expr) model.Expr { return c.Sigmoid().Add(r.Sub(c).Sigmoid()) })
}

// ncaPair is arXiv 2402.05369, equation 12 with two responses.
func ncaPair(beta float64) model.Loss {
	return ofBoth(beta, func(c, r model.Expr) model.Expr {
		return c.NegLogSigmoid().Add(c.Neg().NegLogSigmoid().Add(r.Neg().NegLogSigmoid()).Scale(0.5))
	})
}

// sppoHard is arXiv 2405.00675, equation 4.7 with probabilities of 0 and 1.
func sppoHard(beta float64) model.Loss {
	half := model.Const(0.5 / beta)
	return ofBoth(1, func(c, r model.Expr) model.Expr { return c.Sub(half).Square().Add(r.Add(half).Square()) })
}

// jensenShannon is the loss of DPO under another f-divergence (arXiv 2309.16240): the
// reward is log(2p/(p+ref)) in place of log(p/ref).
func jensenShannon(beta float64) model.Loss {
	return func(o *model.Outputs) model.Expr {
		return o.MeanOverPairs(o.PairDifference(o.LogRatio().LogSigmoid()).Scale(beta).NegLogSigmoid())
	}
}

// TestVocabulary holds test-only losses against TRL's values in float64, and against
// finite differences.
func TestVocabulary(t *testing.T) {
	g := readTRL(t)
	logps, squares := g.sequences()
	perPair := pairs(slices.Concat(g.RefChosen, g.RefRejected))
	losses := map[string]func(beta float64) model.Loss{
		"hinge": hinge, "apo_zero": apoZero, "apo_down": apoDown, "nca_pair": ncaPair, "sppo_hard": sppoHard,
		"robust":   func(beta float64) model.Loss { return robust(beta, 0.1) },
		"exo_pair": func(beta float64) model.Loss { return exoPair(beta, 1e-3) },
		"discopop": func(beta float64) model.Loss { return discoPOP(beta, 0.05) },
		"ipo":      ipo,
		"js":       jensenShannon,
	}
	seen := make(map[string]bool)
	for _, c := range g.Cases {
		name := c.Name
		for _, suffix := range []string{"_b0.1", "_b0.5"} {
			name = strings.TrimSuffix(name, suffix)
		}
		if name == "sigmoid_js_divergence" {
			name = "js"
		}
		build, ok := losses[name]
		if !ok {
			continue
		}
		seen[name] = true
		x, b, norms := logps, perPair, squares
		if name == "ipo" { // TRL takes the mean over a response's tokens for this one
			x, b, norms = g.perToken(x, b, norms)
		}
		t.Run(c.Name, func(t *testing.T) {
			checkTRL(t, build, c.Params.Beta, b, x, norms, c.Loss.(float64), c.GradNorm.(float64))
			checkSlopes(t, build(c.Params.Beta), b, x)
			checkSlopes(t, build(c.Params.Beta), pairs([]float32{0, 0, 0, 0}), []float32{0.5, -1, -0.25, 0.75})
		})
	}
	if len(seen) != len(losses) {
		t.Errorf("found the cases of %v only", seen)
	}
}

// pairs returns a batch in which the first half of the sequences are chosen, and each
// rejected one belongs to the chosen one at the same place.
func pairs(reference []float32) *token.Batch {
	n := len(reference) / 2
	b := &token.Batch{Sequences: 2 * n, Reference: reference}
	for i := range n {
		b.Pairs = append(b.Pairs, token.Pair{Chosen: int32(i), Rejected: int32(n + i), Weight: 1 / float32(n)})
	}
	return b
}

// perToken divides the log-probabilities of the batch by the lengths of the responses,
// and the squared norms of their gradients in the logits to match.
func (g trl) perToken(logps []float32, b *token.Batch, squares []float64) ([]float32, *token.Batch, []float64) {
	x, reference, norms := slices.Clone(logps), slices.Clone(b.Reference), slices.Clone(squares)
	for r, mask := range g.Completion {
		n := 0
		for _, m := range mask[1:] {
			n += m
		}
		x[r], reference[r], norms[r] = x[r]/float32(n), reference[r]/float32(n), norms[r]/float64(n*n)
	}
	return x, pairs(reference), norms
}

func checkTRL(t *testing.T, build func(float64) model.Loss, beta float64, b *token.Batch, x []float32, squares []float64, want, wantNorm float64) {
	t.Helper()
	loss, grad, err := model.Try(build(beta), b, x)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(loss-want) > 2e-5*want {
		t.Errorf("loss %v, want %v", loss, want)
	}
	var norm float64
	for r, s := range squares {
		norm += float64(grad[r]) * float64(grad[r]) * s
	}
	if norm = math.Sqrt(norm); math.Abs(norm-wantNorm) > 1e-3*wantNorm {
		t.Errorf("gradient norm %v, want %v", norm, wantNorm)
	}
	if planted, _, _ := model.Try(build(1.01*beta), b, x); math.Abs(planted-want) < 2e-5*want {
		t.Errorf("planted: a beta off by 1%% gives the same loss %v", planted)
	}
}

// checkSlopes compares the gradient in x with central differences. It plants a gradient
// that is wrong by 5% of its largest element.
func checkSlopes(t *testing.T, loss model.Loss, b *token.Batch, x []float32) {
	t.Helper()
	const step = 1.0 / 64
	at := func(i int, d float32) float64 {
		moved := slices.Clone(x)
		moved[i] += d
		value, _, err := model.Try(loss, b, moved)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	value, grad, err := model.Try(loss, b, x)
	if err != nil {
		t.Fatal(err)
	}
	largest := 0
	for i, g := range grad {
		if math.Abs(float64(g)) > math.Abs(float64(grad[largest])) {
			largest = i
		}
	}
	scale := math.Abs(float64(grad[largest]))
	for i, g := range grad {
		want := (at(i, step) - at(i, -step)) / (2 * step)
		tolerance := 0.01*scale + 1e-5*math.Max(1, math.Abs(value))
		if math.Abs(float64(g)-want) > tolerance {
			t.Errorf("gradient %d is %v, finite differences say %v", i, g, want)
		}
		if i == largest && math.Abs(1.05*float64(g)-want) <= tolerance {
			t.Errorf("planted: a gradient that is wrong by 5%% passes")
		}
	}
}

// TestVocabularyExtremes: the log-probabilities of long responses differ by thousands.
// Losses and gradients stay finite, and a pair of weight 0 adds nothing to either.
func TestVocabularyExtremes(t *testing.T) {
	for name, loss := range map[string]model.Loss{
		"hinge": hinge(0.1), "ipo": ipo(0.1), "robust": robust(0.1, 0.1), "exo_pair": exoPair(0.1, 1e-3),
		"apo_zero": apoZero(0.1), "apo_down": apoDown(0.1), "discopop": discoPOP(0.1, 0.05),
		"nca_pair": ncaPair(0.1), "sppo_hard": sppoHard(0.1), "js": jensenShannon(0.1), "sigmoid": Sigmoid(0.1, 0),
	} {
		for _, x := range [][]float32{{0, -5000}, {-5000, 0}, {-1e5, -1e5}, {5000, 5000}} {
			b := pairs([]float32{0, 0})
			value, grad, err := model.Try(loss, b, x)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range []float64{value, float64(grad[0]), float64(grad[1])} {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Errorf("%s of %v: loss %v, gradient %v", name, x, value, grad)
				}
			}
			b.Pairs[0].Weight = 0
			if value, grad, _ = model.Try(loss, b, x); value != 0 || grad[0] != 0 || grad[1] != 0 {
				t.Errorf("%s of %v with weight 0: loss %v, gradient %v", name, x, value, grad)
			}
		}
	}
}
