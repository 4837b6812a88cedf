package model_test

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
)

var everyPrecision = []kernel.Precision{kernel.FP32, kernel.BF16, kernel.INT8}

// onDisk writes a model as bfloat16s and returns where.
func onDisk(t *testing.T, p *model.Params) model.Source {
	t.Helper()
	dir := t.TempDir()
	if err := p.SaveAs(dir, "bfloat16"); err != nil {
		t.Fatal(err)
	}
	return model.Source{Model: dir}
}

func packSource(t *testing.T, s model.Source, f kernel.Precision) *model.Packed {
	t.Helper()
	w, err := s.Pack(f)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// wide is a model with a matrix that is not read in one piece.
func wide(tied bool) model.Config {
	c := small(tied)
	c.VocabSize, c.HiddenSize, c.Layers = 9001, 520, 1
	return c
}

// TestSourcePack: weights packed straight from a file are those of a model that was
// loaded first, bit for bit, and each of them counts.
func TestSourcePack(t *testing.T) {
	for name, c := range map[string]model.Config{
		"small": small(false), "tied": small(true), "biases": qwen(true), "wide": wide(true), "wide, untied": wide(false),
	} {
		t.Run(name, func(t *testing.T) {
			p := random(t, c)
			s := onDisk(t, p)
			p.Tensors[0].W[len(p.Tensors[0].W)-1] += 100
			another := onDisk(t, p)
			rng := rand.New(rand.NewPCG(60, 61))
			prompt := append(randomIDs(rng, 3, c.VocabSize), token.ID(c.VocabSize-1))
			tails := [][]token.ID{randomIDs(rng, 2, c.VocabSize)}
			for _, f := range everyPrecision {
				loaded, err := s.Load(false)
				if err != nil {
					t.Fatal(err)
				}
				loaded.Precision = f
				want := alone(t, newDecoder(t, loaded, 4), prompt, tails)
				if got := alone(t, packSource(t, s, f).Decoder(4), prompt, tails); !slices.Equal(got[0], want[0]) {
					t.Errorf("%v: other logits than from a loaded model", f)
				}
				if got := alone(t, packSource(t, another, f).Decoder(4), prompt, tails); slices.Equal(got[0], want[0]) {
					t.Errorf("%v: a planted error passed", f)
				}
			}
		})
	}
}

// TestSourcePackMerges: an adapter is merged, as when the model is loaded.
func TestSourcePackMerges(t *testing.T) {
	_, base, adapter := saved(t, small(false), shapes()["dora"])
	s := model.Source{Model: base, Adapter: adapter}
	merged, err := s.Load(false)
	if err != nil {
		t.Fatal(err)
	}
	ids, tails := []token.ID{1, 2, 3}, [][]token.ID{{4}}
	want := alone(t, newDecoder(t, merged, 3), ids, tails)
	if got := alone(t, packSource(t, s, kernel.FP32).Decoder(3), ids, tails); !slices.Equal(got[0], want[0]) {
		t.Error("other logits than of the merged model")
	}
	if got := alone(t, packSource(t, model.Source{Model: s.Model}, kernel.FP32).Decoder(3), ids, tails); slices.Equal(got[0], want[0]) {
		t.Error("the adapter makes no difference")
	}
}

// TestSourcePackMemory: besides what is packed there is never more than a part of a
// matrix.
func TestSourcePackMemory(t *testing.T) {
	c := wide(true)
	c.VocabSize = 20000 // 42 MB as float32
	s := onDisk(t, model.NewParams(c, false))
	for _, f := range []kernel.Precision{kernel.BF16, kernel.INT8} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		packSource(t, s, f)
		runtime.ReadMemStats(&after)
		const part, rest = 4 << 22, 1 << 20
		got, packed := int64(after.TotalAlloc-before.TotalAlloc), c.DecodingBytes(f)
		if got < packed || got > packed+part+rest {
			t.Errorf("%v: %d bytes allocated for %d that are packed", f, got, packed)
		}
	}
}

func TestSourcePackErrors(t *testing.T) {
	s := onDisk(t, random(t, small(false)))
	weights := filepath.Join(s.Model, "model.safetensors")
	if err := os.Truncate(weights, 5000); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Pack(kernel.INT8); err == nil {
		t.Error("a file that was cut is packed")
	}
	if _, err := (model.Source{Model: t.TempDir()}).Pack(kernel.INT8); err == nil {
		t.Error("an empty directory is packed")
	}
}

// TestPackReward: a reward model has an embedding to look up in, and no head.
func TestPackReward(t *testing.T) {
	s := onDisk(t, random(t, small(true).Reward()))
	for _, f := range everyPrecision {
		d := packSource(t, s, f).Decoder(2)
		if logits := step(t, d, (&cache{d: d}).next(3, false)); len(logits) != 0 {
			t.Errorf("%v: a reward model has %d logits", f, len(logits))
		}
	}
}

// TestInt8Logits: logits in int8 are near those of transformers. A product with rounded
// weights is off by 0.6 percent (kernel's TestInt8Rounding), and these models make
// about five times as much of it, as they do of the 0.2 percent of bfloat16.
func TestInt8Logits(t *testing.T) {
	const most = 0.04
	for _, name := range transformers {
		p, want := loadTransformers(t, name)
		p.Precision = kernel.INT8
		d := want.distance(want.decoded(t, p))
		t.Logf("%s: off by %.2g", name, d)
		if !(d < most && d > 1e-3) {
			t.Errorf("%s: off by %.2g, expected some rounding, and at most %g", name, d, most)
		}
		for i := range p.Layers[0].Down.W[:64] { // one block with half its scale
			p.Layers[0].Down.W[i] /= 2
		}
		if d := want.distance(want.decoded(t, p)); d < most {
			t.Errorf("%s: a block with half its scale: off by %.2g only", name, d)
		}
	}
}

// distance is the root mean square of the difference of logits over that of the logits.
func (g transformersGolden) distance(logits []float32) float64 {
	var off, size float64
	for _, text := range g.Logits {
		for _, row := range text {
			for _, x := range row {
				off += (float64(logits[0]) - x) * (float64(logits[0]) - x)
				size += x * x
				logits = logits[1:]
			}
		}
	}
	return math.Sqrt(off / size)
}
