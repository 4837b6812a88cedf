package kernel

import (
	"fmt"
	"testing"
)

// TestWeights: products with packed weights are those with plain ones, bit for
// bit, on any number of threads and of rows; what was packed may change afterwards.
func TestWeights(t *testing.T) {
	rng := newRand(21)
	for _, s := range []struct{ in, out int }{{5, 1}, {40, 33}, {600, 100}, {576, 960}} {
		w := random(rng, s.out*s.in)
		for _, f := range []Precision{FP32, BF16} {
			packed := f.Pack(append([]float32(nil), w...), s.out, s.in)
			for _, n := range []int{0, 1, 3, 14, 16, 65, 150} {
				x, residual := random(rng, n*s.in), random(rng, n*s.out)
				SetThreads(1)
				want := make([]float32, n*s.out)
				f.Linear(want, x, w, residual, n, s.in, s.out)
				eachThreads(t, func(t *testing.T) {
					got := append([]float32(nil), residual...)
					packed.Linear(got, x, got, n)
					if err := same(got, want); err != nil {
						t.Errorf("%v, %d rows, %v: %v", s, n, f, err)
					}
				})
			}
		}
	}
}

// TestPack: nothing of what is packed is kept, all of it counts, and so does the precision.
func TestPack(t *testing.T) {
	const n, in, out = 3, 300, 70
	rng := newRand(22)
	x, w := random(rng, n*in), random(rng, out*in)
	product := func(w *Weights) []float32 {
		y := make([]float32, n*out)
		w.Linear(y, x, nil, n)
		return y
	}
	packed := FP32.Pack(w, out, in)
	before := product(packed)
	if same(product(BF16.Pack(w, out, in)), before) == nil {
		t.Error("the precision makes no difference")
	}
	w[len(w)-1]++
	if err := same(product(packed), before); err != nil {
		t.Error("the packed weights changed with the plain ones:", err)
	}
	if same(product(FP32.Pack(w, out, in)), before) == nil {
		t.Error("a weight that was changed before packing makes no difference")
	}
}

// BenchmarkWeights reads more weights than the caches hold, as decoding does.
func BenchmarkWeights(b *testing.B) {
	for _, f := range []Precision{FP32, BF16} {
		for _, s := range []struct{ in, out int }{{576, 576}, {576, 3072}, {1536, 576}} {
			w := random(newRand(2), s.out*s.in)
			layers := make([]*Weights, 1<<26/len(w))
			for i := range layers {
				layers[i] = f.Pack(w, s.out, s.in)
			}
			for _, n := range []int{1, 16, 64} {
				x, y := random(newRand(1), n*s.in), make([]float32, n*s.out)
				b.Run(fmt.Sprintf("%v/%dx%dx%d", f, n, s.in, s.out), func(b *testing.B) {
					for range b.N {
						for _, l := range layers {
							l.Linear(y, x, nil, n)
						}
					}
					elements := float64(len(layers)*len(w)*b.N) / b.Elapsed().Seconds() / 1e9
					b.ReportMetric(elements*float64(f.PackedSize()), "GB/s")
					b.ReportMetric(elements*float64(2*n), "GFLOP/s")
				})
			}
		}
	}
}
