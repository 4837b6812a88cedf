package checkpoint

import (
	"fmt"
	"path/filepath"
)

// WriteModel writes weights into a directory that has none yet: as one file if
// shardBytes is 0 or they take no more, else as shards of at most shardBytes (or
// one tensor) with an index, named as transformers names them.
func WriteModel(dir string, tensors []Tensor, meta map[string]string, shardBytes int64) error {
	shards := split(tensors, shardBytes)
	if len(shards) == 1 {
		return Write(filepath.Join(dir, ModelName), tensors, meta)
	}
	var index struct {
		Metadata struct {
			Size int64 `json:"total_size"`
		} `json:"metadata"`
		Weights map[string]string `json:"weight_map"`
	}
	index.Weights = map[string]string{}
	for i, shard := range shards {
		name := fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, len(shards))
		for _, t := range shard {
			if other, taken := index.Weights[t.Name]; taken {
				return fmt.Errorf("write %s: tensor %q is in %s already", filepath.Join(dir, name), t.Name, other)
			}
			index.Weights[t.Name] = name
			index.Metadata.Size += t.bytes()
		}
		if err := Write(filepath.Join(dir, name), shard, meta); err != nil {
			return err
		}
	}
	return writeJSON(filepath.Join(dir, IndexName), index)
}

// split cuts tensors into runs of at most limit bytes, but of at least one
// tensor. There is always a run, if an empty one.
func split(tensors []Tensor, limit int64) [][]Tensor {
	var runs [][]Tensor
	start, size := 0, int64(0)
	for i, t := range tensors {
		if limit > 0 && i > start && size+t.bytes() > limit {
			runs = append(runs, tensors[start:i])
			start, size = i, 0
		}
		size += t.bytes()
	}
	return append(runs, tensors[start:])
}

// bytes returns what the tensor takes in a file.
func (t Tensor) bytes() int64 { return 4 * int64(len(t.Data)) }
