package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/herd-lm/herd/core/kernel/vector"
	"github.com/herd-lm/herd/core/token"
)

func linearOperation(rng *rand.Rand, n, in, out int) operation {
	return operation{
		name:   fmt.Sprintf("Linear/%dx%dx%d", n, in, out),
		in:     [][]float32{random(rng, n*in), random(rng, out*in)},
		define: func(v []vec) vec { return refLinear(v[0], v[1], n, in, out) },
		forward: func(v [][]float32) []float32 {
			y := random(rng, n*out)
			FP32.Linear(y, v[0], v[1], nil, n, in, out)
			return y
		},
		backward: func(v [][]float32, dy []float32) [][]float32 {
			dx, dw := random(rng, n*in), random(rng, out*in)
			FP32.LinearInputGrad(dx, dy, v[1], n, in, out, false)
			FP32.LinearWeightGrad(dw, dy, v[0], n, in, out, false)
			return [][]float32{dx, dw}
		},
	}
}

func biasOperation(rng *rand.Rand, n, d int) operation {
	return operation{
		name: fmt.Sprintf("Bias/%dx%d", n, d),
		in:   [][]float32{random(rng, n*d), random(rng, d)},
		define: func(v []vec) vec {
			y := append(vec(nil), v[0]...)
			for i := range y {
				y[i] += v[1][i%d]
			}
			return y
		},
		forward: func(v [][]float32) []float32 {
			y := append([]float32(nil), v[0]...)
			AddBias(y, v[1], n, d)
			return y
		},
		backward: func(_ [][]float32, dy []float32) [][]float32 {
			db := random(rng, d)
			BiasGrad(db, dy, n, d, false)
			return [][]float32{append([]float32(nil), dy...), db}
		},
	}
}

func normOperation(rng *rand.Rand, n, d int) operation {
	const eps = 1e-3
	return operation{
		name:   fmt.Sprintf("RMSNorm/%dx%d", n, d),
		in:     [][]float32{random(rng, n*d), random(rng, d)},
		define: func(v []vec) vec { return refNorm(v[0], v[1], n, d, eps) },
		forward: func(v [][]float32) []float32 {
			y := random(rng, n*d)
			RMSNorm(y, nil, v[0], v[1], n, d, eps)
			return y
		},
		backward: func(v [][]float32, dy []float32) [][]float32 {
			y, rstd, dx, dg := random(rng, n*d), random(rng, n), random(rng, n*d), random(rng, d)
			RMSNorm(y, rstd, v[0], v[1], n, d, eps)
			RMSNormGrad(NormGrad{DX: dx, DG: dg, DY: dy, X: v[0], G: v[1], RStd: rstd, N: n, D: d})
			return [][]float32{dx, dg}
		},
	}
}

func rotaryOperation(rng *rand.Rand, n int, h Heads) operation {
	inv := make(vec, h.Dim/2)
	for j := range inv {
		inv[j] = rng.Float64()
	}
	pos := make([]int32, n)
	for i := range pos {
		pos[i] = int32(rng.IntN(50))
	}
	r := NewRotary(inv, 50)
	turn := func(x []float32, inverse bool) []float32 {
		y := append([]float32(nil), x...)
		r.Rotate(y, pos, h, inverse)
		return y
	}
	return operation{
		name:    fmt.Sprintf("Rotary/%d,%v", n, h),
		in:      [][]float32{random(rng, n*h.QKV())},
		define:  func(v []vec) vec { return refRotate(v[0], inv, pos, h) },
		forward: func(v [][]float32) []float32 { return turn(v[0], false) },
		backward: func(_ [][]float32, dy []float32) [][]float32 {
			return [][]float32{turn(dy, true)}
		},
	}
}

func attentionOperation(rng *rand.Rand, segs []token.Segment, h Heads) operation {
	n := int(segs[len(segs)-1].End)
	return operation{
		name: fmt.Sprintf("Attention/%v,%v", segs, h),
		in:   [][]float32{random(rng, n*h.QKV())},
		define: func(v []vec) vec {
			o, _ := refAttention(v[0], segs, h, n)
			return o
		},
		forward: func(v [][]float32) []float32 {
			o, lse := random(rng, n*h.Out()), random(rng, n*h.Query)
			FP32.Attention(o, lse, v[0], segs, h)
			return o
		},
		backward: func(v [][]float32, dy []float32) [][]float32 {
			o, lse, dqkv := random(rng, n*h.Out()), random(rng, n*h.Query), random(rng, n*h.QKV())
			FP32.Attention(o, lse, v[0], segs, h)
			FP32.AttentionGrad(dqkv, dy, o, lse, v[0], segs, h)
			return [][]float32{dqkv}
		},
	}
}

