package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/disk"
)

// The file names of a Hugging Face model directory.
const (
	ModelName = "model.safetensors"
	IndexName = "model.safetensors.index.json"
)

const maxIndex = maxHeader // bytes of an index file

// Model is the open weights of a model directory: one file, or shards with an index.
type Model struct {
	dir    string
	shards []*File
	names  []string
	where  map[string]*File
}

// OpenModel opens the weights in a Hugging Face model directory. If it has both one file and an
// index, the file counts, as in transformers. Every tensor of the index must be in its shard.
// Model does not list other tensors of a shard.
func OpenModel(dir string) (*Model, error) {
	if err := disk.Recover(dir); err != nil {
		return nil, err
	}
	m := &Model{dir: dir, where: map[string]*File{}}
	if err := m.open(); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

func (m *Model) open() error {
	f, err := Open(filepath.Join(m.dir, ModelName))
	if errors.Is(err, os.ErrNotExist) {
		return m.openShards()
	}
	if err != nil {
		return err
	}
	m.shards = append(m.shards, f)
	for _, name := range f.Names() {
		m.add(name, f)
	}
	return nil
}

func (m *Model) openShards() error {
	path := filepath.Join(m.dir, IndexName)
	weights, err := readIndex(path)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s: no %s and no %s%s: %w", m.dir, ModelName, IndexName, foreign(m.dir), err)
	}
	if err != nil {
		return err
	}
	for _, shard := range slices.Compact(slices.Sorted(maps.Values(weights))) {
		if err := m.openShard(shard, weights); err != nil {
			return err
		}
	}
	for name, shard := range weights {
		if m.where[name] == nil {
			return fmt.Errorf("%s: no tensor %q in %s, although the index lists it", path, name, shard)
		}
	}
	return nil
}

// foreign returns advice for weights in dir that are in another format.
func foreign(dir string) string {
	if files, _ := filepath.Glob(filepath.Join(dir, "pytorch_model*.bin")); len(files) > 0 {
		return fmt.Sprintf(", but %s: herd does not read Python pickles, because opening one can run code; "+
			"save the model again with transformers, which writes safetensors", filepath.Base(files[0]))
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "consolidated*")); len(files) > 0 {
		return fmt.Sprintf(", but %s: this is Meta's or Mistral's own format, download the model in Hugging Face's format", filepath.Base(files[0]))
	}
	return ""
}

func (m *Model) openShard(shard string, weights map[string]string) error {
	f, err := Open(filepath.Join(m.dir, shard))
	if err != nil {
		return err
	}
	m.shards = append(m.shards, f)
	for _, name := range f.Names() {
		if weights[name] == shard {
			m.add(name, f)
		}
	}
	return nil
}

func (m *Model) add(name string, f *File) {
	m.names = append(m.names, name)
	m.where[name] = f
}

// readIndex returns the shard of each tensor.
func readIndex(path string) (weights map[string]string, err error) {
	b, err := disk.ReadLimited(path, maxIndex)
	if err != nil {
		return nil, err
	}
	if weights, err = parseIndex(b); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return weights, nil
}

// parseIndex reads a weight_map. Shards must be plain file names, so that an index cannot point
// outside its directory.
func parseIndex(b []byte) (weights map[string]string, err error) {
	if err := checkObject(b); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	err = object(d, func(key string) (err error) {
		if key != "weight_map" {
			var ignore json.RawMessage // "metadata" repeats what the shards say
			return d.Decode(&ignore)
		}
		weights, err = stringMap(d)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(weights) == 0 {
		return nil, errors.New("weight_map is missing or empty")
	}
	for name, shard := range weights {
		if !isShardName(shard) {
			return nil, fmt.Errorf("tensor %q is in shard %q, want the plain name of a .safetensors file", name, shard)
		}
	}
	return weights, nil
}

func isShardName(s string) bool {
	return strings.HasSuffix(s, ".safetensors") && !strings.ContainsAny(s, "/\\:\x00") && !strings.HasPrefix(s, ".")
}

// Names returns the names of the tensors, shard by shard in the order of their data.
func (m *Model) Names() []string { return slices.Clone(m.names) }

// Info describes a tensor; false if the model has none of that name.
func (m *Model) Info(name string) (Info, bool) {
	if f := m.where[name]; f != nil {
		return f.Info(name)
	}
	return Info{}, false
}

// Read converts a tensor to float32, as File.Read does.
func (m *Model) Read(name string, dst []float32) error {
	f := m.where[name]
	if f == nil {
		return fmt.Errorf("%s: no tensor %q", m.dir, name)
	}
	return f.Read(name, dst)
}

// ReadPart converts a part of a tensor to float32, as File.ReadPart does.
func (m *Model) ReadPart(name string, from int, dst []float32) error {
	f := m.where[name]
	if f == nil {
		return fmt.Errorf("%s: no tensor %q", m.dir, name)
	}
	return f.ReadPart(name, from, dst)
}

// Close closes all shards.
func (m *Model) Close() error {
	var errs []error
	for _, f := range m.shards {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}
