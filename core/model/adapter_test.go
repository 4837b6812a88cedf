package model_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
)

// shapes are adapters of every kind.
func shapes() map[string]model.LoRA {
	list := make(map[string]model.LoRA)
	add := func(name string, change func(*model.LoRA)) {
		l := model.DefaultLoRA()
		l.R, l.Alpha = 3, 4
		change(&l)
		list[name] = l
	}
	add("all", func(*model.LoRA) {})
	add("q and v, rslora", func(l *model.LoRA) { l.TargetModules, l.RSLoRA = []string{"v_proj", "q_proj"}, true })
	add("up, dropout", func(l *model.LoRA) { l.TargetModules, l.Dropout = []string{"up_proj"}, 0.4 })
	add("all, dropout", func(l *model.LoRA) { l.Dropout = 0.3 })
	add("dora", func(l *model.LoRA) { l.DoRA = true })
	add("k and down, dora, dropout", func(l *model.LoRA) {
		l.TargetModules, l.DoRA, l.Dropout = []string{"k_proj", "down_proj"}, true, 0.3
	})
	return list
}

// adapted is a random model with an adapter whose terms are not zero.
func adapted(t testing.TB, c model.Config, l model.LoRA) *model.Params {
	t.Helper()
	p := random(t, c)
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	a := p.Adapt(l, true)
	a.Init(p, 5)
	rng := rand.New(rand.NewPCG(6, 7))
	for i := range a.W {
		a.W[i] += float32(0.1 * rng.NormFloat64())
	}
	return p
}

func pair(rng *rand.Rand, value bool) *token.Batch {
	return pack.Batch([]pack.Example{preference(rng, 5, 4, 7, 37, value), preference(rng, 3, 1, 2, 37, value)})
}

// TestAdapterGradients moves the adapter along random directions: the loss must
// change as the gradient says. The lengths that DoRA divides by are constants for the
// gradient but not for the loss, so there only the magnitudes are compared.
func TestAdapterGradients(t *testing.T) {
	for name, l := range shapes() {
		for _, c := range []struct {
			name   string
			config model.Config
			loss   model.Loss
			value  bool
		}{
			{"untied", small(false), contrast, false},
			{"tied", small(true), model.CrossEntropy, false},
			{"reward", small(false).Reward(), ranking, true},
		} {
			t.Run(name+", "+c.name, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, 2))
				p := adapted(t, c.config, l)
				b := pair(rng, c.value)
				prog := compile(t, p, b, c.loss)
				prog.Draw(3, 4, 5)
				run(t, prog, b, 1, false)
				a := p.Adapter
				g := slices.Clone(a.G)
				for _, param := range a.Tensors {
					if l.DoRA && strings.Contains(param.Name, "lora_A") || l.DoRA && strings.Contains(param.Name, "lora_B") {
						continue
					}
					direction := make([]float64, len(param.W))
					var want, planted float64
					offset := index(a.W, param.W)
					for i := range direction {
						direction[i] = rng.NormFloat64()
						want += direction[i] * float64(g[offset+i])
						planted += direction[i] * float64(g[(offset+i+1)%len(g)])
					}
					// The loss moves by about 0.05: far above rounding, little beside its curvature.
					got := slopeBy(t, prog, b, param, direction, min(2e-2, 0.05/math.Abs(want)))
					size := norm(g[offset : offset+len(param.W)])
					tolerance := 2e-3 * math.Max(0.1, size)
					if math.Abs(got-want) > tolerance {
						t.Errorf("%s: loss changes by %v, the gradient says %v", param.Name, got, want)
					}
					if size > 0.1 && math.Abs(got-planted) <= tolerance/10 {
						t.Errorf("%s: a gradient shifted by one goes unnoticed", param.Name)
					}
					if size == 0 {
						t.Errorf("%s has no gradient", param.Name)
					}
				}
			})
		}
	}
}

