package checkpoint

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// large is a tensor that Read converts in several pieces.
func large(t *testing.T) (path string, want []float32) {
	want = numbers(2*readPiece + 1001)
	path = filepath.Join(t.TempDir(), "m.safetensors")
	if err := Write(path, []Tensor{{"small", []int{3}, numbers(3)}, {"large", []int{len(want)}, want}}, nil); err != nil {
		t.Fatal(err)
	}
	return path, want
}

// TestMappedAndRead: a mapped and an unmapped file give the same numbers, in whole and in parts.
func TestMappedAndRead(t *testing.T) {
	path, want := large(t)
	for _, mapped := range []bool{true, false} {
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if mapped && f.bytes.mapped == nil {
			t.Log("files are not mapped here")
		}
		if !mapped && f.bytes.mapped != nil {
			if err := unmap(f.bytes.mapped); err != nil {
				t.Fatal(err)
			}
			f.bytes.mapped = nil
		}
		for _, c := range []struct{ from, n int }{{0, len(want)}, {5, 1}, {readPiece - 3, readPiece + 9}, {len(want), 0}} {
			got := make([]float32, c.n)
			if err := f.ReadPart("large", c.from, got); err != nil || !slices.Equal(got, want[c.from:c.from+c.n]) {
				t.Errorf("mapped %v: %d elements from %d on: %v", mapped, c.n, c.from, err)
			}
		}
		for _, c := range []struct{ from, n int }{{-1, 1}, {0, len(want) + 1}, {len(want), 1}} {
			if err := f.ReadPart("large", c.from, make([]float32, c.n)); err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("mapped %v: %d elements from %d on: error %v", mapped, c.n, c.from, err)
			}
		}
	}
}

// TestShrunk: a file that became shorter since Open is an error, whether whole pages are gone or
// only the end of one.
func TestShrunk(t *testing.T) {
	for _, less := range []int64{1, 4 * readPiece} {
		path, want := large(t)
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := os.Truncate(path, f.bytes.size-less); err != nil {
			t.Fatal(err)
		}
		err = f.Read("large", make([]float32, len(want)))
		if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), `"large"`) {
			t.Errorf("%d bytes less: error %v, want an unexpected end", less, err)
		}
	}
}

// TestPanicsPass: noFault passes on panics that the file did not cause.
func TestPanicsPass(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an index out of range became an error")
		}
	}()
	var none []int
	t.Error(noFault(func() { none[len(none)]++ }))
}

// FuzzOpen: no content of a file makes reading its tensors crash.
func FuzzOpen(f *testing.F) {
	f.Add(raw(`{"a":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]},"b":{"dtype":"F4","shape":[2],"data_offsets":[4,5]}}  `, 5))
	f.Add(raw(`{"a":{"dtype":"F64","shape":[],"data_offsets":[0,8]},"e":{"dtype":"F16","shape":[0],"data_offsets":[8,8]}}`, 8))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		file, err := Open(path)
		if err != nil {
			return
		}
		defer file.Close()
		for _, name := range file.Names() {
			info, _ := file.Info(name)
			if info.Len() > 2*len(b) { // F4 has two in a byte
				t.Fatalf("%q has %d elements in a file of %d bytes", name, info.Len(), len(b))
			}
			values := make([]float32, info.Len())
			if err := file.Read(name, values); err != nil || dtypes[info.DType].encode == nil {
				continue
			}
			again := make([]byte, info.end-info.start)
			dtypes[info.DType].encode(again, values)
			if !bytes.Equal(again, b[file.data+info.start:file.data+info.end]) {
				t.Errorf("%q came back otherwise", name)
			}
		}
	})
}

// BenchmarkRead reads 256 MB from the page cache.
func BenchmarkRead(b *testing.B) {
	const n = 64 << 20
	values := make([]float32, n)
	for _, dtype := range []string{F32, BF16, F16} {
		path := filepath.Join(b.TempDir(), "m.safetensors")
		if err := WriteSources(path, []Source{Tensor{"x", []int{n}, values}.As(dtype)}, nil); err != nil {
			b.Fatal(err)
		}
		f, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(dtype, func(b *testing.B) {
			b.SetBytes(int64(n * dtypes[dtype].bits / 8))
			for b.Loop() {
				if err := f.Read("x", values); err != nil {
					b.Fatal(err)
				}
			}
		})
		f.Close()
	}
}
