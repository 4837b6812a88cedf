package dpo

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/internal/testmodel"
)

// TestReferenceVocabulary: herd refuses a reference that reads other token ids, whatever the number
// of its tokens, before it writes anything.
func TestReferenceVocabulary(t *testing.T) {
	s := fixture(t)
	own, err := tokenizer.Load(s.Model)
	if err != nil {
		t.Fatal(err)
	}
	weights := testmodel.Shape{Vocab: 300, Hidden: 8, Intermediate: 16, Layers: 1, Heads: 2, Positions: 256, InitRange: 0.3, Tied: true}.Config()
	for _, c := range []struct {
		name string
		tok  *tokenizer.Tokenizer
		c    model.Config
		want string // "": accepted
	}{
		{"the same tokens, in more weights", own, weights, ""},
		{"another order", testmodel.Tokenizer(t, 265, "zq zq zq xj xj xj ww ww"), weights, "265 and 265 tokens, and token 256 is "},
		{"more tokens", testmodel.Tokenizer(t, 266, "What is it? It is a goat."), weights, "265 and 266 tokens, and token 260 is "},
		{"fewer tokens", testmodel.Tokenizer(t, 263, "What is it? It is a goat."), weights, "265 and 263 tokens"},
		{"a reward model", own, weights.Reward(), "is a reward model"},
	} {
		s.Reference = filepath.Join(t.TempDir(), "reference")
		testmodel.Write(t, s.Reference, testmodel.Random(t, c.c, 2), c.tok)
		s.Out = filepath.Join(t.TempDir(), "out")
		err := Run(t.Context(), s, train.Options{})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), "dpo: reference: "+s.Reference) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
		if _, err := os.Stat(s.Out); c.want != "" && err == nil {
			t.Errorf("%s: %s was written", c.name, s.Out)
		}
	}
}

// TestAdapterVocabulary: an adapter whose tokenizer has other ids belongs to another model.
func TestAdapterVocabulary(t *testing.T) {
	s := fixture(t)
	s.LoRA.R = 2
	if err := Run(t.Context(), s, train.Options{}); err != nil {
		t.Fatal(err)
	}
	s.Adapter, s.Out = s.Out, s.Out+"-more"
	if err := Run(t.Context(), s, train.Options{}); err != nil {
		t.Fatalf("an adapter of the model: %v", err)
	}
	if err := testmodel.Tokenizer(t, 265, "zq zq zq xj xj xj ww ww").Save(s.Adapter); err != nil {
		t.Fatal(err)
	}
	var other *tokenizer.OtherVocabulary
	err := Run(t.Context(), s, train.Options{Mode: run.Mode{Overwrite: true}})
	if !errors.As(err, &other) || other.ID != 256 || !strings.Contains(err.Error(), "does not belong to the model") {
		t.Errorf("an adapter of another model: error %v", err)
	}
}

// TestFinishedKeepsReference: a run that may not replace a finished model leaves the table of its
// reference as it is.
func TestFinishedKeepsReference(t *testing.T) {
	s := fixture(t)
	if err := Run(t.Context(), s, train.Options{}); err != nil {
		t.Fatal(err)
	}
	table := filepath.Join(s.Out, "preferences.arrow")
	before, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	s.MaskFormat = !s.MaskFormat
	for _, mode := range []run.Mode{{}, {Resume: true}} {
		if err := Run(t.Context(), s, train.Options{Mode: mode}); !errors.As(err, new(*run.Occupied)) {
			t.Errorf("%+v: error %v", mode, err)
		}
		if after, err := os.ReadFile(table); err != nil || string(after) != string(before) {
			t.Errorf("%+v: the table has changed, error %v", mode, err)
		}
	}
}
