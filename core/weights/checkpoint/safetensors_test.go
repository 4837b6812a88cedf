package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/internal/realdata"
)

// raw returns a safetensors file of a header and zeroed data.
func raw(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func writeRaw(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// readAll opens a reader's tensors one by one.
func readAll(t *testing.T, r Reader) []Tensor {
	t.Helper()
	var all []Tensor
	for _, name := range r.Names() {
		info, ok := r.Info(name)
		if !ok {
			t.Fatalf("%q is listed but unknown", name)
		}
		data := make([]float32, info.Len())
		if err := r.Read(name, data); err != nil {
			t.Fatal(err)
		}
		all = append(all, Tensor{name, info.Shape, data})
	}
	return all
}

func numbers(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i)*0.5 - 3
	}
	return x
}

func TestRoundTrip(t *testing.T) {
	tensors := []Tensor{
		{"z.weight", []int{3, 5}, numbers(15)},
		{"a scalar", []int{}, []float32{float32(math.Inf(-1))}},
		{"empty", []int{4, 0, 2}, []float32{}},
		{"long <&> \u2028 \"name\"", []int{64<<10 + 7, 2}, numbers(128<<10 + 14)},
		{"last", []int{1}, []float32{math.SmallestNonzeroFloat32}},
	}
	meta := map[string]string{"format": "pt", "note": "a \"quoted\" one"}
	path := filepath.Join(t.TempDir(), "m.safetensors")
	for range 2 { // the second replaces the first
		if err := Write(path, tensors, meta); err != nil {
			t.Fatal(err)
		}
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := readAll(t, f); !reflect.DeepEqual(got, tensors) {
		t.Errorf("read %v\nwant %v", got, tensors)
	}
	if !reflect.DeepEqual(f.Metadata(), meta) {
		t.Errorf("metadata %q, want %q", f.Metadata(), meta)
	}
	if f.data%8 != 0 {
		t.Errorf("data starts at byte %d, want a multiple of 8", f.data)
	}
	if names, _ := os.ReadDir(filepath.Dir(path)); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

func TestDTypes(t *testing.T) {
	le := binary.LittleEndian
	nan := math.NaN()
	for _, c := range []struct {
		dtype string
		data  []byte
		want  []float64
	}{
		{"F64", le.AppendUint64(le.AppendUint64(nil, math.Float64bits(1.5)), math.Float64bits(-1e-3)), []float64{1.5, float64(float32(-1e-3))}},
		{"BF16", []byte{0x80, 0x3f, 0x49, 0x40, 0x80, 0xff, 0xc0, 0x7f}, []float64{1, 3.140625, math.Inf(-1), nan}},
		{"F16", []byte{0x00, 0x3c, 0x00, 0xc0, 0xff, 0x7b, 0x00, 0x04, 0x01, 0x00, 0xff, 0x83, 0x00, 0x80, 0x00, 0x7c, 0x01, 0x7e},
			[]float64{1, -2, 65504, 0x1p-14, 0x1p-24, -1023 * 0x1p-24, 0, math.Inf(1), nan}},
	} {
		n := len(c.want)
		header, _ := json.Marshal(map[string]any{"x": map[string]any{"dtype": c.dtype, "shape": []int{n}, "data_offsets": []int{0, len(c.data)}}})
		f, err := Open(writeRaw(t, append(raw(string(header), 0), c.data...)))
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, n)
		if err := f.Read("x", got); err != nil {
			t.Fatal(err)
		}
		for i, want := range c.want {
			if g := float64(got[i]); g != want && !(g != g && want != want) {
				t.Errorf("%s element %d: %g, want %g", c.dtype, i, g, want)
			}
		}
		f.Close()
	}
}

// Another program wrote the tiny Llama, without our metadata.
func TestTinyLlama(t *testing.T) {
	f, err := Open("testdata/tiny_llama.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	names := f.Names()
	if len(names) != 21 || names[0] != "model.embed_tokens.weight" {
		t.Fatalf("%d tensors from %q, want 21", len(names), names[0])
	}
	info, _ := f.Info("model.layers.1.mlp.down_proj.weight")
	if !slices.Equal(info.Shape, []int{32, 96}) || info.DType != "F32" || f.Metadata()["format"] != "pt" {
		t.Errorf("%+v, metadata %v", info, f.Metadata())
	}
	again := filepath.Join(t.TempDir(), "again.safetensors")
	if err := Write(again, readAll(t, f), f.Metadata()); err != nil {
		t.Fatal(err)
	}
	want, _ := os.ReadFile("testdata/tiny_llama.safetensors")
	got, _ := os.ReadFile(again)
	if !bytes.HasSuffix(got, want[f.data:]) {
		t.Error("the data differs after a round trip")
	}
}

func TestForeignIntegers(t *testing.T) {
	f, err := Open(realdata.Path(t, "data", "models", "jfk-codes.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, ok := f.Info("codes")
	if !ok || info.DType != "I64" || !slices.Equal(info.Shape, []int{1, 2, 828}) {
		t.Errorf("codes: %+v", info)
	}
	if err := f.Read("codes", make([]float32, info.Len())); err == nil || !strings.Contains(err.Error(), "I64") {
		t.Errorf("reading integers as weights: error %v", err)
	}
}

func TestReadRefuses(t *testing.T) {
	path := writeRaw(t, raw(`{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8))
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, dst := range map[string]int{"x": 3, "y": 2} {
		if err := f.Read(name, make([]float32, dst)); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s into %d: error %v, want one with the path", name, dst, err)
		}
	}
	if err := os.Truncate(path, f.data+4); err != nil {
		t.Fatal(err)
	}
	if err := f.Read("x", make([]float32, 2)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that shrank: error %v, want an unexpected end", err)
	}
}
