package convert

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/weights/gguf"
)

// Progress is called after each tensor with the number written. An error from it ends the
// writing.
type Progress func(done, all int) error

// Write writes a model to a path where nothing exists yet, or with overwrite in place of what is
// there. The model appears there only when it is complete.
func Write(path string, m *Model, form Form, overwrite bool, progress Progress) error {
	if entries, err := os.ReadDir(path); !overwrite && (err == nil && len(entries) > 0 || err != nil && !os.IsNotExist(err)) {
		return fmt.Errorf("%s exists: choose another path", path)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() != (form == HF) {
		return fmt.Errorf("%s is a %s, but the form %s is a %s: choose another path", path, kindOfEntry(info.IsDir()), form, kindOfEntry(form == HF))
	}
	if form == HF {
		return writeHuggingFace(path, m, progress)
	}
	g, err := newGGUFWriter(m, form)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := disk.CheckSpace(filepath.Dir(path), g.bytes()); err != nil {
		return err
	}
	return disk.WriteFile(path, func(w io.Writer) error { return g.write(w, progress) })
}

// ggufWriter writes one GGUF file.
type ggufWriter struct {
	model *Model
	meta  gguf.Metadata
	infos []gguf.Info
	names map[string]string // Hugging Face's, by llama.cpp's
	x     []float32
	out   []byte
}

func newGGUFWriter(m *Model, form Form) (*ggufWriter, error) {
	mix, err := form.mixture()
	if err != nil {
		return nil, err
	}
	g := &ggufWriter{model: m, names: map[string]string{}}
	if err := configToGGUF(&g.meta, m.Config); err != nil {
		return nil, err
	}
	g.meta.Set("general.type", "model")
	g.meta.Set(keyName, m.Name)
	if err := tokenizerToGGUF(&g.meta, m.Tokenizer, m.Config.VocabSize, m.Config.StopIDs()...); err != nil {
		return nil, err
	}
	g.meta.Set("general.quantization_version", uint32(2)) // GGML_QNT_VERSION
	g.meta.Set("general.file_type", mix.fileType)
	return g, g.list(mix)
}

// list fills the directory in llama.cpp's order: first the tensors outside of layers, then layer
// by layer, each sorted by name. So a file equals, byte for byte, the one that llama-quantize
// makes from the file in F32.
func (g *ggufWriter) list(mix mixture) error {
	c := g.model.Config
	layers := map[string]int{ropeFreqs: -1}
	if s := c.RopeScaling; s != nil && s.Type == "llama3" {
		g.infos = append(g.infos, gguf.Info{Name: ropeFreqs, Type: gguf.F32, Shape: []int{c.HeadDim / 2}})
	}
	for _, t := range c.Tensors() {
		name, err := toGGUF(t.Name)
		if err != nil {
			return err
		}
		layers[name] = layerOf(name)
		g.names[name] = t.Name
		g.infos = append(g.infos, gguf.Info{Name: name, Type: mix.typeFor(name, t.Shape, layers[name], c.Layers, c.TiedHead), Shape: t.Shape})
	}
	slices.SortFunc(g.infos, func(a, b gguf.Info) int {
		return cmp.Or(cmp.Compare(layers[a.Name], layers[b.Name]), cmp.Compare(a.Name, b.Name))
	})
	return nil
}

// bytes returns the size of the tensors.
func (g *ggufWriter) bytes() (n int64) {
	for _, i := range g.infos {
		n += i.Bytes()
	}
	return n
}

func (g *ggufWriter) write(w io.Writer, progress Progress) error {
	done := 0
	return gguf.Write(w, &g.meta, g.infos, func(i gguf.Info, w io.Writer) error {
		if err := g.read(i); err != nil {
			return err
		}
		if err := g.encode(i, w); err != nil {
			return err
		}
		done++
		return progress(done, len(g.infos))
	})
}

// read sets x to the elements of a tensor in llama.cpp's layout.
func (g *ggufWriter) read(i gguf.Info) error {
	c, n, name := g.model.Config, i.Len(), g.names[i.Name]
	if i.Name == ropeFreqs {
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

// chunk is the number of elements that a thread encodes at a time: whole blocks of every type.
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

// halfMax is the smallest magnitude that rounds to infinity in binary16.
const halfMax = 65520

// checkFinite returns an error for a number that the type cannot hold. Float32 holds everything.
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

func kindOfEntry(directory bool) string {
	if directory {
		return "directory"
	}
	return "file"
}
