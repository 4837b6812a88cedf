package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
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
		{"long <&> \u2028 \"name\"", []int{chunk/4 + 7, 2}, numbers(chunk/2 + 14)},
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

// The exact bytes, from the format's description.
func TestWriteBytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := Write(path, []Tensor{{"b", []int{1, 2}, []float32{1, -2}}, {"a", nil, []float32{0.5}}}, nil); err != nil {
		t.Fatal(err)
	}
	header := `{"b":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[],"data_offsets":[8,12]}}`
	header += strings.Repeat(" ", (8-len(header)%8)%8)
	want := append(raw(header, 0), 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f)
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v\n got %q\nwant %q", err, got, want)
	}
}

func TestWriteRefuses(t *testing.T) {
	one := []float32{1}
	for want, tensors := range map[string][]Tensor{
		`tensor 0: name ""`:              {{"", nil, one}},
		`tensor 1: name "a"`:             {{"a", nil, one}, {"a", nil, one}},
		`"__metadata__" is empty, reser`: {{"__metadata__", nil, one}},
		"not UTF-8":                      {{"a\xff", nil, one}},
		"the data 1":                     {{"a", []int{2}, one}},
		"negative":                       {{"a", []int{-1, -1}, one}},
		"can count":                      {{"a", []int{1 << 31, 1 << 31, 4}, nil}},
	} {
		path := filepath.Join(t.TempDir(), "m.safetensors")
		err := Write(path, tensors, nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v, want one with %q and the path", err, want)
		}
		if exists(path) {
			t.Errorf("%q left a file", want)
		}
	}
	if err := Write("x", nil, map[string]string{"k": "\xff"}); err == nil {
		t.Error("metadata that is not UTF-8 passes")
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

// Every half is between its neighbours, and -h is the mirror of h.
func TestHalfIsMonotonic(t *testing.T) {
	for h := uint16(0); h < 0x7c00; h++ {
		if !(halfToFloat(h) < halfToFloat(h+1)) || halfToFloat(h|0x8000) != -halfToFloat(h) {
			t.Fatalf("half %#x is %g, the next %g, the mirror %g", h, halfToFloat(h), halfToFloat(h+1), halfToFloat(h|0x8000))
		}
	}
}

// The tiny Llama was written by another program, without metadata of ours.
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
	path := filepath.Join("..", "..", "..", "shared", "data", "models", "jfk-codes.safetensors")
	f, err := Open(path)
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the sample file is not here: ", path)
	}
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

var hostile = map[string][]byte{
	"too short":                  {1, 2, 3},
	"header of 1844":             binary.LittleEndian.AppendUint64(nil, math.MaxUint64),
	"header of 99999":            binary.LittleEndian.AppendUint64(nil, 99999999),
	"cut short":                  binary.LittleEndian.AppendUint64(nil, 1),
	"not UTF-8":                  raw("{\"\xff\":1}", 0),
	"byte 5: invalid":            raw(`{"a"}`, 0),
	"want a JSON object":         raw(`null`, 0),
	"cannot unmarshal":           raw(`[]`, 0),
	"after top-level value":      raw(`{}{}`, 0),
	"exceeded max depth":         raw(strings.Repeat("[", 20000), 0),
	"no name":                    raw(`{"":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 4),
	`"a" appears twice`:          raw(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}`, 8),
	`"shape" appears twice`:      raw(`{"a":{"dtype":"F32","shape":[],"shape":[],"data_offsets":[0,4]}}`, 4),
	"unknown key":                raw(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"x":1}}`, 4),
	"want a shape":               raw(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, 4),
	"and two data_offsets":       raw(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4,8]}}`, 4),
	`unknown dtype "F33"`:        raw(`{"a":{"dtype":"F33","shape":[],"data_offsets":[0,4]}}`, 4),
	"number -1":                  raw(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4),
	"number 1.5":                 raw(`{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}`, 4),
	"overflows":                  raw(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}`, 4),
	"[18446744073709551615 0]":   raw(`{"a":{"dtype":"F32","shape":[18446744073709551615,0],"data_offsets":[0,0]}}`, 0),
	"33 dimensions":              raw(`{"a":{"dtype":"F32","shape":[1`+strings.Repeat(",1", 32)+`],"data_offsets":[0,4]}}`, 4),
	"whole bytes":                raw(`{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}`, 2),
	"takes 8 bytes":              raw(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4),
	"data_offsets [4,0]":         raw(`{"a":{"dtype":"F32","shape":[],"data_offsets":[4,0]}}`, 4),
	"data_offsets [1844":         raw(`{"a":{"dtype":"F32","shape":[],"data_offsets":[18446744073709551611,18446744073709551615]}}`, 4),
	"byte 4 of the data, want 0": raw(`{"a":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}`, 8),
	"byte 2 of the data, want 4": raw(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[],"data_offsets":[2,6]}}`, 6),
	"the file has 5":             raw(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 5),
	"the file has 3":             raw(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 3),
	"want a string":              raw(`{"__metadata__":{"a":1}}`, 0),
	`"k" appears twice`:          raw(`{"__metadata__":{"k":"1","k":"2"}}`, 0),
}

