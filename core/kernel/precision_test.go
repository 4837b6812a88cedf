package kernel

import (
	"math"
	"testing"

	"github.com/herd-lm/herd/core/token"
)

func TestPrecisionText(t *testing.T) {
	for _, p := range []Precision{FP32, BF16, INT8} {
		text, err := p.MarshalText()
		var q Precision
		if err != nil || q.UnmarshalText(text) != nil || q != p {
			t.Errorf("%v: %s, read as %v (%v)", p, text, q, err)
		}
	}
	var p Precision
	if err := p.UnmarshalText([]byte("auto")); err != nil || p != Auto() {
		t.Errorf("auto is read as %v (%v)", p, err)
	}
	if err := p.UnmarshalText([]byte("fp16")); err == nil {
		t.Error("fp16 is a precision")
	}
	for p, want := range map[Precision]bool{FP32: true, BF16: true, INT8: false} {
		if err := p.ForTraining(); (err == nil) != want {
			t.Errorf("training in %v: %v", p, err)
		}
	}
}

// distance is the root mean square of a − b over that of b.
func distance(a, b []float32) float64 {
	var off, size float64
	for i, v := range b {
		off += float64(a[i]-v) * float64(a[i]-v)
		size += float64(v) * float64(v)
	}
	return math.Sqrt(off / size)
}

// TestBF16IsNear: each kernel that multiplies gives in bfloat16 nearly what it
// gives in float32, and not the same.
func TestBF16IsNear(t *testing.T) {
	fine, coarse := everything(FP32), everything(BF16)
	rounded := map[string]bool{
		"qkv": true, "dx": true, "dw": true, "logp": true, "dhead": true, "dhw": true,
		"logp of a pass": true, "dhead of a pass": true, "dhw of a pass": true,
	}
	for name, want := range fine {
		d := distance(coarse[name], want)
		switch limit := 0.02; {
		case name == "o" || name == "dqkv": // scores there are in the hundreds: see TestAttentionBF16
		case name == "w": // AdamW's first step has the gradient's sign and nothing of its size
		case !(d < limit):
			t.Errorf("%s is off by %.2g, allowed is %g", name, d, limit)
		case rounded[name] && d < 1e-4:
			t.Errorf("%s is off by %.2g: nothing was rounded", name, d)
		}
	}
	fine["qkv"][7] *= 100
	if distance(coarse["qkv"], fine["qkv"]) < 0.02 {
		t.Error("a planted error passed")
	}
}

// TestAttentionBF16 is on scores of size 1.
func TestAttentionBF16(t *testing.T) {
	rng := newRand(33)
	h, segs, n := Heads{4, 2, 24}, long(), 500
	qkv, do := random(rng, n*h.QKV()), random(rng, n*h.Out())
	out := map[Precision][2][]float32{}
	for _, f := range []Precision{FP32, BF16} {
		o, lse, dqkv := make([]float32, n*h.Out()), make([]float32, n*h.Query), make([]float32, n*h.QKV())
		f.Attention(o, lse, qkv, segs, h)
		f.AttentionGrad(dqkv, do, o, lse, qkv, segs, h)
		out[f] = [2][]float32{o, dqkv}
	}
	for i, name := range []string{"o", "dqkv"} {
		if d := distance(out[BF16][i], out[FP32][i]); !(d < 0.02 && d > 1e-4) {
			t.Errorf("%s is off by %.2g", name, d)
		}
	}
}

// TestBF16OfRounded: factors that are bfloat16s already are multiplied without
// further loss.
func TestBF16OfRounded(t *testing.T) {
	rng := newRand(31)
	const n, in, out = 37, 70, 45
	x, w := random(rng, n*in), random(rng, out*in)
	for _, a := range [][]float32{x, w} {
		for i, v := range a {
			a[i] = math.Float32frombits(math.Float32bits(v) &^ 0xffff)
		}
	}
	y, z := make([]float32, n*out), make([]float32, n*out)
	FP32.Linear(y, x, w, nil, n, in, out)
	BF16.Linear(z, x, w, nil, n, in, out)
	if d := distance(z, y); !(d < 1e-6) {
		t.Errorf("off by %.2g", d)
	}
}

// TestBF16RowsAreIndependent: a row computed alone equals the row among others.
func TestBF16RowsAreIndependent(t *testing.T) {
	rng := newRand(32)
	h, n := Heads{4, 2, 24}, 90
	segs := []token.Segment{{Start: 0, End: 90, Parent: -1}}
	qkv, x, w := random(rng, n*h.QKV()), random(rng, n*h.Out()), random(rng, h.QKV()*h.Out())
	all, one := make([]float32, n*h.QKV()), make([]float32, h.QKV())
	BF16.Linear(all, x, w, nil, n, h.Out(), h.QKV())
	BF16.Linear(one, x[41*h.Out():], w, nil, 1, h.Out(), h.QKV())
	if err := same(one, all[41*h.QKV():][:h.QKV()]); err != nil {
		t.Errorf("Linear: %v", err)
	}
	o, lse := make([]float32, n*h.Out()), make([]float32, n*h.Query)
	BF16.Attention(o, lse, qkv, segs, h)
	short, shortLSE := make([]float32, n*h.Out()), make([]float32, n*h.Query)
	segs[0].End = 50
	BF16.Attention(short, shortLSE, qkv, segs, h)
	if err := same(short[:50*h.Out()], o[:50*h.Out()]); err != nil {
		t.Errorf("Attention: %v", err)
	}
}

// TestInt8IsForWeights: kernels on plain weights multiply as FP32.
func TestInt8IsForWeights(t *testing.T) {
	fine := everything(FP32)
	for name, got := range everything(INT8) {
		if err := same(got, fine[name]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
