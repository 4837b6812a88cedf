package checkpoint

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestNarrowTypesRoundTrip: all 65,536 numbers of each type come back bit for bit,
// NaNs too.
func TestNarrowTypesRoundTrip(t *testing.T) {
	for name, kind := range map[string]dtype{F16: dtypes[F16], BF16: dtypes[BF16]} {
		bytes, again, values := make([]byte, 2<<16), make([]byte, 2<<16), make([]float32, 1<<16)
		for i := range values {
			binary.LittleEndian.PutUint16(bytes[2*i:], uint16(i))
		}
		kind.decode(values, bytes)
		kind.encode(again, values)
		if !reflect.DeepEqual(bytes, again) {
			t.Errorf("%s: not all numbers come back", name)
		}
		kind.decode(values[:3], bytes[2:]) // fewer than one step of the loop converts
		if got := math.Float32bits(values[2]); got != math.Float32bits(values[3]) {
			t.Errorf("%s: the rest of a few numbers", name)
		}
	}
}

// TestOverflow: the largest numbers of a type are written, the next ones, which would become
// infinite, are an error.
func TestOverflow(t *testing.T) {
	for dtype, most := range largest {
		next := math.Nextafter32(most, float32(math.Inf(1)))
		inf := float32(math.Inf(-1))
		path := filepath.Join(t.TempDir(), "x")
		if err := WriteSources(path, []Source{Tensor{"x", []int{3}, []float32{most, -most, inf}}.As(dtype)}, nil); err != nil {
			t.Errorf("%s: %v", dtype, err)
		}
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, 3)
		if err := f.Read("x", got); err != nil || math.IsInf(float64(got[0]), 0) || math.IsInf(float64(got[1]), 0) || got[2] != inf {
			t.Errorf("%s: %v came back as %v, %v", dtype, most, got, err)
		}
		f.Close()
		if dtype == F32 {
			continue
		}
		err = WriteSources(path, []Source{Tensor{"x", []int{2}, []float32{0, -next}}.As(dtype)}, nil)
		if err == nil || !strings.Contains(err.Error(), "element 1 is -") || !strings.Contains(err.Error(), dtype) {
			t.Errorf("%s: %g was written: %v", dtype, next, err)
		}
	}
}

// TestCopies: reading weights of any type and writing them again gives the same file.
func TestCopies(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, dtype := range []string{F32, F16, BF16} {
		dir := t.TempDir()
		first, second := filepath.Join(dir, "1"), filepath.Join(dir, "2")
		bits := make([]byte, dtypes[dtype].bits/8*(readPiece+77)) // any bits: a number or a NaN
		for i := range bits {
			bits[i] = byte(rng.Uint32())
		}
		random := Tensor{"b", []int{readPiece + 77}, make([]float32, readPiece+77)}
		dtypes[dtype].decode(random.Data, bits)
		tensors := []Tensor{{"a", []int{3}, numbers(3)}, random}
		if err := WriteSources(first, as(dtype, tensors), map[string]string{"format": "pt"}); err != nil {
			t.Fatal(err)
		}
		f, err := Open(first)
		if err != nil {
			t.Fatal(err)
		}
		if err := WriteSources(second, as(dtype, readAll(t, f)), f.Metadata()); err != nil {
			t.Fatal(err)
		}
		f.Close()
		a, _ := os.ReadFile(first)
		b, err := os.ReadFile(second)
		if err != nil || string(a) != string(b) {
			t.Errorf("%s: %d bytes came back as %d others (%v)", dtype, len(a), len(b), err)
		}
		if !strings.HasSuffix(string(a), string(bits)) {
			t.Errorf("%s: the file does not end in the bits of the last tensor", dtype)
		}
	}
}
