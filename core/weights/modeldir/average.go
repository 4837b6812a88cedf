package modeldir

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/weights/checkpoint"
)

// Averaging is the weighted mean of several models of one configuration and one
// vocabulary (arXiv 2407.21783, section 4.1.5; Wortsman et al., arXiv 2203.05482).
type Averaging struct {
	Out      string    // model directory to write
	Models   []string  // two or more model directories
	Weights  []float64 // of each model, 0 or more, scaled to a sum of 1; nil: all equal
	Progress Progress
}

// Run writes the mean with the types, the config.json and the tokenizer of the first model,
// completely or not at all. It reads and writes a part of a tensor at a time.
func (a Averaging) Run(ctx context.Context) (err error) {
	shares, err := a.shares()
	if err != nil {
		return fmt.Errorf("average: %w", err)
	}
	m := mean{ctx: ctx, shares: shares, Averaging: a}
	defer func() { err = errors.Join(err, m.close()) }()
	if err := m.open(); err != nil {
		return fmt.Errorf("average: %w", err)
	}
	sources, bytes := m.sources()
	if err := disk.CheckSpace(a.Out, bytes); err != nil {
		return fmt.Errorf("average: %w", err)
	}
	manifest, err := run.NewManifest("average", shares, run.Inputs{"models": a.Models})
	if err != nil {
		return err
	}
	config := m.models[0].config
	if err := config.StopAt(template.Ends(m.models[0].tok)...); err != nil {
		return err
	}
	return disk.WriteDir(a.Out, func(tmp string) error {
		if err := config.Save(tmp); err != nil {
			return err
		}
		if err := checkpoint.WriteModel(tmp, sources, map[string]string{"format": "pt"}, checkpoint.ShardBytes); err != nil {
			return err
		}
		if err := copyTokenizer(tmp, a.Models[0]); err != nil {
			return err
		}
		return run.WriteManifest(tmp, manifest)
	})
}

// shares returns the weights over their sum.
func (a Averaging) shares() ([]float64, error) {
	n := len(a.Models)
	if n < 2 {
		return nil, fmt.Errorf("%d models, expected two or more", n)
	}
	if a.Weights == nil {
		return slices.Repeat([]float64{1 / float64(n)}, n), nil
	}
	if len(a.Weights) != n {
		return nil, fmt.Errorf("%d weights for %d models, expected one for each", len(a.Weights), n)
	}
	var sum float64
	for _, w := range a.Weights {
		if !(w >= 0) || math.IsInf(w, 0) {
			return nil, fmt.Errorf("a weight is %g, expected 0 or more", w)
		}
		sum += w
	}
	if sum == 0 || math.IsInf(sum, 0) {
		return nil, fmt.Errorf("the weights add up to %g, expected a positive number", sum)
	}
	shares := make([]float64, n)
	for i, w := range a.Weights {
		shares[i] = w / sum
	}
	return shares, nil
}

// mean is an averaging in progress.
type mean struct {
	Averaging
	ctx    context.Context
	shares []float64
	models []*opened

	sum    []float64 // of a batch
	values []float32
	done   int // tensors
}

// open opens the models and checks that they are alike.
func (m *mean) open() error {
	for _, dir := range m.Models {
		o, err := open(dir)
		if err != nil {
			return err
		}
		m.models = append(m.models, o)
		if err := m.models[0].alike(o); err != nil {
			return err
		}
	}
	return nil
}

func (m *mean) close() error {
	var errs []error
	for _, o := range m.models {
		errs = append(errs, o.weights.Close())
	}
	return errors.Join(errs...)
}

// alike returns an error that says how o and other differ in kind.
func (o *opened) alike(other *opened) error {
	a, b := *o, *other
	a.config.Source, b.config.Source = nil, nil // fields that herd does not use may differ
	a.config.Type, b.config.Type = "", ""
	fields, err := fieldDifferences(&a, &b)
	if err != nil {
		return err
	}
	if len(fields) > 0 {
		f := fields[0]
		return fmt.Errorf("%s and %s are not the same kind of model: config.json has %s %s and %s", o.dir, other.dir, f.Name, absent(f.A), absent(f.B))
	}
	if o.vocabulary() != other.vocabulary() {
		return fmt.Errorf("%s and %s have different tokenizers or chat templates, or only one of them has one: their token ids would differ in meaning", o.dir, other.dir)
	}
	return o.sameTensors(other)
}

func absent(value json.RawMessage) string {
	if value == nil {
		return "nothing"
	}
	return string(value)
}

// sameTensors returns an error for a tensor that only one model has, or with different shapes.
func (o *opened) sameTensors(other *opened) error {
	for _, pair := range [][2]*opened{{o, other}, {other, o}} {
		if missing := without(pair[0].weights, pair[1].weights); len(missing) > 0 {
			return fmt.Errorf("%s has no tensor %s, but %s has", pair[1].dir, missing[0], pair[0].dir)
		}
	}
	for _, name := range o.weights.Names() {
		a, _ := o.weights.Info(name)
		b, _ := other.weights.Info(name)
		if !slices.Equal(a.Shape, b.Shape) {
			return fmt.Errorf("tensor %s is %s in %s and %s in %s", name, describe(a), o.dir, describe(b), other.dir)
		}
	}
	return nil
}

// sources returns the tensors of the mean and their size in bytes.
func (m *mean) sources() (list []checkpoint.Source, bytes int64) {
	weights := m.models[0].weights
	for _, name := range weights.Names() {
		info, _ := weights.Info(name)
		s := checkpoint.Source{Name: name, Shape: info.Shape, DType: info.DType}
		if info.DType == "F64" {
			s.DType = checkpoint.F32
		}
		s.Read = func(dst []float32, from int) error { return m.read(s.Name, dst, from, info.Len()) }
		list, bytes = append(list, s), bytes+info.Bytes()
	}
	return list, bytes
}

// read sets dst to the elements [from, from+len(dst)) of the mean of a tensor. It sums in
// float64, in the order of the models.
func (m *mean) read(name string, dst []float32, from, all int) error {
	if err := m.ctx.Err(); err != nil {
		return err
	}
	n := len(dst)
	m.sum, m.values = slices.Grow(m.sum[:0], n)[:n], slices.Grow(m.values[:0], n)[:n]
	clear(m.sum)
	for i, o := range m.models {
		if err := o.weights.ReadPart(name, from, m.values); err != nil {
			return err
		}
		for k, x := range m.values {
			m.sum[k] += m.shares[i] * float64(x)
		}
	}
	for k, x := range m.sum {
		dst[k] = float32(x)
	}
	if from+n == all {
		m.done++
		m.Progress.report(m.done, len(m.models[0].weights.Names()))
	}
	return nil
}

// tokenizerFiles are the files from which programs read a tokenizer or chat template.
var tokenizerFiles = []string{
	"tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "tokenizer.model",
	"special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
}

// copyTokenizer copies the files of the tokenizer unchanged.
func copyTokenizer(to, from string) error {
	const more = "additional_chat_templates"
	names := slices.Clone(tokenizerFiles)
	templates, err := filepath.Glob(filepath.Join(from, more, "*.jinja"))
	if err != nil {
		return err
	}
	for _, path := range templates {
		names = append(names, filepath.Join(more, filepath.Base(path)))
	}
	if len(templates) > 0 {
		if err := os.Mkdir(filepath.Join(to, more), 0o777); err != nil {
			return err
		}
	}
	for _, name := range names {
		if err := copyFile(filepath.Join(to, name), filepath.Join(from, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func copyFile(to, from string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	err = disk.WriteFile(to, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
	return errors.Join(err, f.Close())
}