func swigluOperation(rng *rand.Rand, n, f int) operation {
	return operation{
		name:   fmt.Sprintf("SwiGLU/%dx%d", n, f),
		in:     [][]float32{random(rng, 2*n*f)},
		define: func(v []vec) vec { return refSwiGLU(v[0], n, f) },
		forward: func(v [][]float32) []float32 {
			y := random(rng, n*f)
			SwiGLU(y, v[0], n, f)
			return y
		},
		backward: func(v [][]float32, dy []float32) [][]float32 {
			dgu := random(rng, 2*n*f)
			SwiGLUGrad(dgu, dy, v[0], n, f)
			return [][]float32{dgu}
		},
	}
}

func headOperation(rng *rand.Rand, r, d, vocab int) operation {
	target := make([]token.ID, r)
	for i := range target {
		target[i] = token.ID(rng.IntN(vocab))
	}
	return operation{
		name:   fmt.Sprintf("Head/%dx%dx%d", r, d, vocab),
		in:     [][]float32{random(rng, r*d), random(rng, vocab*d)},
		define: func(v []vec) vec { return refHead(v[0], v[1], target, d, vocab) },
		forward: func(v [][]float32) []float32 {
			logp, lse := random(rng, r), random(rng, r)
			headLogProb(FP32, logp, lse, v[0], v[1], target, d, vocab)
			return logp
		},
		backward: func(v [][]float32, dy []float32) [][]float32 {
			logp, lse, dx, dw := random(rng, r), random(rng, r), random(rng, r*d), random(rng, vocab*d)
			headLogProb(FP32, logp, lse, v[0], v[1], target, d, vocab)
			headLogProbGrad(FP32, dx, dw, dy, lse, v[0], v[1], target, d, vocab, false)
			return [][]float32{dx, dw}
		},
	}
}

// crossEntropyOperation takes the rows so many at a time. Its log-probabilities
// are the result; minus their gradients are the weights of the loss.
func crossEntropyOperation(rng *rand.Rand, r, d, vocab, atATime int) operation {
	target := make([]token.ID, r)
	for i := range target {
		target[i] = token.ID(rng.IntN(vocab))
	}
	return operation{
		name:   fmt.Sprintf("CrossEntropy/%dx%dx%d by %d", r, d, vocab, atATime),
		in:     [][]float32{random(rng, r*d), random(rng, vocab*d)},
		define: func(v []vec) vec { return refHead(v[0], v[1], target, d, vocab) },
		forward: func(v [][]float32) []float32 {
			logp := random(rng, r)
			FP32.CrossEntropy(Head{X: v[0], W: v[1], Target: target, D: d, Vocab: vocab}, CrossEntropy{LogP: logp, Logits: unset(atATime * LogitRow(vocab)), Weight: make([]float32, r)})
			return logp
		},
		backward: func(v [][]float32, dy []float32) [][]float32 {
			logp, weight, dx, dw := random(rng, r), make([]float32, r), random(rng, r*d), random(rng, vocab*d)
			vector.AddScaled(weight, -1, dy)
			FP32.CrossEntropy(Head{X: v[0], W: v[1], Target: target, D: d, Vocab: vocab}, CrossEntropy{LogP: logp, DX: dx, DW: dw, Logits: unset(atATime * LogitRow(vocab)), Weight: weight})
			return [][]float32{dx, dw}
		},
	}
}

func gatherOperation(rng *rand.Rand, n, d, reads int) operation {
	rows := make([]int32, reads)
	for i := range rows {
		rows[i] = int32(rng.IntN(n))
	}
	return operation{
		name:   fmt.Sprintf("Gather/%d of %dx%d", reads, n, d),
		in:     [][]float32{random(rng, n*d)},
		define: func(v []vec) vec { return refGather(v[0], rows, d) },
		forward: func(v [][]float32) []float32 {
			y := random(rng, reads*d)
			Gather(y, v[0], rows, d)
			return y
		},
		backward: func(_ [][]float32, dy []float32) [][]float32 {
			dx := random(rng, n*d)
			GatherGrad(dx, dy, rows, n, d)
			return [][]float32{dx}
		},
	}
}

