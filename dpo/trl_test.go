package dpo

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train"
)

// trl is what TRL's DPOTrainer computes from given logits in float64: rows
// 0..B-1 are chosen responses, B..2B-1 rejected ones.
type trl struct {
	B                    int
	InputIDs, Completion [][]int
	Logits               [][][]float64
	RefChosen            []float32 `json:"ref_chosen_logps"`
	RefRejected          []float32 `json:"ref_rejected_logps"`
	Cases                []struct {
		Name     string
		Params   struct{ Beta float64 }
		Loss     any // a number, or "nan"
		GradNorm any `json:"grad_norm_wrt_logits"`
		Metrics  map[string]any
	}
}

func readTRL(t *testing.T) trl {
	t.Helper()
	b, err := os.ReadFile("testdata/trl_dpo_compute_loss.json")
	if err != nil {
		t.Fatal(err)
	}
	var g trl
	masks := struct {
		InputIDs   *[][]int `json:"input_ids"`
		Completion *[][]int `json:"completion_mask"`
	}{&g.InputIDs, &g.Completion}
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &masks); err != nil {
		t.Fatal(err)
	}
	return g
}

// sequences returns the log-probability of each row's completion, and the squared
// norm of its gradient in the logits.
func (g trl) sequences() (logps []float32, squares []float64) {
	for r, row := range g.Logits {
		var logp, square float64
		for t, logits := range row[:len(row)-1] {
			if g.Completion[r][t+1] == 0 {
				continue
			}
			most, sum := slices.Max(logits), 0.0
			for _, x := range logits {
				sum += math.Exp(x - most)
			}
			for v, x := range logits {
				p := math.Exp(x-most) / sum
				if v == g.InputIDs[r][t+1] {
					logp += math.Log(p)
					p--
				}
				square += p * p
			}
		}
		logps, squares = append(logps, float32(logp)), append(squares, square)
	}
	return logps, squares
}

// TestSigmoidTRL holds loss, gradient and metrics against TRL's.
func TestSigmoidTRL(t *testing.T) {
	g := readTRL(t)
	logps, squares := g.sequences()
	b := &token.Batch{Sequences: 2 * g.B, Reference: slices.Concat(g.RefChosen, g.RefRejected)}
	for i := range g.B {
		b.Pairs = append(b.Pairs, token.Pair{Chosen: int32(i), Rejected: int32(g.B + i), Weight: 1 / float32(g.B)})
	}
	seen := 0
	for _, c := range g.Cases {
		if c.Name != "sigmoid_b0.1" && c.Name != "sigmoid_b0.5" {
			continue
		}
		seen++
		wantLoss, wantNorm := c.Loss.(float64), c.GradNorm.(float64)
		loss, grad, err := model.Try(Sigmoid(c.Params.Beta, 0), b, logps)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(loss-wantLoss) > 2e-5*wantLoss {
			t.Errorf("%s: loss %v, want %v", c.Name, loss, wantLoss)
		}
		var norm float64
		for r, s := range squares {
			norm += float64(grad[r]) * float64(grad[r]) * s
		}
		if norm = math.Sqrt(norm); math.Abs(norm-wantNorm) > 1e-3*wantNorm {
			t.Errorf("%s: gradient norm %v, want %v", c.Name, norm, wantNorm)
		}
		var m train.Meter
		Metrics(c.Params.Beta)(b, &model.Result{SeqLogProb: logps}, &m)
		for name, got := range m.Means() {
			if want, ok := c.Metrics[name].(float64); !ok || math.Abs(got-want) > 1e-5*math.Max(1, math.Abs(want)) {
				t.Errorf("%s: metric %s is %v, want %v", c.Name, name, got, want)
			}
		}
		if planted, _, _ := model.Try(Sigmoid(c.Params.Beta*1.01, 0), b, logps); math.Abs(planted-wantLoss) < 2e-5*wantLoss {
			t.Errorf("%s: a beta off by 1%% goes unnoticed", c.Name)
		}
	}
	if seen != 2 {
		t.Errorf("%d cases found, want 2", seen)
	}
}
