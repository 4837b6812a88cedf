package kernel

import (
	"fmt"
	"math"
	"testing"

	"github.com/herd-lm/herd/core/token"
)

func nan() float32 { return float32(math.NaN()) }

// long is a tree whose segments need several blocks of queries and of keys.
func long() []token.Segment {
	return []token.Segment{{Start: 0, End: 150, Parent: -1}, {Start: 150, End: 420, Parent: 0}, {Start: 420, End: 421, Parent: 0}, {Start: 421, End: 500, Parent: -1}}
}

func TestAttentionLong(t *testing.T) {
	rng := newRand(7)
	h, n := Heads{4, 2, 10}, 500
	qkv := random(rng, n*h.QKV())
	o, lse := random(rng, n*h.Out()), random(rng, n*h.Query)
	FP32.Attention(o, lse, qkv, long(), h)
	wantO, wantLSE := refAttention(widen(qkv), long(), h, n)
	if err := near(o, wantO, 1e-5); err != nil {
		t.Error("o:", err)
	}
	if err := near(lse, wantLSE, 1e-5); err != nil {
		t.Error("lse:", err)
	}
}

// TestSharedPrompt: a prompt with two responses equals two whole rows, and the
// gradients of the two copies of the prompt add up.
func TestSharedPrompt(t *testing.T) {
	rng := newRand(8)
	h := Heads{4, 2, 6}
	const prompt, first, second = 150, 70, 33
	shared := []token.Segment{{Start: 0, End: prompt, Parent: -1}, {Start: prompt, End: prompt + first, Parent: 0}, {Start: prompt + first, End: prompt + first + second, Parent: 0}}
	n := prompt + first + second
	qkv, do := random(rng, n*h.QKV()), random(rng, n*h.Out())
	o, dqkv := attendBoth(qkv, do, shared, h)

	// from lists which shared row each row of the two separate ones is.
	var from []int32
	for i := range prompt + first {
		from = append(from, int32(i))
	}
	for i := range prompt + second {
		if i >= prompt {
			i += first
		}
		from = append(from, int32(i))
	}
	apart := []token.Segment{{Start: 0, End: prompt + first, Parent: -1}, {Start: prompt + first, End: int32(len(from)), Parent: -1}}
	qkv2, do2 := make([]float32, len(from)*h.QKV()), make([]float32, len(from)*h.Out())
	Gather(qkv2, qkv, from, h.QKV())
	Gather(do2, do, from, h.Out())
	clear(do2[(prompt+first)*h.Out() : (2*prompt+first)*h.Out()]) // the prompt's own outputs count once
	o2, dqkv2 := attendBoth(qkv2, do2, apart, h)

	want := make([]float32, len(o2))
	Gather(want, o, from, h.Out())
	if err := near(o2, widen(want), 2e-6); err != nil {
		t.Error("output:", err)
	}
	sum := make([]float32, len(dqkv))
	GatherGrad(sum, dqkv2, from, n, h.QKV())
	if err := near(dqkv, widen(sum), 5e-6); err != nil {
		t.Error("gradient:", err)
	}
}

func attendBoth(qkv, do []float32, segs []token.Segment, h Heads) (o, dqkv []float32) {
	n := len(qkv) / h.QKV()
	o, dqkv = make([]float32, n*h.Out()), make([]float32, len(qkv))
	lse := make([]float32, n*h.Query)
	FP32.Attention(o, lse, qkv, segs, h)
	FP32.AttentionGrad(dqkv, do, o, lse, qkv, segs, h)
	return o, dqkv
}

// TestAttentionCached: decoding the tokens of rows one by one, or several at once,
// gives what Attention gives for the rows. Pages may be shared or copied, and hold
// anything where nothing was stored.
func TestAttentionCached(t *testing.T) {
	eachThreads(t, func(t *testing.T) {
		for _, h := range []Heads{{6, 2, 10}, {3, 3, 48}, {4, 1, 300}, {8, 4, 7}} {
			testAttentionCached(t, h)
		}
	})
}

