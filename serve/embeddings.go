package serve

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"math"
	"net/http"

	"github.com/sourcegraph/conc/pool"
)

// embedding is one vector of unit length.
type embedding struct {
	Object string `json:"object"`
	Index  int    `json:"index"`
	Vector any    `json:"embedding"` // []float32, or its little-endian bytes in base64
}

type embeddings struct {
	Object string      `json:"object"`
	Data   []embedding `json:"data"`
	Model  string      `json:"model"`
	Usage  struct {
		Prompt int `json:"prompt_tokens"`
		Total  int `json:"total_tokens"`
	} `json:"usage"`
}

// embed is POST /v1/embeddings.
func (s *Server) embed(w *reply, r *http.Request, f *fields, m *served) error {
	w.model = m
	prompts, packed, err := s.readEmbedding(f, m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), s.Timeout, errTimeout)
	defer cancel()
	leave, err := m.queue.enter(ctx, len(prompts))
	if err != nil {
		return asError(ctx, err)
	}
	defer leave()
	vectors, err := vectorsOf(ctx, m, prompts)
	if err != nil {
		return s.failed(ctx, err)
	}
	out := embeddings{Object: "list", Model: m.Name}
	for i, v := range vectors {
		out.Data = append(out.Data, embedding{"embedding", i, encode(v, packed)})
		out.Usage.Prompt += len(prompts[i].ids)
	}
	out.Usage.Total, w.prompt = out.Usage.Prompt, out.Usage.Prompt
	m.meter.prompt.Add(uint64(out.Usage.Prompt))
	writeJSON(w, http.StatusOK, out)
	return nil
}

// readEmbedding reads the prompts to embed, and whether the client wants packed vectors.
func (s *Server) readEmbedding(f *fields, m *served) (prompts []prompt, packed bool, err error) {
	prompts = readPrompts(f, m, "input")
	format := "float"
	f.text("encoding_format", &format)
	if format != "float" && format != "base64" {
		f.fail("encoding_format", "is %q, expected float or base64", excerpt([]byte(format)))
	}
	if f.take("dimensions") != nil {
		f.fail("dimensions", "is not supported: vectors have the width of the model")
	}
	if err := f.end(); err != nil {
		return nil, false, err
	}
	if len(prompts) > s.Choices {
		return nil, false, invalid("input", "there are %d inputs, this server accepts %d", len(prompts), s.Choices)
	}
	for _, p := range prompts {
		if err := s.checkPrompt(m, p); err != nil {
			return nil, false, err
		}
		if _, err := s.room(m, p, p.param, 0); err != nil { // engines need room for a token
			return nil, false, err
		}
	}
	return prompts, format == "base64", nil
}

// vectorsOf returns the vector of each prompt, computed concurrently.
func vectorsOf(ctx context.Context, m *served, prompts []prompt) ([][]float32, error) {
	vectors := make([][]float32, len(prompts))
	p := pool.New().WithContext(ctx).WithCancelOnError().WithFirstError()
	for i := range prompts {
		p.Go(func(ctx context.Context) error {
			v, err := m.Engine.Embed(ctx, prompts[i].ids)
			vectors[i] = unit(v)
			return err
		})
	}
	return vectors, p.Wait()
}

// unit returns v scaled to length 1, as in OpenAI's API. v may belong to the engine.
// unit does not change it.
func unit(v []float32) []float32 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	scaled := make([]float32, len(v))
	for i, x := range v {
		scaled[i] = float32(float64(x) / max(math.Sqrt(sum), math.SmallestNonzeroFloat32))
	}
	return scaled
}

// encode returns v as it is, or packed.
func encode(v []float32, packed bool) any {
	if !packed {
		return v
	}
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(b)
}
