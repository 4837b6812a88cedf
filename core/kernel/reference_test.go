package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/herd-lm/herd/core/token"
)

// The references below are the definitions, in float64 and without any
// blocking. A gradient is checked against central differences of them.

type vec = []float64

func random(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// unset returns n floats that no result may depend on.
func unset(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = nan()
	}
	return x
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func widen(x []float32) vec {
	y := make(vec, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// near reports where got first differs from want by more than tol of the
// largest entry of want, or of 1.
func near(got []float32, want vec, tol float64) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d values, want %d", len(got), len(want))
	}
	size := 1.0
	for _, w := range want {
		size = max(size, math.Abs(w))
	}
	for i, g := range got {
		if !(math.Abs(float64(g)-want[i]) <= tol*size) {
			return fmt.Errorf("[%d] = %v, want %v (within %v of %v)", i, g, want[i], tol, size)
		}
	}
	return nil
}

func same(a, b []float32) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d values and %d", len(a), len(b))
	}
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			return fmt.Errorf("[%d] is %v and %v", i, a[i], b[i])
		}
	}
	return nil
}

// slope returns the gradient of Σ dy·f(in) with respect to in[which].
func slope(f func(in []vec) vec, in []vec, which int, dy []float32) vec {
	const h = 1e-5
	x := in[which]
	grad := make(vec, len(x))
	loss := func() (sum float64) {
		for i, v := range f(in) {
			sum += v * float64(dy[i])
		}
		return sum
	}
	for i, v := range x {
		x[i] = v + h
		up := loss()
		x[i] = v - h
		grad[i] = (up - loss()) / (2 * h)
		x[i] = v
	}
	return grad
}

// operation is a kernel beside its definition.
type operation struct {
	name     string
	in       [][]float32
	define   func(in []vec) vec
	forward  func(in [][]float32) []float32
	backward func(in [][]float32, dy []float32) [][]float32 // nil where an input has no gradient
}

func (o operation) widened() []vec {
	in := make([]vec, len(o.in))
	for i, x := range o.in {
		in[i] = widen(x)
	}
	return in
}

// check compares o with its definition. planted is added to one entry of every
// result, to see that the comparison would notice.
func (o operation) check(dy []float32, planted float32) []error {
	in := o.widened()
	y := append([]float32(nil), o.forward(o.in)...)
	y[len(y)/2] += planted
	errs := []error{wrap("value", near(y, o.define(in), 1e-5))}
	for i, g := range o.backward(o.in, dy) {
		if g == nil {
			continue
		}
		g[len(g)/2] += planted
		errs = append(errs, wrap(fmt.Sprint("gradient of input ", i), near(g, slope(o.define, in, i, dy), 1e-5)))
	}
	return errs
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

func refLinear(x, w vec, n, in, out int) vec {
	y := make(vec, n*out)
	for i := range n {
		for o := range out {
			for k := range in {
				y[i*out+o] += x[i*in+k] * w[o*in+k]
			}
		}
	}
	return y
}

func refNorm(x, g vec, n, d int, eps float64) vec {
	y := make(vec, n*d)
	for i := range n {
		ss := 0.0
		for _, v := range x[i*d : (i+1)*d] {
			ss += v * v
		}
		r := 1 / math.Sqrt(ss/float64(d)+eps)
		for j := range d {
			y[i*d+j] = x[i*d+j] * r * g[j]
		}
	}
	return y
}

func refRotate(qkv vec, inv vec, pos []int32, h Heads) vec {
	y := append(vec(nil), qkv...)
	half := h.Dim / 2
	for i, p := range pos {
		for head := range h.Query + h.KV {
			at := i*h.QKV() + head*h.Dim
			for j := range half {
				s, c := math.Sincos(float64(p) * inv[j])
				a, b := qkv[at+j], qkv[at+half+j]
				y[at+j], y[at+half+j] = a*c-b*s, b*c+a*s
			}
		}
	}
	return y
}

// refSees is the mask, straight from the definition of token.Segment.
func refSees(segs []token.Segment, i, j int) bool {
	of := func(i int) int {
		for s, seg := range segs {
			if i >= int(seg.Start) && i < int(seg.End) {
				return s
			}
		}
		panic("no segment")
	}
	a, b := of(i), of(j)
	if a == b {
		return j <= i
	}
	for p := segs[a].Parent; p >= 0; p = segs[p].Parent {
		if int(p) == b {
			return true
		}
	}
	return false
}

// refAttention returns o[n, Out] and lse[n, Query].
func refAttention(qkv vec, segs []token.Segment, h Heads, n int) (o, lse vec) {
	o, lse = make(vec, n*h.Out()), make(vec, n*h.Query)
	for i := range n {
		for q := range h.Query {
			kv := q / (h.Query / h.KV)
			p := make(vec, n)
			sum := 0.0
			for j := range n {
				if !refSees(segs, i, j) {
					continue
				}
				s := 0.0
				for e := range h.Dim {
					s += qkv[i*h.QKV()+q*h.Dim+e] * qkv[j*h.QKV()+(h.Query+kv)*h.Dim+e]
				}
				p[j] = math.Exp(s / math.Sqrt(float64(h.Dim)))
				sum += p[j]
			}
			lse[i*h.Query+q] = math.Log(sum)
			for j := range n {
				for e := range h.Dim {
					o[i*h.Out()+q*h.Dim+e] += p[j] / sum * qkv[j*h.QKV()+(h.Query+h.KV+kv)*h.Dim+e]
				}
			}
		}
	}
	return o, lse
}

func refSwiGLU(gu vec, n, f int) vec {
	y := make(vec, n*f)
	for i := range n {
		for j := range f {
			g := gu[2*i*f+j]
			y[i*f+j] = g / (1 + math.Exp(-g)) * gu[2*i*f+f+j]
		}
	}
	return y
}

func refHead(x, w vec, target []token.ID, d, vocab int) vec {
	r := len(target)
	z := refLinear(x, w, r, d, vocab)
	logp := make(vec, r)
	for i, t := range target {
		sum := 0.0
		for _, v := range z[i*vocab : (i+1)*vocab] {
			sum += math.Exp(v)
		}
		logp[i] = z[i*vocab+int(t)] - math.Log(sum)
	}
	return logp
}

func refGather(x vec, rows []int32, d int) vec {
	var y vec
	for _, r := range rows {
		y = append(y, x[int(r)*d:(int(r)+1)*d]...)
	}
	return y
}

// eachThreads runs f with several numbers of threads, and restores the setting.
func eachThreads(t *testing.T, f func(t *testing.T)) {
	defer SetThreads(0)
	for _, n := range []int{1, 2, 3, 5} {
		SetThreads(n)
		t.Run(fmt.Sprint("threads=", n), f)
	}
}