func testAttentionCached(t *testing.T, h Heads) {
	const layers, shared, n = 3, 75, 110
	rng := newRand(9)
	// Three sequences of one beginning, one after the other.
	var qkv []float32
	var segs []token.Segment
	for i := range 3 {
		tail := random(rng, n*h.QKV())
		copy(tail, qkv[:min(len(qkv), shared*h.QKV())])
		qkv = append(qkv, tail...)
		segs = append(segs, token.Segment{Start: int32(i * n), End: int32((i + 1) * n), Parent: -1})
	}
	want := make([]float32, 3*n*h.Out())
	FP32.Attention(want, make([]float32, 3*n*h.Query), qkv, segs, h)

	page := func() *Page {
		p := NewPage(layers, h)
		copy(p.data, random(rng, len(p.data)))
		return p
	}
	pages := make([][]*Page, 3)
	for range 4 {
		pages[0] = append(pages[0], page())
	}
	row := func(seq, at int) Cached { return Cached{pages[seq], at + 1} }
	got := random(rng, 3*n*h.Out())
	attend := func(from int, rows ...Cached) {
		part := qkv[from*h.QKV():][:len(rows)*h.QKV()]
		StoreCached(part, rows, 1, h)
		AttentionCached(got[from*h.Out():], part, rows, 1, h)
	}
	// The beginning in two calls, then the others share its whole pages and copy the last.
	for _, cut := range [][2]int{{0, 40}, {40, shared}} {
		var rows []Cached
		for at := cut[0]; at < cut[1]; at++ {
			rows = append(rows, row(0, at))
		}
		attend(cut[0], rows...)
	}
	for seq := 1; seq < 3; seq++ {
		own := page()
		own.Copy(pages[0][2])
		pages[seq] = append(pages[seq], pages[0][0], pages[0][1], own, page())
		copy(got[seq*n*h.Out():][:shared*h.Out()], got)
	}
	for at := shared; at < n; at++ {
		for seq := range 3 {
			attend(seq*n+at, row(seq, at))
		}
	}
	if err := near(got, widen(want), 3e-6); err != nil {
		t.Errorf("%+v: %v", h, err)
	}

	// All at once, in any order: the same bits.
	var rows []Cached
	var gathered, alone []float32
	for _, i := range rng.Perm(3 * n) {
		rows = append(rows, row(i/n, i%n))
		gathered = append(gathered, qkv[i*h.QKV():][:h.QKV()]...)
		alone = append(alone, got[i*h.Out():][:h.Out()]...)
	}
	together := random(rng, len(alone))
	AttentionCached(together, gathered, rows, 1, h)
	if err := same(together, alone); err != nil {
		t.Errorf("%+v: together: %v", h, err)
	}
	rows[5].Len++ // planted: a row that sees one more
	AttentionCached(together, gathered, rows, 1, h)
	if same(together, alone) == nil {
		t.Error("one more position changes nothing")
	}
}

// TestRowsAlone: a row of Linear, and a readout of the head, does not depend on the other
// rows.
func TestRowsAlone(t *testing.T) {
	eachThreads(t, func(t *testing.T) {
		rng := newRand(10)
		const n, d, out = 61, 300, 1100
		x, w := random(rng, n*d), random(rng, out*d)
		target := make([]token.ID, n)
		y, logp, lse := make([]float32, n*out), make([]float32, n), make([]float32, n)
		FP32.Linear(y, x, w, nil, n, d, out)
		headLogProb(FP32, logp, lse, x, w, target, d, out)
		one, l := make([]float32, out), make([]float32, 2)
		for i := range n {
			FP32.Linear(one, x[i*d:], w, nil, 1, d, out)
			if err := same(one, y[i*out:][:out]); err != nil {
				t.Fatalf("row %d: %v", i, err)
			}
			headLogProb(FP32, l[:1], l[1:], x[i*d:], w, target[i:i+1], d, out)
			if err := same(l, []float32{logp[i], lse[i]}); err != nil {
				t.Fatalf("readout %d: %v", i, err)
			}
		}
	})
}

func TestSegmentSum(t *testing.T) {
	out := []float32{9, 9, 9}
	SegmentSum(out, []float32{1e8, 1, 3, 7, -1e8}, []float32{1, 1, 2, 1, 1}, []int32{0, 0, 2, -1, 0})
	if err := near(out, vec{1, 0, 6}, 0); err != nil {
		t.Error(err)
	}
}

