package dpo

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
)

// scalars is a golden file of preference losses on given log-probabilities.
type scalars struct {
	Beta           float64
	PolicyChosen   []float32 `json:"policy_chosen"`
	PolicyRejected []float32 `json:"policy_rejected"`
	RefChosen      []float32 `json:"ref_chosen"`
	RefRejected    []float32 `json:"ref_rejected"`
	ExpectedDPO    []float64 `json:"expected_dpo"`
	Table          []struct {
		Beta    float64
		Delta   []float64
		Sigmoid []float64
	}
}

func readScalars(t *testing.T, path string) scalars {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var s scalars
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// pair returns a batch of one pair with the references of case i, and the
// log-probabilities of its two sequences.
func (s scalars) pair(i int) (*token.Batch, []float32) {
	return &token.Batch{
		Sequences: 2, Reference: []float32{s.RefChosen[i], s.RefRejected[i]},
		Pairs: []token.Pair{{Chosen: 0, Rejected: 1, Weight: 1}},
	}, []float32{s.PolicyChosen[i], s.PolicyRejected[i]}
}

func TestSigmoidGolden(t *testing.T) {
	torchtune := readScalars(t, "testdata/dpo_torchtune.json")
	for i, want := range torchtune.ExpectedDPO {
		checkSigmoid(t, torchtune, i, torchtune.Beta, want)
	}
	closed := readScalars(t, "testdata/scalar_preference_losses.json")
	for _, row := range closed.Table {
		for i, want := range row.Sigmoid {
			checkSigmoid(t, closed, i, row.Beta, want)
		}
	}
}

func checkSigmoid(t *testing.T, s scalars, i int, beta, want float64) {
	t.Helper()
	b, x := s.pair(i)
	got, grad, err := model.Try(Sigmoid(beta, 0), b, x)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(got-want) > 2e-5*math.Max(1, want) {
		t.Errorf("case %d, beta %g: loss %v, want %v", i, beta, got, want)
	}
	// d/dchosen = -beta*sigmoid(-beta*delta), the opposite for rejected.
	slope := -beta * (1 - math.Exp(-want))
	if math.Abs(float64(grad[0])-slope) > 1e-5 || math.Abs(float64(grad[1])+slope) > 1e-5 {
		t.Errorf("case %d, beta %g: gradient %v, want %v and %v", i, beta, grad, slope, -slope)
	}
	// Planted: swapped references must be noticed, unless both are equal.
	b.Reference[0], b.Reference[1] = b.Reference[1], b.Reference[0]
	if wrong, _, _ := model.Try(Sigmoid(beta, 0), b, x); b.Reference[0] != b.Reference[1] && math.Abs(wrong-want) < 1e-6 {
		t.Errorf("case %d, beta %g: swapped references give the same loss %v", i, beta, wrong)
	}
}

// TestSigmoidExtremes: log-probabilities of long responses differ by thousands.
func TestSigmoidExtremes(t *testing.T) {
	for _, x := range [][]float32{{0, -5000}, {-5000, 0}, {-1e6, -1e6}} {
		b := &token.Batch{Sequences: 2, Reference: []float32{0, 0}, Pairs: []token.Pair{{Chosen: 0, Rejected: 1, Weight: 1}}}
		got, grad, err := model.Try(Sigmoid(0.1, 0), b, x)
		if err != nil {
			t.Fatal(err)
		}
		lead := 0.1 * float64(x[0]-x[1])
		want := math.Max(-lead, 0) + math.Log1p(math.Exp(-math.Abs(lead)))
		if math.Abs(got-want) > 1e-4*math.Max(1, want) || math.IsNaN(float64(grad[0])) {
			t.Errorf("%v: loss %v and gradient %v, want loss %v", x, got, grad, want)
		}
	}
}