// TestDoRAGradients: with the gains as constants, a model with DoRA is one with LoRA
// whose W and B have rows as many times longer.
func TestDoRAGradients(t *testing.T) {
	l := shapes()["dora"]
	rng := rand.New(rand.NewPCG(11, 12))
	b := pair(rng, false)
	p := adapted(t, small(false), l)
	run(t, compile(t, p, b, contrast), b, 1, false)

	plain := l
	plain.DoRA = false
	q := random(t, small(false))
	q.Adapt(plain, true)
	gains := make(map[string][]float32)
	for _, w := range p.Tensors {
		m := tensor(p.Adapter, w.Name, "lora_magnitude_vector")
		if m == nil {
			continue
		}
		A, B := tensor(p.Adapter, w.Name, "lora_A.weight"), tensor(p.Adapter, w.Name, "lora_B.weight")
		qw, qA, qB := find(q.Tensors, w.Name), tensor(q.Adapter, w.Name, "lora_A.weight"), tensor(q.Adapter, w.Name, "lora_B.weight")
		copy(qA.W, A.W)
		gains[w.Name] = gainOf(w, A, B, m, l.Alpha/float64(l.R))
		in := w.Shape[1]
		for i, g := range gains[w.Name] {
			for k := range in {
				qw.W[i*in+k] *= g
			}
			for k := range l.R {
				qB.W[i*l.R+k] = B.W[i*l.R+k] * g
			}
		}
	}
	run(t, compile(t, q, b, contrast), b, 1, false)
	for name, gain := range gains {
		A, B := tensor(p.Adapter, name, "lora_A.weight"), tensor(p.Adapter, name, "lora_B.weight")
		qA, qB := tensor(q.Adapter, name, "lora_A.weight"), tensor(q.Adapter, name, "lora_B.weight")
		want := slices.Clone(qB.G)
		for i := range want {
			want[i] *= gain[i/l.R]
		}
		if d := difference(A.G, qA.G); d > 1e-4*norm(qA.G) {
			t.Errorf("%s: the gradient of A differs by %v of %v", name, d, norm(qA.G))
		}
		if d := difference(B.G, want); d > 1e-4*norm(want) {
			t.Errorf("%s: the gradient of B differs by %v of %v", name, d, norm(want))
		}
		if d := difference(B.G, qB.G); d < 1e-3*norm(want) {
			t.Errorf("%s: a gradient of B without the gain passes", name)
		}
	}
}

// gainOf is m over the norm of the rows of w + scale·B·A.
func gainOf(w, a, b, m *model.Param, scale float64) []float32 {
	in, r := w.Shape[1], a.Shape[0]
	gain := make([]float32, len(m.W))
	for i := range gain {
		sum := 0.0
		for k := range in {
			v := float64(w.W[i*in+k])
			for j := range r {
				v += scale * float64(b.W[i*r+j]) * float64(a.W[j*in+k])
			}
			sum += v * v
		}
		gain[i] = float32(float64(m.W[i]) / math.Sqrt(sum))
	}
	return gain
}

