package kernel

import (
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/herd-lm/herd/core/kernel/gemm"
	"github.com/herd-lm/herd/core/token"
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

// TestWeightsInt8: products with int8 weights are off by what rounding to 127 steps
// a block makes, and a row is the same alone and among others, on any number of
// threads.
func TestWeightsInt8(t *testing.T) {
	rng := newRand(23)
	for _, s := range []struct{ in, out int }{{5, 1}, {40, 33}, {600, 100}, {1537, 96}} {
		w := random(rng, s.out*s.in)
		packed := INT8.Pack(w, s.out, s.in)
		for _, n := range []int{1, 3, 14, 16, 65, 150} {
			x, residual := random(rng, n*s.in), random(rng, n*s.out)
			fine := make([]float32, n*s.out)
			FP32.Linear(fine, x, w, nil, n, s.in, s.out)
			want := append([]float32(nil), residual...)
			SetThreads(1)
			for i := range n {
				row := want[i*s.out:][:s.out]
				packed.Linear(row, x[i*s.in:][:s.in], row, 1)
			}
			eachThreads(t, func(t *testing.T) {
				got := append([]float32(nil), residual...)
				packed.Linear(got, x, got, n)
				if err := same(got, want); err != nil {
					t.Errorf("%v, %d rows: %v", s, n, err)
				}
			})
			for i := range want {
				want[i] -= residual[i]
			}
			if d := distance(want, fine); !(d < 0.02 && d > 1e-4) {
				t.Errorf("%v, %d rows: off by %.2g", s, n, d)
			}
		}
	}
}

// TestInt8Rounding: the error of a large product is what rounding makes. A step is the
// largest of 64 normal weights over 127, in the root mean square 2.66/127, and what is
// rounded off 1/√12 of it. A bfloat16 is off by 0.74·2⁻⁷/√12, relatively.
func TestInt8Rounding(t *testing.T) {
	const n, in, out = 16, 1024, 512
	rng := newRand(24)
	x, w := random(rng, n*in), random(rng, out*in)
	y, z := make([]float32, n*out), make([]float32, n*out)
	FP32.Linear(y, x, w, nil, n, in, out)
	INT8.Pack(w, out, in).Linear(z, x, nil, n)
	want := 2.66 / 127 / math.Sqrt(12)
	if gemm.Native() { // weights and activations are bfloat16s too
		want = math.Hypot(want, math.Sqrt2*0.74/128/math.Sqrt(12))
	}
	if d := distance(z, y); math.Abs(d-want) > 0.03*want {
		t.Errorf("off by %.3g, expected %.3g", d, want)
	}
}

// TestWeightsEmbed: lines come back as they were rounded.
func TestWeightsEmbed(t *testing.T) {
	const in, out = 130, 70
	w := random(newRand(25), out*in)
	packed, frozen := INT8.Pack(w, out, in), NewFrozen(StoreInt8, out, in)
	frozen.Set(0, w)
	ids := []token.ID{69, 0, 31, 32, 0}
	got, want := make([]float32, len(ids)*in), make([]float32, len(ids)*in)
	packed.Embed(got, ids)
	frozen.Embed(want, ids)
	if err := same(got, want); err != nil {
		t.Error(err)
	}
}

// TestPackedBytes: PackedBytes predicts the memory that Weights takes.
func TestPackedBytes(t *testing.T) {
	for _, f := range []Precision{FP32, BF16, INT8} {
		const in, out = 640, 320
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f.Pack(random(newRand(1), in*out), out, in)
		runtime.ReadMemStats(&after)
		got, want := int64(after.TotalAlloc-before.TotalAlloc)-4*in*out, f.PackedBytes(out, in)
		if got < want || got > want+want/10+10_000 {
			t.Errorf("%v: %d bytes, foretold %d", f, got, want)
		}
	}
	if got := float64(INT8.PackedBytes(320, 640)) / (320 * 640); got != 1.0625 {
		t.Errorf("an int8 takes %v bytes", got)
	}
}

// TestPack: Pack keeps no reference to its argument, and every element and the precision
// change the result.
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
	for _, f := range []Precision{BF16, INT8} {
		if same(product(f.Pack(w, out, in)), before) == nil {
			t.Errorf("%v makes no difference", f)
		}
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
	for _, f := range []Precision{FP32, BF16, INT8} {
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
					b.ReportMetric(elements*float64(f.PackedBytes(s.out, s.in))/float64(len(w)), "GB/s")
					b.ReportMetric(elements*float64(2*n), "GFLOP/s")
				})
			}
		}
	}
}
