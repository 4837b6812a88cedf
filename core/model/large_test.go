package model_test

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/weights/checkpoint"
)

// TestLargeCheckpoint loads checkpoints of several GB in shards: the process has the
// weights in memory once, as float32, and hardly anything besides. It takes 3.3 GB
// on disk and in memory, and so is only run when asked for:
//
//	HERD_LARGE=1 go test -run LargeCheckpoint -v ./core/model
func TestLargeCheckpoint(t *testing.T) {
	if os.Getenv("HERD_LARGE") == "" {
		t.Skip("set HERD_LARGE to load 3.3 GB")
	}
	if _, known := memory.Peak(); !known {
		t.Skip("the system does not tell how much memory was taken")
	}
	c := small(false)
	c.VocabSize, c.HiddenSize, c.IntermediateSize, c.Layers, c.Heads, c.KVHeads, c.HeadDim = 32000, 2048, 5632, 15, 32, 8, 64
	for _, dtype := range []string{checkpoint.F32, checkpoint.BF16, checkpoint.F16} {
		dir := filepath.Join(t.TempDir(), "model")
		writeLarge(t, dir, c, dtype)
		debug.FreeOSMemory()
		memory.ResetPeak()
		before, _ := memory.Resident()
		began := time.Now()
		p, err := model.Load(dir, false)
		if err != nil {
			t.Fatal(err)
		}
		took := time.Since(began).Seconds()
		peak, _ := memory.Peak()
		size := c.TrainingBytes(false)
		t.Logf("%s: %s of float32 in %.1f s, %.2f GB/s; at most %s in memory besides what was there", dtype, memory.Bytes(size), took, float64(size)/1e9/took, memory.Bytes(peak-before))
		if over := float64(peak-before) / float64(size); over > 1.02 {
			t.Errorf("%s: took %.3f times the weights", dtype, over)
		}
		if i := len(p.W) / 2; p.W[i] == 0 || p.W[len(p.W)-1] == 0 {
			t.Errorf("%s: the weights were not read", dtype)
		}
		p = nil
		packLarge(t, model.Source{Model: dir}, c)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
}

// packLarge packs the model straight from its files: the process has it packed, and
// hardly anything besides.
func packLarge(t *testing.T, s model.Source, c model.Config) {
	t.Helper()
	for _, f := range []kernel.Precision{kernel.BF16, kernel.INT8} {
		debug.FreeOSMemory()
		memory.ResetPeak()
		before, _ := memory.Resident()
		began := time.Now()
		w, err := s.Pack(f)
		if err != nil {
			t.Fatal(err)
		}
		took := time.Since(began).Seconds()
		peak, _ := memory.Peak()
		size := c.DecodingBytes(f)
		t.Logf("packed in %v: %s in %.1f s; at most %s in memory besides what was there", w.Precision, memory.Bytes(size), took, memory.Bytes(peak-before))
		const parts = 128 << 20 // of a matrix as float32s, and of the file
		if over := peak - before - size; over > parts {
			t.Errorf("%v: took %s besides the packed weights", f, memory.Bytes(over))
		}
	}
}

// writeLarge writes a model in shards of 1 GB without having it in memory.
func writeLarge(t *testing.T, dir string, c model.Config, dtype string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := c.Save(dir); err != nil {
		t.Fatal(err)
	}
	var sources []checkpoint.Source
	for _, tensor := range model.NewParams(c, false).Tensors {
		sources = append(sources, checkpoint.Source{Name: tensor.Name, Shape: tensor.Shape, DType: dtype, Read: func(dst []float32, from int) error {
			for i := range dst {
				dst[i] = float32(1 + (from+i)%251)
			}
			return nil
		}})
	}
	if err := checkpoint.WriteModel(dir, sources, nil, 1e9); err != nil {
		t.Fatal(err)
	}
}
