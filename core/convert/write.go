package convert

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/herd-lm/herd/core/checkpoint"
	"github.com/herd-lm/herd/core/gguf"
	"github.com/herd-lm/herd/core/kernel"
)

// Progress is told how many of all tensors are written.
type Progress func(done, all int)

// Write writes a model to a path, at which there must be nothing yet. It appears
// there when it is complete, and not before.
func Write(path string, m *Model, form Form, progress Progress) error {
	if entries, err := os.ReadDir(path); err == nil && len(entries) > 0 || err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("%s exists: choose another place, or remove it", path)
	}
	if form == HF {
		return writeHuggingFace(path, m, progress)
	}
	g, err := newGGUFWriter(m, form)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := checkpoint.CheckSpace(filepath.Dir(path), g.bytes()); err != nil {
		return err
	}
	return checkpoint.WriteFile(path, func(w io.Writer) error { return g.write(w, progress) })
}

// ggufWriter is a GGUF file in the making.
type ggufWriter struct {
	model *Model
	meta  gguf.Metadata
	infos []gguf.Info
	names []string // Hugging Face's names of the tensors; rotary factors have ""
	x     []float32
	out   []byte
}

func newGGUFWriter(m *Model, form Form) (*ggufWriter, error) {
	mix, err := form.mixture()
	if err != nil {
		return nil, err
	}
	g := &ggufWriter{model: m}
	if err := configToGGUF(&g.meta, m.Config); err != nil {
		return nil, err
	}
	g.meta.Set("general.type", "model")
	g.meta.Set("general.name", m.Name)
	g.meta.Set("general.file_type", mix.fileType)
	g.meta.Set("general.quantization_version", uint32(2)) // GGML_QNT_VERSION
	if err := tokenizerToGGUF(&g.meta, m.Tokenizer, m.Config.VocabSize); err != nil {
		return nil, err
	}
	return g, g.list(mix)
}

// list fills the directory.
func (g *ggufWriter) list(mix mixture) error {
	c := g.model.Config
	if s := c.RopeScaling; s != nil && s.Type == "llama3" {
		g.add("", gguf.Info{Name: ropeFreqs, Type: gguf.F32, Shape: []int{c.HeadDim / 2}})
	}
	for _, t := range c.Tensors() {
		name, err := toGGUF(t.Name)
		if err != nil {
			return err
		}
		layer, _, _ := cutName(name, ggufLayerPrefix)
		index, _ := strconv.Atoi(layer)
		g.add(t.Name, gguf.Info{Name: name, Type: mix.typeFor(name, t.Shape, index, c.Layers, c.TiedHead), Shape: t.Shape})
	}
	return nil
}

func (g *ggufWriter) add(name string, info gguf.Info) {
	g.names, g.infos = append(g.names, name), append(g.infos, info)
}

// bytes returns what the tensors take.
func (g *ggufWriter) bytes() (n int64) {
	for _, i := range g.infos {
		n += i.Bytes()
	}
	return n
}

func (g *ggufWriter) write(w io.Writer, progress Progress) error {
	done := 0
	return gguf.Write(w, &g.meta, g.infos, func(i gguf.Info, w io.Writer) error {
		if err := g.read(g.names[done], i); err != nil {
			return err
		}
		if err := g.encode(i, w); err != nil {
			return err
		}
		done++
		progress(done, len(g.infos))
		return nil
	})
}

// read sets x to the elements of a tensor as llama.cpp has them.
func (g *ggufWriter) read(name string, i gguf.Info) error {
	c, n := g.model.Config, i.Len()
	if name == "" {
		g.x = ropeFactors(c, c.RopeScaling)
		return nil
	}
	if cap(g.x) < n {
		g.x = make([]float32, n)
	}
	g.x = g.x[:n]
	if err := g.model.Weights.Read(name, g.x); err != nil {
		return err
	}
	if isRotated(name) && interleaved(c.ModelType) {
		interleave(g.x, c.HeadDim, n/i.Shape[0])
	}
	return nil
}

// chunk is how many elements one thread encodes at a time: whole blocks of every
// type.
const chunk = 1 << 16

// encode writes x as the type of the tensor, many chunks at a time.
func (g *ggufWriter) encode(i gguf.Info, w io.Writer) error {
	for x := g.x; len(x) > 0; {
		part := x[:min(len(x), 16*chunk)]
		x = x[len(part):]
		size := int(i.Type.Bytes(len(part)))
		if cap(g.out) < size {
			g.out = make([]byte, size)
		}
		out := g.out[:size]
		if err := encodeChunks(out, part, i.Type); err != nil {
			return err
		}
		if _, err := w.Write(out); err != nil {
			return err
		}
	}
	return nil
}

func encodeChunks(out []byte, x []float32, t gguf.Type) error {
	n := (len(x) + chunk - 1) / chunk
	errs := make([]error, n)
	kernel.Parallel(n, func(k int) {
		piece := x[k*chunk : min(len(x), (k+1)*chunk)]
		if errs[k] = checkFinite(piece, t); errs[k] == nil {
			t.Encode(out[t.Bytes(k*chunk):], piece)
		}
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// halfMax is the largest number of binary16; what is nearer to the next is not.
const halfMax = 65520

// checkFinite refuses what a type cannot hold. Float32 holds everything.
func checkFinite(x []float32, t gguf.Type) error {
	if t == gguf.F32 {
		return nil
	}
	for _, v := range x {
		switch a := math.Abs(float64(v)); {
		case !(a <= math.MaxFloat32):
			return fmt.Errorf("has a weight that is %v, which %v cannot hold: the model is damaged", v, t)
		case a >= halfMax && t != gguf.BF16:
			return fmt.Errorf("has a weight of %g, too large for %v: use gguf-bf16 or gguf-f32", v, t)
		}
	}
	return nil
}