// trees are partitions into segments: one, several, of length one, prompts with
// responses, three generations, and trees whose segments are interleaved.
var trees = [][]token.Segment{
	{{Start: 0, End: 1, Parent: -1}},
	{{Start: 0, End: 19, Parent: -1}},
	{{Start: 0, End: 5, Parent: -1}, {Start: 5, End: 6, Parent: -1}, {Start: 6, End: 17, Parent: -1}},
	{{Start: 0, End: 7, Parent: -1}, {Start: 7, End: 12, Parent: 0}, {Start: 12, End: 14, Parent: 0}},
	{{Start: 0, End: 3, Parent: -1}, {Start: 3, End: 5, Parent: 0}, {Start: 5, End: 9, Parent: 1}, {Start: 9, End: 10, Parent: 0}},
	{{Start: 0, End: 4, Parent: -1}, {Start: 4, End: 7, Parent: -1}, {Start: 7, End: 9, Parent: 0}, {Start: 9, End: 12, Parent: 1}, {Start: 12, End: 15, Parent: 2}},
}

func operations() []operation {
	rng := newRand(1)
	ops := []operation{
		linearOperation(rng, 1, 1, 1), linearOperation(rng, 5, 7, 3), linearOperation(rng, 17, 9, 18), linearOperation(rng, 3, 20, 35),
		biasOperation(rng, 1, 1), biasOperation(rng, 9, 5), biasOperation(rng, 3, 300),
		normOperation(rng, 1, 5), normOperation(rng, 7, 16), normOperation(rng, 35, 9),
		rotaryOperation(rng, 3, Heads{2, 1, 4}), rotaryOperation(rng, 5, Heads{3, 3, 6}),
		swigluOperation(rng, 1, 1), swigluOperation(rng, 5, 19),
		headOperation(rng, 1, 3, 2), headOperation(rng, 6, 5, 41), headOperation(rng, 3, 2, 513),
		crossEntropyOperation(rng, 1, 3, 2, 1), crossEntropyOperation(rng, 7, 5, 41, 3), crossEntropyOperation(rng, 3, 2, 1025, 2),
		gatherOperation(rng, 4, 3, 9), gatherOperation(rng, 37, 1, 5),
		lowRankOperation(rng, 5, fusedTerms), lowRankOperation(rng, 17, singleTerm),
		doraOperation(rng, 5, fusedTerms), doraOperation(rng, 37, singleTerm),
	}
	for _, segs := range trees {
		ops = append(ops, attentionOperation(rng, segs, Heads{4, 2, 3}), attentionOperation(rng, segs, Heads{2, 2, 5}))
	}
	return ops
}

func TestGradients(t *testing.T) {
	defer SetThreads(0)
	SetThreads(2)
	for i, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			dy := random(newRand(uint64(i)), len(op.forward(op.in)))
			for _, err := range op.check(dy, 0) {
				if err != nil {
					t.Error(err)
				}
			}
			for j, err := range op.check(dy, 0.01) {
				if err == nil {
					t.Errorf("comparison %d does not see a planted error", j)
				}
			}
		})
	}
}

// TestLinearAdds: residual, residual in place, and accumulation.
func TestLinearAdds(t *testing.T) {
	rng := newRand(2)
	const n, in, out = 19, 70, 37
	x, w, dy := random(rng, n*in), random(rng, out*in), random(rng, n*out)
	residual := random(rng, n*out)
	want := refLinear(widen(x), widen(w), n, in, out)
	for i, r := range residual {
		want[i] += float64(r)
	}
	y := random(rng, n*out)
	FP32.Linear(y, x, w, residual, n, in, out)
	if err := near(y, want, 1e-6); err != nil {
		t.Error("residual:", err)
	}
	FP32.Linear(residual, x, w, residual, n, in, out)
	if err := same(residual, y); err != nil {
		t.Error("residual in place:", err)
	}
	accumulates(t, n*in, func(dx []float32, acc bool) { FP32.LinearInputGrad(dx, dy, w, n, in, out, acc) })
	accumulates(t, out*in, func(dw []float32, acc bool) { FP32.LinearWeightGrad(dw, dy, x, n, in, out, acc) })
}

