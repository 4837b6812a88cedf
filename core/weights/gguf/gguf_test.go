package gguf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// everyKind has a value of each kind and a list of each.
func everyKind() *Metadata {
	m := &Metadata{}
	for i, v := range []any{
		uint8(200), int8(-100), uint16(60000), int16(-30000), uint32(4e9), int32(-2e9), uint64(1 << 63), int64(-1 << 62),
		float32(0.1), math.Pi, true, "ein Text\x00mit Null", "",
		[]uint8{1, 2}, []int8{-1}, []uint16{3}, []int16{-3}, []uint32{4}, []int32{-4, 5}, []uint64{6}, []int64{-6},
		[]float32{0.5, -1}, []float64{math.Inf(1)}, []bool{true, false}, []string{"a", "", "ünï"}, []string{},
	} {
		m.Set("key."+string(rune('a'+i)), v)
	}
	return m
}

// ramp returns n numbers between -1 and 1.
func ramp(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(math.Sin(float64(i*i)*0.37)) * float32(1+i%7) / 7
	}
	return x
}

// encodeFile writes tensors of numbers from ramp.
func encodeFile(t testing.TB, m *Metadata, tensors []Info) []byte {
	t.Helper()
	var b bytes.Buffer
	err := Write(&b, m, tensors, func(i Info, w io.Writer) error {
		data := make([]byte, i.Bytes())
		i.Type.Encode(data, ramp(i.Len()))
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func writeTemp(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.gguf")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRoundTrip(t *testing.T) {
	tensors := []Info{
		{Name: "token_embd.weight", Type: F32, Shape: []int{300, 500}}, // more than one read
		{Name: "a", Type: F16, Shape: []int{5}},
		{Name: "b", Type: BF16, Shape: []int{2, 3, 4, 1}},
		{Name: "c", Type: Q8_0, Shape: []int{3, 64}},
		{Name: "d", Type: Q6_K, Shape: []int{2, 512}},
		{Name: "scalar", Type: F32, Shape: []int{}},
	}
	for _, alignment := range []uint32{0, 8, 4096} {
		m := everyKind()
		if alignment != 0 {
			m.Set(alignmentKey, alignment)
		}
		f, err := Open(writeTemp(t, encodeFile(t, m, tensors)))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if !reflect.DeepEqual(f.Metadata, m) {
			t.Errorf("metadata %v\nwant %v", f.Metadata, m)
		}
		for i, info := range f.Infos() {
			want := tensors[i]
			if info.Name != want.Name || info.Type != want.Type || len(info.Shape) != len(want.Shape) || info.Len() != want.Len() {
				t.Errorf("tensor %v, want %v", info, want)
			}
			data := make([]byte, want.Bytes())
			want.Type.Encode(data, ramp(want.Len()))
			x, y := make([]float32, want.Len()), make([]float32, want.Len())
			want.Type.Decode(x, data)
			if err := f.Read(info.Name, y); err != nil || !reflect.DeepEqual(x, y) {
				t.Errorf("%s: other numbers than those written, or %v", info.Name, err)
			}
		}
	}
}

func TestGetters(t *testing.T) {
	m := everyKind()
	m.Set("n", uint64(7))
	if n, err := m.Int("n"); n != 7 || err != nil {
		t.Errorf("an integer is %d, %v", n, err)
	}
	if _, err := m.Int("key.g"); err == nil { // 2^63
		t.Error("an integer that does not fit was read")
	}
	if x, err := m.Float("key.i"); x != float64(float32(0.1)) || err != nil {
		t.Errorf("a number is %v, %v", x, err)
	}
	if s, err := Get[[]string](m, "key.y"); len(s) != 3 || err != nil {
		t.Errorf("a list is %q, %v", s, err)
	}
	if _, err := Get[string](m, "nothing"); !errors.Is(err, ErrAbsent) {
		t.Errorf("a key that is not there: %v", err)
	}
	if _, err := Get[string](m, "n"); err == nil || errors.Is(err, ErrAbsent) || !strings.Contains(err.Error(), "uint64, want string") {
		t.Errorf("a key of another type: %v", err)
	}
}

// file builds a header.
type file []byte

func (f file) u32(x ...uint32) file {
	for _, v := range x {
		f = binary.LittleEndian.AppendUint32(f, v)
	}
	return f
}

func (f file) u64(x ...uint64) file {
	for _, v := range x {
		f = binary.LittleEndian.AppendUint64(f, v)
	}
	return f
}

func (f file) text(s string) file { return append(f.u64(uint64(len(s))), s...) }

// start begins a header with these numbers of tensors and keys.
func start(tensors, keys uint64) file { return file(Magic).u32(3).u64(tensors, keys) }

// tensor appends an entry of the directory.
func (f file) tensor(name string, typ uint32, offset uint64, dims ...uint64) file {
	return f.text(name).u32(uint32(len(dims))).u64(dims...).u32(typ).u64(offset)
}

// data appends the padding and n bytes.
func (f file) data(n int) file {
	return append(f, make([]byte, int(align(int64(len(f)), defaultAlignment))-len(f)+n)...)
}

// hostile files, by what their errors must say.
var hostile = map[string]file{
	"not a GGUF file":            file("GGML\x03"),
	"begin with":                 file("GG"),
	"version 1":                  file(Magic).u32(1).u64(0, 0),
	"version 4":                  file(Magic).u32(4).u64(0, 0),
	"big-endian":                 file(Magic).u32(3<<24).u64(0, 0),
	"18446744073709551615 tens":  start(math.MaxUint64, 0).data(100),
	"9 keys":                     start(0, 9).data(10),
	"ends within":                start(0, 1).text("key").u32(4),
	"1000000 bytes of text":      append(start(0, 1).u64(1000000), "key"...).data(64),
	"appears twice":              start(0, 2).text("a").u32(4, 1).text("a").u32(4, 1),
	"unknown kind 13":            start(0, 1).text("a").u32(13, 1),
	"elements of unknown kind 9": start(0, 1).text("a").u32(9, 9).u64(0),
	"1000000 elements":           start(0, 1).text("a").u32(9, 8).u64(1000000).data(64),
	"truth value is 2":           append(start(0, 1).text("a").u32(7), 2).data(8),
	"5 dimensions":               start(1, 0).tensor("a", 0, 0, 1, 1, 1, 1, 1).data(4),
	"dimension of 0":             start(1, 0).tensor("a", 0, 0, 4, 0).data(4),
	"dimension of 4294967296":    start(1, 0).tensor("a", 0, 0, 1<<32, 1<<32).data(4),
	"number 23, which is not":    start(1, 0).tensor("a", 23, 0, 256).data(200),
	"no multiple of the 32":      start(1, 0).tensor("a", 8, 0, 16, 2).data(34),
	`"a" appears twice`:          start(2, 0).tensor("a", 0, 0, 1).tensor("a", 0, 32, 1).data(64),
	"overlaps":                   start(2, 0).tensor("a", 0, 0, 9).tensor("b", 0, 32, 1).data(64),
	"not aligned to 32":          start(2, 0).tensor("a", 0, 0, 1).tensor("b", 0, 4, 1).data(64),
	"but there are 15":           start(1, 0).tensor("a", 0, 0, 4).data(15),
	"but there are 0":            start(1, 0).tensor("a", 0, 0, 4),
	"at byte 9223372036854775":   start(1, 0).tensor("a", 0, math.MaxInt64, 4).data(16),
	"power of two":               start(0, 1).text(alignmentKey).u32(4, 24).data(8),
	"is of type string":          start(0, 1).text(alignmentKey).u32(8).text("x").data(8),
}

func TestOpenRefuses(t *testing.T) {
	for want, b := range hostile {
		path := writeTemp(t, b)
		f, err := Open(path)
		if err == nil {
			t.Errorf("%q: opened", want)
			f.Close()
		} else if !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("error %v, want one with the path and %q", err, want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	b := encodeFile(t, &Metadata{}, []Info{{Name: "a", Type: F32, Shape: []int{100}}})
	path := writeTemp(t, b)
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Read("b", nil); err == nil || !strings.Contains(err.Error(), `no tensor "b"`) {
		t.Errorf("a tensor that is not there: %v", err)
	}
	if err := f.Read("a", make([]float32, 3)); err == nil || !strings.Contains(err.Error(), "100 elements, want 3") {
		t.Errorf("a slice that does not fit: %v", err)
	}
	if err := os.Truncate(path, int64(len(b)-100)); err != nil {
		t.Fatal(err)
	}
	if err := f.Read("a", make([]float32, 100)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file cut short: %v", err)
	}
}

func TestWriteRefuses(t *testing.T) {
	nothing := func(Info, io.Writer) error { return nil }
	odd := &Metadata{}
	odd.Set("x", struct{}{})
	for want, c := range map[string]struct {
		m *Metadata
		i []Info
	}{
		"0 bytes written, want 4": {&Metadata{}, []Info{{Name: "a", Type: F32, Shape: []int{1}}}},
		"no multiple":             {&Metadata{}, []Info{{Name: "a", Type: Q8_0, Shape: []int{2, 16}}}},
		"x: a value of type":      {odd, nil},
	} {
		if err := Write(io.Discard, c.m, c.i, nothing); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// FuzzOpen opens random bytes. A file that opens can be read and written again.
func FuzzOpen(f *testing.F) {
	for _, b := range hostile {
		f.Add([]byte(b))
	}
	f.Add(encodeFile(f, everyKind(), []Info{{Name: "a", Type: F16, Shape: []int{2, 3}}, {Name: "b", Type: Q4_K, Shape: []int{256}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := parseHeader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		var again bytes.Buffer
		err = Write(&again, h.meta, h.infos, func(i Info, w io.Writer) error {
			from := h.data + i.offset
			x := make([]float32, i.Len())
			i.Type.Decode(x, b[from:from+i.Bytes()])
			_, err := w.Write(b[from : from+i.Bytes()])
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		h2, err := parseHeader(bytes.NewReader(again.Bytes()), int64(again.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if len(h2.infos) != len(h.infos) || !reflect.DeepEqual(h2.meta.keys, h.meta.keys) {
			t.Error("written and read again, it is another file")
		}
	})
}