func find(list []*model.Param, name string) *model.Param {
	i := slices.IndexFunc(list, func(t *model.Param) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return list[i]
}

// tensor returns the adapter's tensor of a kind beside a matrix of the model.
func tensor(a *model.Adapter, of, kind string) *model.Param {
	return find(a.Tensors, "base_model.model."+strings.TrimSuffix(of, "weight")+kind)
}

// TestAdapterStartsAsBase: before training, an adapter changes no bit, and with it
// off there never is a change.
func TestAdapterStartsAsBase(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	b := pair(rng, false)
	for name, l := range shapes() {
		p := random(t, small(true))
		want := graphLogits(t, p, b)
		a := p.Adapt(l, true)
		a.Init(p, 1)
		if got := graphLogits(t, p, b); !slices.Equal(got, want) {
			t.Errorf("%s: a new adapter changes the logits by %v", name, difference(got, want))
		}
		for i := range a.W {
			a.W[i] += float32(0.1 * rng.NormFloat64())
		}
		if got := graphLogits(t, p.Off(), b); !slices.Equal(got, want) {
			t.Errorf("%s: the adapter is off, and the logits differ by %v", name, difference(got, want))
		}
		if got := graphLogits(t, p, b); difference(got, want) < 1e-2 {
			t.Errorf("%s: the adapter has no effect", name)
		}
	}
}

// TestMerge: merged weights give what the adapter gives beside them.
func TestMerge(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	b := pair(rng, false)
	for name, l := range shapes() {
		p := adapted(t, small(false), l)
		want := graphLogits(t, p, b)
		base := slices.Clone(p.W)
		p.Merge()
		got := graphLogits(t, p, b)
		if d := difference(got, want); d > 2e-5 || p.Adapter != nil {
			t.Errorf("%s: merged, the logits differ by %v", name, d)
		}
		if slices.Equal(base, p.W) {
			t.Errorf("%s: merging changes no weight", name)
		}
		p.Layers[1].Down.W[3] += 0.05
		if d := difference(graphLogits(t, p, b), want); d < 1e-4 {
			t.Errorf("%s: a weight that is off by 0.05 passes: %v", name, d)
		}
	}
}

// TestFrozen: training an adapter runs no kernel for the gradient of anything else,
// and leaves the base as it is.
func TestFrozen(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 18))
	b := pair(rng, false)
	c := deep(small(false), 3)
	costs := func(modules ...string) map[string]float64 {
		l := model.DefaultLoRA()
		l.R, l.TargetModules = 2, modules
		p := adapted(t, c, l)
		before := slices.Clone(p.W)
		prog := compile(t, p, b, model.CrossEntropy)
		prog.Profile()
		run(t, prog, b, 1, false)
		if p.G != nil || !slices.Equal(p.W, before) {
			t.Errorf("%v: the base has gradients or has changed", modules)
		}
		flops := make(map[string]float64)
		for _, cost := range prog.Costs() {
			flops[cost.Name] = cost.Flops
		}
		return flops
	}
	rows, reads := float64(len(b.IDs)), float64(len(b.Read))
	d, f, vocab, layers, r := float64(c.HiddenSize), float64(c.IntermediateSize), float64(c.VocabSize), float64(c.Layers), 2.0

	all := costs("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
	if _, there := all["embed.grad"]; there {
		t.Error("the gradient of the embedding is computed")
	}
	if got, want := all["cross-entropy"], 4*reads*d*vocab; got != want {
		t.Errorf("the head takes %v operations, logits and the gradient of its input %v", got, want)
	}
	// Of x, and of A and B and what they read.
	if got, want := all["down_proj.grad"], layers*rows*(2*d*f+4*r*(d+f)); got != want {
		t.Errorf("the gradient of down_proj takes %v operations, want %v", got, want)
	}
	// In the first layer nothing before the block is trained.
	q := float64((c.Heads + 2*c.KVHeads) * c.HeadDim)
	if got, want := all["qkv_proj.grad"], rows*((layers-1)*2*d*q+layers*4*r*(3*d+q)-2*3*r*d); got != want {
		t.Errorf("the gradient of qkv_proj takes %v operations, want %v", got, want)
	}
	// Beside down_proj alone: the first layer has no other gradient, the others only
	// of what they read.
	down := costs("down_proj")
	if got, want := down["qkv_proj.grad"], rows*(layers-1)*2*d*q; got != want {
		t.Errorf("the gradient of a frozen qkv_proj takes %v operations, want %v", got, want)
	}
	if got, want := down["down_proj.grad"], rows*((layers-1)*2*d*f+layers*4*r*(d+f)-2*r*f); got != want {
		t.Errorf("the gradient of down_proj alone takes %v operations, want %v", got, want)
	}
	if all["attention.grad"]*2 != 3*down["attention.grad"] || down["attention.grad"] == 0 {
		t.Errorf("attention's gradient takes %v operations in two layers, %v in three", down["attention.grad"], all["attention.grad"])
	}
}

// TestAdapterBits: recomputation, the number of threads and what ran before change
// no bit; dropout follows from seed, step and micro-batch.
func TestAdapterBits(t *testing.T) {
	defer kernel.SetThreads(0)
	for name, l := range shapes() {
		rng := rand.New(rand.NewPCG(19, 20))
		p := adapted(t, deep(small(true), 3), l)
		b := pack.Batch([]pack.Example{preference(rng, 20, 12, 9, 37, false), preference(rng, 9, 8, 7, 37, false)})
		little := pair(rng, false)
		keeping := compileAs(t, p, b, contrast, model.RecomputeNone)
		again := compileAs(t, p, b, contrast, model.RecomputeLayer)
		gradient := func(prog *model.Program, micro int) []float32 {
			prog.Draw(1, 2, micro)
			run(t, prog, little, 1, false)
			run(t, prog, b, 1, false)
			run(t, prog, b, 1, true)
			return slices.Clone(p.Adapter.G)
		}
		want := gradient(keeping, 3)
		for _, threads := range []int{1, 2, 3, 7} {
			kernel.SetThreads(threads)
			for _, prog := range []*model.Program{keeping, again} {
				if got := gradient(prog, 3); !slices.Equal(got, want) || norm(want) == 0 {
					t.Errorf("%s, %d threads: the gradients differ by %v", name, threads, difference(got, want))
				}
			}
		}
		if got := gradient(keeping, 4); slices.Equal(got, want) != (l.Dropout == 0) {
			t.Errorf("%s: the next micro-batch draws the same: %v", name, slices.Equal(got, want))
		}
	}
}

