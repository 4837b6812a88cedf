package model_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/optim"
	"github.com/herd-lm/herd/core/train/pack"
)

// The golden values are those of Meta's own model code in float64; their files
// name the source.
const tiny = "testdata/tiny_llama"

func loadTiny(t testing.TB) *model.Params {
	t.Helper()
	p, err := model.Load(tiny, true)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func readJSON(t testing.TB, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func golden(t testing.TB, name string, v any) {
	t.Helper()
	readJSON(t, filepath.Join(tiny, name), v)
}

// close reports whether got is within a relative tolerance of want.
func near(got, want, tolerance float64) bool {
	return math.Abs(got-want) <= tolerance*math.Max(1, math.Abs(want))
}

func compile(t testing.TB, p *model.Params, b *token.Batch, loss model.Loss) *model.Program {
	t.Helper()
	return compileAs(t, p, b, loss, model.RecomputeNone)
}

func compileAs(t testing.TB, p *model.Params, b *token.Batch, loss model.Loss, r model.Recompute) *model.Program {
	t.Helper()
	prog, err := model.Compile(p, b.Size(), loss, r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { prog.Close() })
	return prog
}

func run(t testing.TB, prog *model.Program, b *token.Batch, scale float64, accumulate bool) *model.Result {
	t.Helper()
	r, err := prog.Run(b, scale, accumulate)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// supervised returns an example per row whose targets are the labels that are
// not -100; labels are not shifted, as in Hugging Face's.
func supervised(tokens, labels [][]token.ID) []pack.Example {
	var list []pack.Example
	for i, ids := range tokens {
		e := pack.Example{Row: "row", Prompt: pack.Run{IDs: ids, Weight: make([]float32, len(ids))}}
		for j := 1; j < len(ids); j++ {
			if labels[i][j] != -100 {
				e.Prompt.Weight[j] = 1
				e.Norm++
			}
		}
		list = append(list, e)
	}
	return list
}

func TestGoldenForward(t *testing.T) {
	var want struct {
		Tokens [][]token.ID
		Logits [][][]float64
		Loss   float64 `json:"lm_loss_mean_all_tokens"`
	}
	golden(t, "forward.json", &want)
	p := loadTiny(t)

	t.Run("logits", func(t *testing.T) {
		b := pack.Batch([]pack.Example{pack.Text("a", append(want.Tokens[0], 0)), pack.Text("b", append(want.Tokens[1], 0))})
		prog, err := model.CompileForward(p, b.Size(), func(o *model.Outputs) model.Expr { return o.Logits() })
		if err != nil {
			t.Fatal(err)
		}
		defer prog.Close()
		r, err := prog.Run(b, 1, false)
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		for _, row := range want.Logits {
			for _, logits := range row {
				for _, x := range logits {
					if !near(float64(r.Logits[i]), x, 2e-5) {
						t.Fatalf("logit %d is %v, want %v", i, r.Logits[i], x)
					}
					i++
				}
			}
		}
	})

	t.Run("loss", func(t *testing.T) {
		b := pack.Batch([]pack.Example{pack.Text("a", want.Tokens[0]), pack.Text("b", want.Tokens[1])})
		if r := run(t, compile(t, p, b, model.CrossEntropy), b, 1/b.Norm, false); !near(r.Loss, want.Loss, 2e-5) {
			t.Errorf("loss %v, want %v", r.Loss, want.Loss)
		}
	})
}

type sftGolden struct {
	Tokens, Labels [][]token.ID
	Loss           float64 `json:"loss_token_mean"`
	GradNorm       float64 `json:"grad_norm"`
	Grads          map[string]struct {
		L2     float64
		First3 []float64
	}
	Accumulation struct {
		Loss      float64 `json:"expected_loss"`
		GradNorm  float64 `json:"expected_grad_norm"`
		WrongLoss float64 `json:"WRONG_mean_of_means_loss"`
		WrongNorm float64 `json:"WRONG_mean_of_means_grad_norm"`
	} `json:"grad_accumulation"`
	Const  trajectory `json:"adamw_trajectory_const"`
	Cosine trajectory `json:"adamw_trajectory_warmup_cosine"`
}

type trajectory struct {
	Optimizer struct {
		Betas []float64
		Eps   float64
		Decay float64 `json:"weight_decay"`
		Clip  float64 `json:"clip_norm"`
	}
	Batches, Labels [][][]token.ID
	Steps           []struct {
		LR, Loss float64
		GradNorm float64 `json:"grad_norm_before_clip"`
	}
	Final map[string]struct{ Sum, L2 float64 } `json:"final_params_hf"`
}

func norm(x []float32) float64 {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}

func TestGoldenGradients(t *testing.T) {
	var want sftGolden
	golden(t, "sft.json", &want)
	p := loadTiny(t)
	b := pack.Batch(supervised(want.Tokens, want.Labels))
	r := run(t, compile(t, p, b, model.CrossEntropy), b, 1/b.Norm, false)
	if !near(r.Loss, want.Loss, 2e-5) {
		t.Errorf("loss %v, want %v", r.Loss, want.Loss)
	}
	if len(p.Tensors) != len(want.Grads) {
		t.Errorf("%d parameters, want %d", len(p.Tensors), len(want.Grads))
	}
	for _, param := range p.Tensors {
		g := want.Grads[param.Name]
		if got := norm(param.G); math.Abs(got-g.L2) > 1e-3*g.L2 {
			t.Errorf("%s: gradient norm %v, want %v", param.Name, got, g.L2)
		}
		for i, x := range g.First3 {
			if math.Abs(float64(param.G[i])-x) > 1e-3*g.L2 {
				t.Errorf("%s: gradient %d is %v, want %v", param.Name, i, param.G[i], x)
			}
		}
	}
	if got := norm(p.G); !near(got, want.GradNorm, 1e-3) {
		t.Errorf("gradient norm %v, want %v", got, want.GradNorm)
	}
}

// TestGoldenAccumulation splits a batch unevenly: the step's loss is over all its
// tokens, not a mean of the micro-batches' means.
func TestGoldenAccumulation(t *testing.T) {
	var want sftGolden
	golden(t, "sft.json", &want)
	p := loadTiny(t)
	examples := supervised(want.Tokens, want.Labels)
	whole := pack.Batch(examples)
	parts := []*token.Batch{pack.Batch(examples[:1]), pack.Batch(examples[1:])}
	prog := compile(t, p, whole, model.CrossEntropy)

	step := func(scale func(*token.Batch) float64) (loss, gradNorm float64) {
		for i, b := range parts {
			loss += run(t, prog, b, scale(b), i > 0).Loss
		}
		return loss, norm(p.G)
	}
	loss, gradNorm := step(func(*token.Batch) float64 { return 1 / whole.Norm })
	if a := want.Accumulation; !near(loss, a.Loss, 2e-5) || !near(gradNorm, a.GradNorm, 1e-3) {
		t.Errorf("loss %v and gradient norm %v, want %v and %v", loss, gradNorm, a.Loss, a.GradNorm)
	}
	// The wrong normalisation gives the wrong value: the check can fail.
	loss, gradNorm = step(func(b *token.Batch) float64 { return 1 / b.Norm / 2 })
	if a := want.Accumulation; !near(loss, a.WrongLoss, 2e-5) || !near(gradNorm, a.WrongNorm, 1e-3) || near(loss, a.Loss, 2e-5) {
		t.Errorf("planted mean of means: loss %v and gradient norm %v, want the wrong %v and %v", loss, gradNorm, a.WrongLoss, a.WrongNorm)
	}
}

func TestGoldenPacking(t *testing.T) {
	var want struct {
		A      []token.ID `json:"doc_a"`
		B      []token.ID `json:"doc_b"`
		Masked float64    `json:"loss_packed_masked"`
		Wrong  float64    `json:"WRONG_loss_packed_causal_only"`
	}
	golden(t, "packing.json", &want)
	p := loadTiny(t)
	b := pack.Batch([]pack.Example{pack.Text("a", want.A), pack.Text("b", want.B)})
	prog := compile(t, p, b, model.CrossEntropy)
	if r := run(t, prog, b, 1/b.Norm, false); !near(r.Loss, want.Masked, 2e-5) {
		t.Errorf("packed loss %v, want %v", r.Loss, want.Masked)
	}

	t.Run("planted", func(t *testing.T) {
		// One segment over both documents attends across the border. The golden
		// value has all of document a's tokens as input, so that its last, which
		// nothing reads, is put back.
		wide := *b
		wide.IDs = slices.Concat(want.A, want.B[:len(want.B)-1])
		wide.Pos = nil
		for i := range wide.IDs {
			wide.Pos = append(wide.Pos, int32(i))
		}
		wide.Segments = []token.Segment{{Start: 0, End: int32(len(wide.IDs)), Parent: -1}}
		wide.Read = slices.Clone(b.Read)
		for r := len(want.A) - 1; r < len(wide.Read); r++ {
			wide.Read[r]++
		}
		if r := run(t, compile(t, p, &wide, model.CrossEntropy), &wide, 1/b.Norm, false); !near(r.Loss, want.Wrong, 2e-5) {
			t.Errorf("loss without document mask %v, want the wrong %v", r.Loss, want.Wrong)
		}
	})
}

func TestGoldenTrajectories(t *testing.T) {
	var want sftGolden
	golden(t, "sft.json", &want)
	// The second trajectory has the batches of the first.
	want.Cosine.Batches, want.Cosine.Labels = want.Const.Batches, want.Const.Labels
	// The first decays all parameters, and says so.
	all := func(p *model.Params) []optim.Range { return []optim.Range{{Start: 0, End: len(p.W)}} }
	t.Run("constant", func(t *testing.T) { follow(t, want.Const, all) })
	t.Run("warm-up and cosine", func(t *testing.T) {
		want.Cosine.Optimizer.Eps = 1e-8
		follow(t, want.Cosine, all)
	})
}

func follow(t *testing.T, want trajectory, decay func(*model.Params) []optim.Range) {
	p := loadTiny(t)
	a := optim.NewAdamW(len(p.W))
	o := want.Optimizer
	a.Beta1, a.Beta2, a.Eps, a.Decay = o.Betas[0], o.Betas[1], o.Eps, o.Decay
	for i, step := range want.Steps {
		b := pack.Batch(supervised(want.Batches[i], want.Labels[i]))
		r := run(t, compile(t, p, b, model.CrossEntropy), b, 1/b.Norm, false)
		gradNorm, _, err := a.Step(p.W, p.G, decay(p), step.LR, o.Clip)
		if err != nil {
			t.Fatal(err)
		}
		if !near(r.Loss, step.Loss, 1e-4) || !near(gradNorm, step.GradNorm, 1e-3) {
			t.Fatalf("step %d: loss %v and gradient norm %v, want %v and %v", i+1, r.Loss, gradNorm, step.Loss, step.GradNorm)
		}
	}
	for _, param := range p.Tensors {
		final := want.Final[param.Name]
		if got := norm(param.W); math.Abs(got-final.L2) > 1e-4*final.L2 {
			t.Errorf("%s: norm %v after the last step, want %v", param.Name, got, final.L2)
		}
		var sum float64
		for _, w := range param.W {
			sum += float64(w)
		}
		if math.Abs(sum-final.Sum) > 1e-4*math.Max(final.L2, math.Abs(final.Sum)) {
			t.Errorf("%s: sum %v after the last step, want %v", param.Name, sum, final.Sum)
		}
	}
}