// accumulates checks that f adds to existing values if and only if accumulate is set.
func accumulates(t *testing.T, n int, f func(out []float32, accumulate bool)) {
	t.Helper()
	before := random(newRand(3), n)
	set, added := append([]float32(nil), before...), append([]float32(nil), before...)
	f(set, false)
	f(added, true)
	want := widen(before)
	for i, v := range set {
		want[i] += float64(v)
	}
	if err := near(added, want, 1e-6); err != nil {
		t.Error("accumulate:", err)
	}
	again := make([]float32, n)
	f(again, false)
	if err := same(again, set); err != nil {
		t.Error("without accumulate, what was there matters:", err)
	}
}

func TestAccumulate(t *testing.T) {
	rng := newRand(4)
	const n, d, vocab = 40, 12, 70
	x, g, dy, rstd := random(rng, n*d), random(rng, d), random(rng, n*d), random(rng, n)
	w, lse, dlogp := random(rng, vocab*d), random(rng, n), random(rng, n)
	ids := make([]token.ID, n)
	for i := range ids {
		ids[i] = token.ID(rng.IntN(vocab / 2))
	}
	dx := make([]float32, n*d)
	accumulates(t, d, func(dg []float32, acc bool) {
		RMSNormGrad(NormGrad{DX: dx, DG: dg, DY: dy, X: x, G: g, RStd: rstd, N: n, D: d, Accumulate: acc})
	})
	accumulates(t, d, func(db []float32, acc bool) { BiasGrad(db, dy, n, d, acc) })
	accumulates(t, vocab*d, func(de []float32, acc bool) { EmbedGrad(de, dy, ids, d, vocab, acc) })
	accumulates(t, vocab*d, func(dw []float32, acc bool) {
		headLogProbGrad(FP32, dx, dw, dlogp, lse, x, w, ids, d, vocab, acc)
	})
	for _, atATime := range []int{n, 7} {
		accumulates(t, vocab*d, func(dw []float32, acc bool) {
			FP32.CrossEntropy(Head{X: x, W: w, Target: ids, D: d, Vocab: vocab}, CrossEntropy{
				LogP: make([]float32, n), DX: dx, DW: dw, Logits: unset(atATime * LogitRow(vocab)), Weight: dlogp, Accumulate: acc,
			})
		})
	}
}

// TestNormResidual: the residual is added, in place too, and a frozen scale
// changes nothing else.
func TestNormResidual(t *testing.T) {
	rng := newRand(5)
	const n, d = 9, 21
	x, g, dy, rstd := random(rng, n*d), random(rng, d), random(rng, n*d), random(rng, n)
	residual, plain, dg := random(rng, n*d), make([]float32, n*d), make([]float32, d)
	RMSNormGrad(NormGrad{DX: plain, DG: dg, DY: dy, X: x, G: g, RStd: rstd, N: n, D: d})
	want := widen(plain)
	for i, r := range residual {
		want[i] += float64(r)
	}
	dx := make([]float32, n*d)
	RMSNormGrad(NormGrad{DX: dx, DY: dy, X: x, G: g, RStd: rstd, Residual: residual, N: n, D: d})
	if err := near(dx, want, 1e-6); err != nil {
		t.Error("residual:", err)
	}
	RMSNormGrad(NormGrad{DX: residual, DG: dg, DY: dy, X: x, G: g, RStd: rstd, Residual: residual, N: n, D: d})
	if err := same(residual, dx); err != nil {
		t.Error("residual in place:", err)
	}
	RMSNormGrad(NormGrad{DX: dy, DY: dy, X: x, G: g, RStd: rstd, N: n, D: d})
	if err := same(dy, plain); err != nil {
		t.Error("dy in place:", err)
	}
}

// TestEmbed: the rows come out, and their gradients go back where they came from.
func TestEmbed(t *testing.T) {
	e := []float32{1, 2, 3, 4, 5, 6}
	ids := []token.ID{2, 0, 2}
	y, de := make([]float32, 6), make([]float32, 6)
	Embed(y, e, ids, 2)
	if err := near(y, vec{5, 6, 1, 2, 5, 6}, 0); err != nil {
		t.Error(err)
	}
	EmbedGrad(de, []float32{1, 2, 10, 20, 100, 200}, ids, 2, 3, false)
	if err := near(de, vec{10, 20, 0, 0, 101, 202}, 0); err != nil {
		t.Error(err)
	}
}
