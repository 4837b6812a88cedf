package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var weights = []Tensor{
	{"embed", []int{4, 2}, numbers(8)}, {"norm", []int{2}, numbers(2)},
	{"mlp", []int{9}, numbers(9)}, {"head", []int{1, 3}, numbers(3)},
}

// as returns Sources that write tensors as dtype.
func as(dtype string, tensors []Tensor) []Source {
	var sources []Source
	for _, t := range tensors {
		sources = append(sources, t.As(dtype))
	}
	return sources
}

func TestWriteModel(t *testing.T) {
	for _, c := range []struct {
		limit int64
		files []string // besides the index
	}{
		{0, []string{ModelName}},
		{88, []string{ModelName}},
		{87, []string{"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}},
		{40, []string{"model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors"}},
		{1, []string{"model-00001-of-00004.safetensors", "model-00002-of-00004.safetensors", "model-00003-of-00004.safetensors", "model-00004-of-00004.safetensors"}},
	} {
		dir := t.TempDir()
		if err := WriteModel(dir, as(F32, weights), map[string]string{"format": "pt"}, c.limit); err != nil {
			t.Fatal(err)
		}
		if len(c.files) > 1 {
			c.files = append(c.files, IndexName)
		}
		var files []string
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			files = append(files, e.Name())
		}
		if !slices.Equal(files, c.files) {
			t.Errorf("limit %d wrote %q, want %q", c.limit, files, c.files)
		}
		m, err := OpenModel(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, m); !reflect.DeepEqual(got, weights) {
			t.Errorf("limit %d: read %v, want %v", c.limit, got, weights)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := WriteModel(t.TempDir(), as(F32, append(weights, weights[0])), nil, 1); err == nil || !strings.Contains(err.Error(), `"embed"`) {
		t.Errorf("a name twice: error %v", err)
	}
}

// TestWriteModelReplaces: WriteModel removes older weights in the other form, and leaves other
// files alone.
func TestWriteModelReplaces(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "adapter.safetensors"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		limit int64
		files int // the index too
	}{{20, 4}, {0, 1}, {43, 3}, {1, 5}, {20, 4}} {
		if err := WriteModel(dir, as(BF16, weights), nil, c.limit); err != nil {
			t.Fatal(err)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != c.files+1 {
			t.Errorf("limit %d left %v", c.limit, entries)
		}
		m, err := OpenModel(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, m); !reflect.DeepEqual(got, weights) {
			t.Errorf("limit %d: read %v, want %v", c.limit, got, weights)
		}
		m.Close()
	}
}

// TestOpenModelForeign: weights in another format are an error with advice.
func TestOpenModelForeign(t *testing.T) {
	for name, want := range map[string]string{
		"pytorch_model.bin":                "pickle",
		"pytorch_model-00001-of-00002.bin": "pickle",
		"consolidated.00.pth":              "Meta's",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenModel(dir); err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestOpenModelRefuses(t *testing.T) {
	for want, index := range map[string]string{
		"no model.safetensors and no":         "",
		"byte 1: unexpected end":              `{`,
		"is missing or empty":                 `{"metadata":{}}`,
		`"weight_map" appears twice`:          `{"weight_map":{},"weight_map":{}}`,
		`"a" appears twice`:                   `{"weight_map":{"a":"s.safetensors","a":"t.safetensors"}}`,
		"want a string":                       `{"weight_map":{"a":["s.safetensors"]}}`,
		`shard "../s.safetensors"`:            `{"weight_map":{"a":"../s.safetensors"}}`,
		`shard "/etc/s.safetensors"`:          `{"weight_map":{"a":"/etc/s.safetensors"}}`,
		`shard "..\\s.safetensors"`:           `{"weight_map":{"a":"..\\s.safetensors"}}`,
		`shard "C:s.safetensors"`:             `{"weight_map":{"a":"C:s.safetensors"}}`,
		`shard ".."`:                          `{"weight_map":{"a":".."}}`,
		`shard "passwd"`:                      `{"weight_map":{"a":"passwd"}}`,
		"gone.safetensors":                    `{"weight_map":{"a":"gone.safetensors"}}`,
		`no tensor "b" in s.safetensors`:      `{"weight_map":{"a":"s.safetensors","b":"s.safetensors"}}`,
		"bad.safetensors: 3 bytes is too sho": `{"weight_map":{"a":"s.safetensors","b":"bad.safetensors"}}`,
	} {
		dir := t.TempDir()
		err := errors.Join(
			Write(filepath.Join(dir, "s.safetensors"), []Tensor{{"a", nil, []float32{1}}}, nil),
			os.WriteFile(filepath.Join(dir, "bad.safetensors"), []byte("bad"), 0o666),
		)
		if index != "" {
			err = errors.Join(err, os.WriteFile(filepath.Join(dir, IndexName), []byte(index), 0o666))
		}
		if err != nil {
			t.Fatal(err)
		}
		m, err := OpenModel(dir)
		if err == nil {
			t.Errorf("%q: opened", want)
			m.Close()
		} else if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("error %v, want one with %q and the directory", err, want)
		}
	}
	if _, err := OpenModel(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory: error %v", err)
	}
}

// Model does not show tensors of a shard that the index does not list.
func TestOpenModelFollowsIndex(t *testing.T) {
	dir := t.TempDir()
	one, two := []Tensor{{"a", nil, []float32{1}}, {"b", nil, []float32{2}}}, []Tensor{{"b", nil, []float32{3}}}
	index := `{"metadata":{"total_size":8,"by":["x"]},"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}`
	if err := errors.Join(Write(filepath.Join(dir, "1.safetensors"), one, nil), Write(filepath.Join(dir, "2.safetensors"), two, nil),
		os.WriteFile(filepath.Join(dir, IndexName), []byte(index), 0o666)); err != nil {
		t.Fatal(err)
	}
	m, err := OpenModel(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if got, want := readAll(t, m), []Tensor{{"a", []int{}, []float32{1}}, {"b", []int{}, []float32{3}}}; !reflect.DeepEqual(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
	if err := m.Read("c", nil); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("no such tensor: error %v", err)
	}
	if _, ok := m.Info("c"); ok {
		t.Error("knows a tensor that is not there")
	}
}

func FuzzParseIndex(f *testing.F) {
	f.Add([]byte(`{"metadata":{"total_size":8},"weight_map":{"a":"1.safetensors","b":"../2.safetensors"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		weights, err := parseIndex(b)
		if err == nil && len(weights) == 0 {
			t.Error("accepted an index of nothing")
		}
		for name, shard := range weights {
			if err == nil && (!filepath.IsLocal(shard) || filepath.Base(shard) != shard) {
				t.Errorf("accepted %q for %q", shard, name)
			}
		}
	})
}