func TestOpenRefuses(t *testing.T) {
	for want, b := range hostile {
		path := writeRaw(t, b)
		f, err := Open(path)
		if err == nil {
			t.Errorf("%q: opened", want)
			f.Close()
		} else if !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("error %v, want one with the path and %q", err, want)
		}
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "regular") {
		t.Errorf("a directory: error %v", err)
	}
	if _, err := Open("no such file"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: error %v", err)
	}
}

// A header that claims much must not cost much.
func TestHostileHeaderIsCheap(t *testing.T) {
	shape := strings.Repeat("1,", 1<<20) + "4611686018427387904"
	b := raw(`{"a":{"dtype":"U8","shape":[`+shape+`],"data_offsets":[0,4611686018427387904]}}`, 0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := readHeader(bytes.NewReader(b), int64(len(b)))
	runtime.ReadMemStats(&after)
	if err == nil || len(err.Error()) > 1000 {
		t.Errorf("error %v", err)
	}
	if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(64*len(b)); got > limit {
		t.Errorf("%d bytes taken for a header of %d, want at most %d", got, len(b), limit)
	}
}

func FuzzReadHeader(f *testing.F) {
	for _, b := range hostile {
		f.Add(b)
	}
	f.Add(raw(`{"a":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]},"b":{"dtype":"F4","shape":[2],"data_offsets":[4,5]}}  `, 5))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, data, err := readHeader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		end, seen := int64(0), map[string]bool{}
		for _, info := range h.tensors {
			n, err := elements(info.Shape)
			if err != nil || n != info.size || int64(n)*int64(dtypes[info.DType].bits) != 8*(info.end-info.start) {
				t.Errorf("accepted %+v: %v", info, err)
			}
			if info.start != end || info.Name == "" || seen[info.Name] {
				t.Errorf("accepted %+v at %d", info, end)
			}
			end, seen[info.Name] = info.end, true
		}
		if data+end != int64(len(b)) {
			t.Errorf("accepted %d bytes of %d", data+end, len(b))
		}
	})
}

// failing writes so many bytes, then no more.
type failing int

func (f *failing) Write(b []byte) (int, error) {
	if *f -= failing(len(b)); *f < 0 {
		return 0, &os.PathError{Op: "write", Path: "disk", Err: errors.New("no space left on device")}
	}
	return len(b), nil
}

func TestWriteFileFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	err := WriteFile(path, func(w io.Writer) error {
		w.Write(make([]byte, 2*chunk)) // some of it reaches the disk
		full := failing(10)
		return encode(&full, nil, []Tensor{{"a", []int{4}, numbers(4)}})
	})
	for _, want := range []string{path, `tensor "a"`, "no space"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	if b, _ := os.ReadFile(path); string(b) != "old" {
		t.Errorf("holds %q, want the old content", b)
	}
	if names, _ := os.ReadDir(dir); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
	missing := filepath.Join(dir, "no", "x")
	if err := WriteFile(missing, func(io.Writer) error { return nil }); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("error %v, want one with %s", err, missing)
	}
}
