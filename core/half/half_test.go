package half

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestRounding compares with rounding by search: the nearest number of the type,
// of two the one whose last bit is 0.
func TestRounding(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, c := range map[string]struct {
		narrow func(float32) uint16
		widen  func(uint16) float32
	}{
		"F16":  {ToF16, FromF16},
		"BF16": {ToBF16, FromBF16},
	} {
		check := func(x float32) {
			h := c.narrow(x)
			distance := func(h uint16) float64 { return math.Abs(float64(c.widen(h)) - float64(x)) }
			for _, other := range []uint16{h - 1, h + 1} {
				if (other^h)&0x8000 != 0 || math.IsNaN(float64(c.widen(other))) || math.IsInf(float64(c.widen(h)), 0) {
					continue
				}
				if d := distance(other); d < distance(h) || d == distance(h) && h&1 == 1 {
					t.Fatalf("%s: %b became %#04x = %b, but %#04x = %b is nearer or even", name, x, h, c.widen(h), other, c.widen(other))
				}
			}
		}
		for range 200_000 {
			check(math.Float32frombits(rng.Uint32()))
		}
		for h := range uint16(0x7bff) { // halfway between two, and a little to either side
			low, high := c.widen(h), c.widen(h+1)
			half := float32((float64(low) + float64(high)) / 2)
			check(half)
			check(-half)
			check(math.Nextafter32(half, 0))
			check(math.Nextafter32(half, math.MaxFloat32))
		}
	}
	if ToF16(1+0x1p-11) != ToF16(1) || ToF16(1+3*0x1p-11) != ToF16(1+0x1p-9) {
		t.Error("halves are not rounded to even")
	}
	if h := ToF16(math.Float32frombits(0x7f800001)); h&0x7fff <= 0x7c00 {
		t.Errorf("a NaN became %#04x", h)
	}
}

// TestF16 converts all binary16 numbers, and numbers between them.
func TestF16(t *testing.T) {
	value := FromF16
	for h := range uint16(0x7c00) {
		x, next := value(h), value(h+1)
		if got := ToF16(x); got != h {
			t.Fatalf("%g is %#x, want %#x", x, got, h)
		}
		if got := ToF16(-x); got != h|0x8000 {
			t.Fatalf("%g is %#x, want %#x", -x, got, h|0x8000)
		}
		if h == 0x7bff {
			next = 65536 // where the next number would be
		}
		even := h + h&1
		middle := (x + next) / 2
		for _, c := range []struct {
			x    float32
			want uint16
		}{{middle, even}, {math.Nextafter32(middle, 0), h}, {math.Nextafter32(middle, next), h + 1}} {
			if got := ToF16(c.x); got != c.want {
				t.Fatalf("%g is %#x, want %#x", c.x, got, c.want)
			}
		}
	}
	inf := float32(math.Inf(1))
	if ToF16(inf) != 0x7c00 || ToF16(1e30) != 0x7c00 || value(0x7c00) != inf {
		t.Error("infinity does not stay so")
	}
	if x := value(ToF16(float32(math.NaN()))); x == x {
		t.Error("what is no number became one")
	}
}

// TestF16IsMonotonic: every binary16 number is between its neighbours, and -h is the
// mirror of h.
func TestF16IsMonotonic(t *testing.T) {
	for h := uint16(0); h < 0x7c00; h++ {
		if !(FromF16(h) < FromF16(h+1)) || FromF16(h|0x8000) != -FromF16(h) {
			t.Fatalf("half %#x is %g, the next %g, the mirror %g", h, FromF16(h), FromF16(h+1), FromF16(h|0x8000))
		}
	}
}