func TestSumSquares(t *testing.T) {
	x := random(newRand(11), 3*squaresBlock+5)
	want := 0.0
	for _, v := range x {
		want += float64(v) * float64(v)
	}
	if got := SumSquares(x); math.Abs(got-want) > 1e-12*want {
		t.Errorf("%v, want %v", got, want)
	}
	if got := SumSquares(nil); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

// TestAdamW follows torch.optim.AdamW's formula in float64 for some steps.
func TestAdamW(t *testing.T) {
	const lr, b1, b2, eps, decay, factor = 1e-2, 0.9, 0.95, 1e-8, 0.1, 0.5
	rng := newRand(12)
	const n = 40000
	w, m, v := random(rng, n), make([]float32, n), make([]float32, n)
	w64, m64, v64 := widen(w), make(vec, n), make(vec, n)
	for step := 1; step <= 10; step++ {
		g := random(rng, n)
		c1, c2 := 1-math.Pow(b1, float64(step)), 1-math.Pow(b2, float64(step))
		AdamW(w, g, m, v, Adam{lr, b1, b2, eps, decay, float32(c1), float32(c2), factor})
		for i, gi := range widen(g) {
			gi *= factor
			w64[i] -= lr * decay * w64[i]
			m64[i] = b1*m64[i] + (1-b1)*gi
			v64[i] = b2*v64[i] + (1-b2)*gi*gi
			w64[i] -= lr * (m64[i] / c1) / (math.Sqrt(v64[i]/c2) + eps)
		}
	}
	if err := near(w, w64, 1e-6); err != nil {
		t.Error(err)
	}
	w64[n/2] += 1e-4 // a hundredth of one step
	if near(w, w64, 1e-6) == nil {
		t.Error("does not see a planted error")
	}
}

// TestThreadsChangeNothing runs everything on sizes that are split, with
// several numbers of threads, and compares bit for bit.
func TestThreadsChangeNothing(t *testing.T) {
	defer SetThreads(0)
	for _, f := range []Precision{FP32, BF16} {
		SetThreads(1)
		want := everything(f)
		for _, n := range []int{2, 3, 5, 16} {
			SetThreads(n)
			for name, got := range everything(f) {
				if err := same(got, want[name]); err != nil {
					t.Errorf("%v, %d threads: %s: %v", f, n, name, err)
				}
			}
		}
	}
}

func everything(f Precision) map[string][]float32 {
	rng := newRand(13)
	h, segs := Heads{4, 2, 24}, long()
	const n, vocab = 500, 1300
	d := h.Out()
	inv := []float64{1, .5, .25, .1, .01, 1, 1, 1, 1, 1, 1, 1}
	x, qkvW, w, dy := random(rng, n*d), random(rng, h.QKV()*d), random(rng, vocab*d), random(rng, n*h.QKV())
	g, e := random(rng, d), random(rng, vocab*d)
	ids, pos := make([]token.ID, n), make([]int32, n)
	for i := range ids {
		ids[i], pos[i] = token.ID(rng.IntN(vocab)), int32(rng.IntN(50))
	}
	r := map[string][]float32{}
	room := func(name string, n int) []float32 {
		r[name] = make([]float32, n)
		return r[name]
	}
	Embed(room("embed", n*d), e, ids, d)
	RMSNorm(room("norm", n*d), room("rstd", n), x, g, n, d, 1e-5)
	f.Linear(room("qkv", n*h.QKV()), x, qkvW, dy, n, d, h.QKV())
	NewRotary(inv, 50).Rotate(r["qkv"], pos, h, false)
	f.Attention(room("o", n*d), room("lse", n*h.Query), r["qkv"], segs, h)
	f.AttentionGrad(room("dqkv", n*h.QKV()), x, r["o"], r["lse"], r["qkv"], segs, h)
	f.LinearInputGrad(room("dx", n*d), dy, qkvW, n, d, h.QKV(), false)
	f.LinearWeightGrad(room("dw", h.QKV()*d), dy, x, n, d, h.QKV(), false)
	copy(room("biased", n*d), x)
	AddBias(r["biased"], g, n, d)
	BiasGrad(room("db", h.QKV()), dy, n, h.QKV(), false)
	RMSNormGrad(NormGrad{DX: room("dnorm", n*d), DG: room("dg", d), DY: x, X: x, G: g, RStd: r["rstd"], N: n, D: d})
	SwiGLU(room("swiglu", n*d), dy, n, d)
	SwiGLUGrad(room("dswiglu", 2*n*d), x, dy, n, d)
	headLogProb(f, room("logp", n), room("headlse", n), x, w, ids, d, vocab)
	headLogProbGrad(f, room("dhead", n*d), room("dhw", vocab*d), x[:n], r["headlse"], x, w, ids, d, vocab, false)
	f.CrossEntropy(Head{X: x, W: w, Target: ids, D: d, Vocab: vocab}, CrossEntropy{
		LogP: room("logp of a pass", n), DX: room("dhead of a pass", n*d), DW: room("dhw of a pass", vocab*d), Logits: unset(150 * LogitRow(vocab)), Weight: x[:n],
	})
	EmbedGrad(room("de", vocab*d), x, ids, d, vocab, false)
	AdamW(w, r["dhw"], room("m", len(w)), room("v", len(w)), Adam{LR: 1, Beta1: .9, Beta2: .9, Eps: 1e-8, Correct1: .1, Correct2: .1, Scale: 1})
	r["w"] = w
	ss := SumSquares(w)
	r["squares"] = []float32{float32(ss), float32(ss - float64(float32(ss)))}
	return r
}

// TestNoAllocation: a layer's kernels allocate closures only.
func TestNoAllocation(t *testing.T) {
	defer SetThreads(0)
	for _, threads := range []int{1, 2} {
		SetThreads(threads)
		h, segs := Heads{4, 2, 8}, long()
		const n = 500
		rng := newRand(14)
		d := h.Out()
		qkv, w, o, lse := random(rng, n*h.QKV()), random(rng, h.QKV()*d), random(rng, n*d), random(rng, n*h.Query)
		dqkv, rstd, dg, target := random(rng, n*h.QKV()), random(rng, n), random(rng, d), make([]token.ID, n)
		logp, dx, dw, scratch := make([]float32, n), make([]float32, n*d), make([]float32, len(w)), unset(HeadLogProbGradScratch(n, d, h.QKV()))
		some := append([]float32{0, 0}, rstd[2:]...)
		for name, f := range map[string]func(){
			"Linear":        func() { FP32.Linear(qkv, o, w, qkv, n, d, h.QKV()) },
			"Attention":     func() { FP32.Attention(o, lse, qkv, segs, h) },
			"AttentionGrad": func() { FP32.AttentionGrad(dqkv, o, o, lse, qkv, segs, h) },
			"BiasGrad":      func() { BiasGrad(dg, o, n, d, true) },
			"RMSNormGrad": func() {
				RMSNormGrad(NormGrad{DX: o, DG: dg, DY: o, X: o, G: dg, RStd: rstd, N: n, D: d, Accumulate: true})
			},
			"Head": func() {
				FP32.HeadLogProbGrad(Head{X: o, W: w, Target: target, D: d, Vocab: h.QKV()}, HeadGrad{DX: dx, DW: dw, Scratch: scratch, DLogP: rstd, LSE: rstd, Accumulate: true})
			},
			"CrossEntropy": func() {
				FP32.CrossEntropy(Head{X: o, W: w, Target: target, D: d, Vocab: h.QKV()}, CrossEntropy{LogP: logp, DX: dx, DW: dw, Logits: scratch, Weight: some, Accumulate: true})
			},
		} {
			if got := testing.AllocsPerRun(10, f); got > 20 {
				t.Errorf("%d threads: %s allocates %v times a call", threads, name, got)
			}
		}
	}
}

func ExampleHeads() {
	h := Heads{Query: 6, KV: 2, Dim: 48}
	fmt.Println(h.QKV(), h.Out())
	// Output: 480 288
}
