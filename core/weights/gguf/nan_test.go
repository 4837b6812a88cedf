package gguf

import (
	"encoding/binary"
	"math"
	"testing"
)

// TestNaN holds the bits of narrowed NaNs to ggml's functions.
func TestNaN(t *testing.T) {
	for bits, want := range map[uint32][2]uint16{
		0x7fc00000: {0x7e00, 0x7fc0}, // quiet
		0xffc00000: {0xfe00, 0xffc0},
		0x7f800001: {0x7e00, 0x7fc0}, // signalling, its fraction is cut off
		0x7fa12345: {0x7e00, 0x7fe1}, // signalling, with a payload
	} {
		x := []float32{math.Float32frombits(bits)}
		for i, encode := range []func([]byte, []float32){encodeF16, encodeBF16} {
			b := make([]byte, 2)
			encode(b, x)
			if got := binary.LittleEndian.Uint16(b); got != want[i] {
				t.Errorf("%#x narrows to %#x, want %#x", bits, got, want[i])
			}
		}
	}
}