// TestAdapterAccumulates: two runs add up to twice the gradients of one.
func TestAdapterAccumulates(t *testing.T) {
	for name, l := range shapes() {
		rng := rand.New(rand.NewPCG(21, 22))
		p := adapted(t, small(false), l)
		b := pair(rng, false)
		prog := compile(t, p, b, contrast)
		run(t, prog, b, 1, false)
		want := slices.Clone(p.Adapter.G)
		for i := range want {
			want[i] *= 2
		}
		run(t, prog, b, 1, true)
		if d := difference(want, p.Adapter.G); d > 1e-5*norm(want) {
			t.Errorf("%s: gradients of two runs differ from twice those of one by %v", name, d)
		}
	}
}

func TestLoRARefuses(t *testing.T) {
	for want, spoil := range map[string]func(*model.LoRA){
		"lora.r is -1":                       func(l *model.LoRA) { l.R = -1 },
		"lora.alpha is 0":                    func(l *model.LoRA) { l.Alpha = 0 },
		"lora.dropout is 1":                  func(l *model.LoRA) { l.Dropout = 1 },
		"lora.target_modules is empty":       func(l *model.LoRA) { l.TargetModules = nil },
		`has "lm_head"`:                      func(l *model.LoRA) { l.TargetModules = []string{"q_proj", "lm_head"} },
		`lora.target_modules has "q_proj" t`: func(l *model.LoRA) { l.TargetModules = []string{"q_proj", "q_proj"} },
	} {
		l := model.DefaultLoRA()
		l.R = 8
		spoil(&l)
		if err := l.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
	if err := model.DefaultLoRA().Validate(); err != nil {
		t.Error(err)
	}
}

// TestAdapterChainRule: with dW the gradient of the merged weights, which is held
// against other programs, that of A is s·Bᵀ·dW and that of B is s·dW·Aᵀ. In bfloat16
// they are off by no more than twice what the gradients of the weights are.
func TestAdapterChainRule(t *testing.T) {
	l := shapes()["all"]
	batch := pair(rand.New(rand.NewPCG(23, 24)), false)
	merged := adapted(t, small(false), l)
	merged.Merge()
	full := random(t, small(false))
	copy(full.W, merged.W)
	run(t, compile(t, full, batch, contrast), batch, 1, false)

	rounded := random(t, small(false))
	rounded.Precision = kernel.BF16
	copy(rounded.W, merged.W)
	run(t, compile(t, rounded, batch, contrast), batch, 1, false)
	off := 0.0
	for i, w := range full.Tensors {
		off = max(off, distance(rounded.Tensors[i].G, w.G)/norm(w.G))
	}

	for precision, tolerance := range map[kernel.Precision]float64{kernel.FP32: 1e-5, kernel.BF16: 2 * off} {
		p := adapted(t, small(false), l)
		p.Precision = precision
		run(t, compile(t, p, batch, contrast), batch, 1, false)
		for _, w := range full.Tensors {
			a, b := tensor(p.Adapter, w.Name, "lora_A.weight"), tensor(p.Adapter, w.Name, "lora_B.weight")
			if a == nil {
				continue
			}
			da, db := chainRule(w, a.W, b.W, l.R, l.Alpha/float64(l.R))
			for name, pair := range map[string][2][]float32{"A": {a.G, da}, "B": {b.G, db}} {
				d := distance(pair[0], pair[1]) / norm(pair[1])
				if d > tolerance || (d > 1e-4) != (precision == kernel.BF16) {
					t.Errorf("%v: the gradient of %s's %s is off by %v of it, want less than %v", precision, w.Name, name, d, tolerance)
				}
			}
		}
	}
}

// chainRule returns the gradients of a[r,in] and b[out,r] from that of w[out,in].
func chainRule(w *model.Param, a, b []float32, r int, scale float64) (da, db []float32) {
	out, in := w.Shape[0], w.Shape[1]
	da, db = make([]float32, len(a)), make([]float32, len(b))
	for i := range out {
		for k := range in {
			g := float32(scale) * w.G[i*in+k]
			for j := range r {
				da[j*in+k] += b[i*r+j] * g
				db[i*r+j] += a[j*in+k] * g
			}
		}
	}
	return da, db
}

// distance is the Euclidean norm of a-b.
func distance(a, b []float32) float64 {
	diff := slices.Clone(a)
	for i := range diff {
		diff[i] -= b[i]
	}
	return norm(diff)
}
