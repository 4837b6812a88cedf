package modeldir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/weights/checkpoint"
)

// Finding is a fault of a model directory.
type Finding struct {
	Where string `json:"where"` // file, or tensor
	What  string `json:"what"`
}

// Report is the result of Verify.
type Report struct {
	Tensors    int            `json:"tensors"`
	Parameters int            `json:"parameters"` // elements of all tensors
	DTypes     map[string]int `json:"dtypes"`     // elements by type
	Tokens     int            `json:"tokens"`     // of the tokenizer; 0 if there is none
	Findings   []Finding      `json:"findings"`
}

// Verify looks for faults of the model in dir: files that it cannot read, tensors that disagree
// with config.json, numbers that are not finite, a tied head that differs from the embedding, and
// a tokenizer or chat template that does not fit the model. Only the end of ctx is an error.
func Verify(ctx context.Context, dir string, progress Progress) (*Report, error) {
	v := &verification{dir: dir, report: Report{DTypes: make(map[string]int), Findings: []Finding{}}}
	if err := model.Whole(dir); err != nil {
		v.find(model.AdapterConfig, "%v", err)
		return &v.report, nil
	}
	config, err := model.LoadConfig(dir)
	if err != nil {
		v.find(model.ConfigFile, "%v", err)
	} else {
		v.config = &config
	}
	err = v.weights(ctx, progress)
	v.tokenizer()
	if _, err := run.ReadManifest(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		v.find(run.ManifestName, "%v", err)
	}
	return &v.report, err
}

type verification struct {
	dir    string
	config *model.Config // nil if it is not valid
	report Report
}

func (v *verification) find(where, format string, args ...any) {
	v.report.Findings = append(v.report.Findings, Finding{where, fmt.Sprintf(format, args...)})
}

// weights checks names, shapes and numbers.
func (v *verification) weights(ctx context.Context, progress Progress) error {
	m, err := checkpoint.OpenModel(v.dir)
	if err != nil {
		v.find("weights", "%v", err)
		return nil
	}
	defer m.Close()
	if v.config != nil {
		v.layout(m)
	}
	names := m.Names()
	for i, name := range names {
		info, _ := m.Info(name)
		v.report.Tensors++
		v.report.Parameters += info.Len()
		v.report.DTypes[info.DType] += info.Len()
		if err := v.numbers(ctx, m, name, info); err != nil {
			return err
		}
		progress.report(i+1, len(names))
	}
	if v.config != nil && v.config.TiedHead {
		return v.tied(ctx, m)
	}
	return nil
}

// layout compares names and shapes with those of the configuration.
func (v *verification) layout(m *checkpoint.Model) {
	want := make(map[string]bool)
	for _, t := range v.config.Tensors() {
		want[t.Name] = true
		info, ok := m.Info(t.Name)
		switch {
		case !ok && v.config.IsReward() && t.Name == scoreName:
			v.find(t.Name, "is missing: herd would use a new one of zeros")
		case !ok:
			v.find(t.Name, "is missing")
		case !slices.Equal(info.Shape, t.Shape):
			v.find(t.Name, "has shape %v, but config.json implies %v", info.Shape, t.Shape)
		}
	}
	for _, name := range m.Names() {
		if !want[name] && !v.config.Ignores(name) {
			v.find(name, "is not part of the model that config.json describes")
		}
	}
}

const (
	scoreName = "score.weight"
	headName  = "lm_head.weight"
	embedName = "model.embed_tokens.weight"
)

// numbers looks for numbers that are not finite. It returns an error only if ctx has ended.
func (v *verification) numbers(ctx context.Context, m *checkpoint.Model, name string, info checkpoint.Info) error {
	values := make([]float32, min(batch, info.Len()))
	bad, first := 0, 0
	err := inBatches(ctx, info.Len(), func(from, n int) error {
		if err := m.ReadPart(name, from, values[:n]); err != nil {
			return err
		}
		for i, x := range values[:n] {
			if x-x != 0 { // NaN or infinite
				if bad++; bad == 1 {
					first = from + i
				}
			}
		}
		return nil
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		v.find(name, "%v", err)
	case bad > 0:
		v.find(name, "%d of %d numbers are not finite, the first is number %d", bad, info.Len(), first)
	}
	return nil
}

// tied compares the embedding with a tied head, if the files have one.
func (v *verification) tied(ctx context.Context, m *checkpoint.Model) error {
	_, embed := m.Info(embedName)
	if _, head := m.Info(headName); !head || !embed {
		return nil
	}
	d, err := distance(ctx, m, m, embedName, headName)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		v.find(headName, "%v", err)
	case d.Norm != 0:
		v.find(headName, "differs from %s in %d numbers, but tie_word_embeddings is true: programs disagree on which of the two to use", embedName, d.Numbers)
	}
	return nil
}

// tokenizer checks that the tokenizer fits the model.
func (v *verification) tokenizer() {
	tok, err := loadTokenizer(v.dir)
	if err != nil {
		v.find("tokenizer", "%v", err)
		return
	}
	if tok != nil {
		v.report.Tokens = tok.VocabSize()
		v.template(tok)
	}
	if v.config == nil {
		return
	}
	if tok != nil && tok.VocabSize() > v.config.VocabSize {
		v.find("tokenizer", "has %d tokens, but vocab_size in config.json is only %d: they do not match", tok.VocabSize(), v.config.VocabSize)
	}
	for _, id := range v.config.StopIDs() {
		if id < 0 || int(id) >= v.config.VocabSize {
			v.find(model.ConfigFile, "eos_token_id %d of config.json or generation_config.json is outside the vocabulary of %d", id, v.config.VocabSize)
		}
	}
}

// template lays out a short chat, if the model has a chat template.
func (v *verification) template(tok *tokenizer.Tokenizer) {
	if tok.Template().Source == "" {
		return
	}
	messages := []chat.Message{{Role: "user", Content: "Hello"}, {Role: chat.Assistant, Content: "Hello."}}
	format, err := template.New(tok)
	if err == nil {
		_, err = format.WithReasoning(template.LearnReasoning).Turns(messages)
	}
	if err != nil {
		v.find("chat template", "%v", err)
		return
	}
	if v.config != nil && !v.config.IsReward() {
		v.stops(format)
	}
}

// stops checks that all programs stop at the end of an answer: some read eos_token_id of
// config.json, some that of generation_config.json, and none the chat template.
func (v *verification) stops(format *template.Format) {
	end := format.Stop()[0] // the assistant's turns end with it
	name := format.Tokenizer().Token(end)
	if !slices.Contains(v.config.EOS, int(end)) {
		v.find(model.ConfigFile, "eos_token_id %v lacks %d, %s, with which the chat template ends an answer: other programs would not stop there", v.config.EOS, end, name)
	}
	if eos := v.config.GenerationEOS(); v.config.Generation != nil && !slices.Contains(eos, int(end)) {
		v.find("generation_config.json", "eos_token_id %v lacks %d, %s, with which the chat template ends an answer: other programs would not stop there", eos, end, name)
	}
}

// infinite reports whether x is not a finite number.
func infinite(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }
