package kernel

import (
	"runtime"
	"testing"

	"github.com/herd-lm/herd/core/token"
)

// TestScratchBytes: the memory that kernels keep, in any order and on any number of
// threads, is about ScratchBytes, and Release frees it.
func TestScratchBytes(t *testing.T) {
	defer SetThreads(0)
	const n, d = 500, 1024
	h, rng := Heads{16, 16, 16}, newRand(30)
	x, w, dw, target := random(rng, n*d), random(rng, d*d), random(rng, d*d), make([]token.ID, n)
	y, logits, logp := random(rng, n*d), random(rng, n*d), random(rng, n)
	qkv, dqkv := random(rng, n*h.QKV()), random(rng, n*h.QKV())
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for _, threads := range []int{1, 2, 4} {
		SetThreads(threads)
		Release()
		before := heap()
		for range 3 {
			FP32.Linear(y, x, w, nil, n, d, d)
			FP32.Attention(x, logits, qkv, long(), h)
			FP32.AttentionGrad(dqkv, y, x, logits, qkv, long(), h)
			FP32.CrossEntropy(Head{X: x, W: w, Target: target, D: d, Vocab: d}, CrossEntropy{LogP: logp, DX: y, DW: dw, Logits: logits, Weight: x[:n]})
		}
		kept, said := heap()-before, ScratchBytes(d*d)+AttentionBytes(h, n)
		if kept < said/2 || kept > said+said/4 {
			t.Errorf("%d threads: %d bytes are kept, said are %d", threads, kept, said)
		}
		Release()
		if left := heap() - before; left > said/16 {
			t.Errorf("%d threads: %d bytes are left", threads, left)
		}
	}
	runtime.KeepAlive([][]float32{x, w, dw, y, logits, logp, qkv, dqkv})
}
