package checkpoint

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/herd-lm/herd/core/disk"
)

// ShardBytes is the size at which transformers begins another file of weights.
const ShardBytes = 5_000_000_000

// WriteModel writes weights into a directory: as one file if shardBytes is 0 or the weights fit
// in it, else as shards of at most shardBytes (or one tensor) with an index, named as
// transformers names them. Afterwards it removes older weights in the other form.
func WriteModel(dir string, tensors []Source, meta map[string]string, shardBytes int64) error {
	shards := split(tensors, shardBytes)
	if len(shards) == 1 {
		if err := WriteSources(filepath.Join(dir, ModelName), tensors, meta); err != nil {
			return err
		}
		return removeWeights(dir, ModelName)
	}
	var index struct {
		Metadata struct {
			Size int64 `json:"total_size"`
		} `json:"metadata"`
		Weights map[string]string `json:"weight_map"`
	}
	index.Weights = map[string]string{}
	keep := []string{IndexName}
	for i, shard := range shards {
		name := fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, len(shards))
		for _, t := range shard {
			if other, taken := index.Weights[t.Name]; taken {
				return fmt.Errorf("write %s: tensor %q is already in %s", filepath.Join(dir, name), t.Name, other)
			}
			index.Weights[t.Name] = name
			index.Metadata.Size += t.bytes()
		}
		if err := WriteSources(filepath.Join(dir, name), shard, meta); err != nil {
			return err
		}
		keep = append(keep, name)
	}
	if err := disk.WriteJSON(filepath.Join(dir, IndexName), index); err != nil {
		return err
	}
	return removeWeights(dir, keep...)
}

// removeWeights removes the files of weights in dir except those in keep.
func removeWeights(dir string, keep ...string) error {
	shards, err := filepath.Glob(filepath.Join(dir, "model-*-of-*.safetensors"))
	for _, path := range append(shards, filepath.Join(dir, ModelName), filepath.Join(dir, IndexName)) {
		if !slices.Contains(keep, filepath.Base(path)) {
			err = errors.Join(err, disk.RemoveFile(path))
		}
	}
	return err
}

// split divides tensors into runs of at most limit bytes and at least one tensor. Without
// tensors it returns one empty run.
func split(tensors []Source, limit int64) [][]Source {
	var runs [][]Source
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
