package kernel

import (
	"math"
	"testing"

	"github.com/herd-lm/herd/core/half"
	"github.com/herd-lm/herd/core/token"
)

// TestFrozen: rows are what rounding makes of them, wherever they are set and read.
func TestFrozen(t *testing.T) {
	defer SetThreads(0)
	rng := newRand(41)
	const rows, d = 37, 150 // three blocks, the last not full
	w := random(rng, rows*d)
	clear(w[5*d : 6*d])
	for _, s := range []Storage{StoreBF16, StoreInt8} {
		f := NewFrozen(s, rows, d)
		f.Set(20, w[20*d:])
		SetThreads(3)
		f.Set(0, w[:20*d])
		got := random(rng, rows*d)
		f.Floats(got, 0, rows)
		for i, v := range w {
			most := math.Abs(float64(v)) / 256 // half a step of 8 bits
			if s == StoreInt8 {
				block := w[i/d*d+i%d/int8Block*int8Block:]
				most = 0
				for _, v := range block[:min(int8Block, d-i%d/int8Block*int8Block)] {
					most = max(most, math.Abs(float64(v))/127/2*1.0001)
				}
			}
			if diff := math.Abs(float64(v - got[i])); diff > most {
				t.Fatalf("%v: element %d is %v, was %v: off by more than %v", s, i, got[i], v, most)
			}
		}
		part := random(rng, 3*d)
		f.Floats(part, 7, 10)
		if err := same(part, got[7*d:10*d]); err != nil {
			t.Errorf("%v: rows 7 to 9: %v", s, err)
		}
		y := random(rng, 2*d)
		f.Embed(y, []token.ID{9, 2})
		if err := same(y, append(append([]float32(nil), got[9*d:10*d]...), got[2*d:3*d]...)); err != nil {
			t.Errorf("%v: embedding: %v", s, err)
		}
		if f.Bytes() != s.Bytes(rows, d) {
			t.Errorf("%v: %d bytes, foretold %d", s, f.Bytes(), s.Bytes(rows, d))
		}
		again := NewFrozen(s, rows, d)
		again.Set(0, got)
		f.Floats(got, 0, rows)
		twice := random(rng, rows*d)
		again.Floats(twice, 0, rows)
		if err := same(twice, got); s == StoreBF16 && err != nil {
			t.Errorf("rounding twice: %v", err)
		}
	}
}

// TestRoundBF16: to nearest, ties to even, as the products round their factors.
func TestRoundBF16(t *testing.T) {
	for in, want := range map[float32]float32{
		1: 1, 1 + 1.0/256: 1, 1 + 3.0/256: 1 + 2.0/128, 1 + 1.1/256: 1 + 1.0/128, -1 - 1.1/256: -1 - 1.0/128, 0: 0,
		math.MaxFloat32: float32(math.Inf(1)),
	} {
		if got := math.Float32frombits(uint32(half.ToBF16(in)) << 16); got != want {
			t.Errorf("%v is rounded to %v, want %v", in, got, want)
		}
	}
	if got := math.Float32frombits(uint32(half.ToBF16(nan())) << 16); got == got {
		t.Errorf("NaN is rounded to %v", got)
	}
}

func TestStorageText(t *testing.T) {
	for _, want := range []Storage{StoreFP32, StoreBF16, StoreInt8} {
		text, err := want.MarshalText()
		got := Storage(9)
		if err := got.UnmarshalText(text); err != nil || got != want {
			t.Errorf("%q is read as %d (%v)", text, got, err)
		}
		if err != nil {
			t.Error(err)
		}
	}
	if err := new(Storage).UnmarshalText([]byte("int4")); err == nil {
		t.Error("int4 is read")
	}
}

// TestFingerprint: one bit changes it, and the number of threads does not.
func TestFingerprint(t *testing.T) {
	defer SetThreads(0)
	x := random(newRand(42), 100_000)
	want := Fingerprint(x)
	SetThreads(5)
	if Fingerprint(x) != want {
		t.Error("another number of threads gives another fingerprint")
	}
	for _, i := range []int{0, 16384, 99_999} {
		v := x[i]
		x[i] = math.Float32frombits(math.Float32bits(v) ^ 1)
		if Fingerprint(x) == want {
			t.Errorf("element %d is another, the fingerprint is not", i)
		}
		x[i] = v
	}
	if Fingerprint(x[:99_999]) == want || Fingerprint(make([]float32, 5)) == Fingerprint(make([]float32, 6)) {
		t.Error("another length, the same fingerprint")
	}
}
