package kernel

import (
	"fmt"
	"testing"

	"github.com/herd-lm/herd/core/token"
)

// The shapes are those of a layer with d = 288 and 2,048 tokens.

func BenchmarkLinear(b *testing.B) {
	for _, s := range []struct{ n, in, out int }{{2048, 288, 1536}, {2048, 768, 288}, {2048, 288, 480}, {1, 288, 1536}, {8, 288, 1536}, {1024, 1024, 1024}} {
		x, w, y := random(newRand(1), s.n*s.in), random(newRand(2), s.out*s.in), make([]float32, s.n*s.out)
		for name, f := range map[string]func(){
			"forward": func() { FP32.Linear(y, x, w, nil, s.n, s.in, s.out) },
			"input":   func() { FP32.LinearInputGrad(x, y, w, s.n, s.in, s.out, false) },
			"weight":  func() { FP32.LinearWeightGrad(w, y, x, s.n, s.in, s.out, true) },
		} {
			b.Run(fmt.Sprintf("%s/%dx%dx%d", name, s.n, s.in, s.out), func(b *testing.B) {
				for range b.N {
					f()
				}
				b.ReportMetric(2*float64(s.n*s.in*s.out)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}

func BenchmarkAttention(b *testing.B) {
	for _, h := range []Heads{{6, 6, 48}, {9, 3, 64}} {
		for _, length := range []int{32, 64, 128, 256, 2048} {
			benchmarkAttention(b, h, length)
		}
	}
}

func benchmarkAttention(b *testing.B, h Heads, length int) {
	const n = 2048
	var segs []token.Segment
	for i := 0; i < n; i += length {
		segs = append(segs, token.Segment{Start: int32(i), End: int32(i + length), Parent: -1})
	}
	rng := newRand(3)
	qkv, o, lse, dqkv := random(rng, n*h.QKV()), make([]float32, n*h.Out()), make([]float32, n*h.Query), make([]float32, n*h.QKV())
	flops := 2 * float64(n) * float64(length) * float64(h.Out()) // 2 products, half of the square
	name := fmt.Sprintf("%d-%dx%d/%d", h.Query, h.KV, h.Dim, length)
	b.Run("forward/"+name, func(b *testing.B) {
		for range b.N {
			FP32.Attention(o, lse, qkv, segs, h)
		}
		b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	})
	b.Run("backward/"+name, func(b *testing.B) {
		for range b.N {
			FP32.AttentionGrad(dqkv, o, o, lse, qkv, segs, h)
		}
		b.ReportMetric(2.5*flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	})
}

func BenchmarkOther(b *testing.B) {
	const n, d, f, vocab = 2048, 288, 768, 4096
	rng := newRand(4)
	x, g, y, dg := random(rng, n*d), random(rng, d), make([]float32, n*d), make([]float32, d)
	gu, fy, rstd := random(rng, 2*n*f), make([]float32, n*f), make([]float32, n)
	w, dw, logp, lse, target := random(rng, vocab*d), make([]float32, vocab*d), random(rng, n), random(rng, n), make([]token.ID, n)
	m, v := make([]float32, vocab*d), make([]float32, vocab*d)
	scratch, logits := make([]float32, HeadLogProbGradScratch(n, d, vocab)), make([]float32, CrossEntropyScratch(n, vocab))
	h := Heads{6, 2, 48}
	q1, o1 := random(rng, 8*h.QKV()), make([]float32, 8*h.Out())
	apart, sharing := make([]Cached, 8), make([]Cached, 8)
	for i := range apart {
		apart[i] = Cached{make([]*Page, 256/PageTokens), 256}
		for j := range apart[i].Pages {
			apart[i].Pages[j] = NewPage(1, h)
		}
		sharing[i] = apart[0]
	}
	for _, c := range []struct {
		name string
		f    func()
	}{
		{"RMSNorm", func() { RMSNorm(y, rstd, x, g, n, d, 1e-5) }},
		{"RMSNormGrad", func() {
			RMSNormGrad(NormGrad{DX: y, DG: dg, DY: x, X: x, G: g, RStd: rstd, Residual: x, N: n, D: d, Accumulate: true})
		}},
		{"SwiGLU", func() { SwiGLU(fy, gu, n, f) }},
		{"SwiGLUGrad", func() { SwiGLUGrad(gu, fy, gu, n, f) }},
		{"HeadLogProb", func() { FP32.HeadLogProb(logp, lse, scratch, Head{X: x, W: w, Target: target, D: d, Vocab: vocab}) }},
		{"HeadLogProbGrad", func() {
			FP32.HeadLogProbGrad(Head{X: x, W: w, Target: target, D: d, Vocab: vocab}, HeadGrad{DX: y, DW: dw, Scratch: scratch, DLogP: logp, LSE: lse, Accumulate: true})
		}},
		{"CrossEntropy", func() {
			FP32.CrossEntropy(Head{X: x, W: w, Target: target, D: d, Vocab: vocab}, CrossEntropy{LogP: logp, DX: y, DW: dw, Logits: logits, Weight: lse, Accumulate: true})
		}},
		{"AttentionCached8x256", func() { AttentionCached(o1, q1, apart, 0, h) }},
		{"AttentionCachedShared8x256", func() { AttentionCached(o1, q1, sharing, 0, h) }},
		{"AdamW1.2M", func() { AdamW(w, dw, m, v, Adam{1e-4, .9, .95, 1e-8, .1, 1, 1, 1}) }},
		{"SumSquares1.2M", func() { SumSquares(w) }},
		{"Fork", func() { Parallel(2, func(int) {}) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				c.f()
			}
		})
	}
}
