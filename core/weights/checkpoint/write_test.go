package checkpoint

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/disk"
)

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
		"fit into an int":                {{"a", []int{1 << 30, 1 << 30, 1 << 10}, nil}},
	} {
		path := filepath.Join(t.TempDir(), "m.safetensors")
		err := Write(path, tensors, nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v, want one with %q and the path", err, want)
		}
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%q left a file", want)
		}
	}
	if err := Write("x", nil, map[string]string{"k": "\xff"}); err == nil {
		t.Error("metadata that is not UTF-8 passes")
	}
}

// failing accepts that many bytes, then fails.
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
	err := disk.WriteFile(path, func(w io.Writer) error {
		w.Write(make([]byte, 512<<10)) // some of it reaches the disk
		full := failing(10)
		return encode(&full, nil, []Source{Tensor{"a", []int{4}, numbers(4)}.As(F32)})
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
	if err := disk.WriteFile(missing, func(io.Writer) error { return nil }); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("error %v, want one with %s", err, missing)
	}
}
