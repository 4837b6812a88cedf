package recipes

import (
	"fmt"
	"slices"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
)

// vocabulary is what is known of a stage's tokenizer before the run.
type vocabulary struct {
	tok   *tokenizer.Tokenizer // with the chat template; a stand-in without merges if a stage trains a new one
	newBy string               // the stage that trains it; "" if it exists
}

// checkVocabulary returns an error if stage i needs a chat template and there is none that works, or
// if its reference has another vocabulary.
func (e *engine) checkVocabulary(i int) error {
	v, err := e.vocabularyOf(i)
	if err != nil || v.tok == nil {
		return err
	}
	if s := e.Stages[i]; s.Kind.Name == "pretrain" {
		return nil
	}
	if _, err := template.New(v.tok); err != nil {
		return err
	}
	reference, ok := config.Find(e.Stages[i].Settings, "reference")
	if !ok || reference.Value.String() == "" {
		return nil
	}
	r, err := e.vocabularyAt(i, reference.Value.String(), "")
	if err != nil {
		return wrap("reference", err)
	}
	if v.newBy != r.newBy || v.tok == nil || r.tok == nil {
		return nil // the stage compares them when both exist
	}
	return wrap("reference", v.tok.SameVocabulary(r.tok))
}

// vocabularyOf returns the vocabulary with which stage i works. It is empty if a server has it.
func (e *engine) vocabularyOf(i int) (vocabulary, error) {
	s := e.Stages[i]
	text := func(key string) string {
		if f, ok := config.Find(s.Settings, key); ok {
			return f.Value.String()
		}
		return ""
	}
	if s.Kind.Name == "pretrain" && text("model") == "" && text("adapter") == "" {
		return e.newVocabulary(s, text("tokenizer"))
	}
	if text("engine.url") != "" {
		return vocabulary{}, nil
	}
	v, err := e.vocabularyAt(i, text("model"), text("adapter"))
	if err != nil || v.tok == nil {
		return v, err
	}
	v.tok, err = template.Choose(v.tok, text("template"))
	return v, err
}

// newVocabulary returns the vocabulary of a new model.
func (e *engine) newVocabulary(s Stage, dir string) (vocabulary, error) {
	if dir != "" {
		tok, err := tokenizer.Load(dir)
		return vocabulary{tok, ""}, err
	}
	standIn, err := tokenizer.Train(slices.Values([]string{}), tokenizer.TrainSettings{VocabSize: tokenizer.SmallestVocabulary})
	return vocabulary{standIn, s.Name}, err
}

// vocabularyAt returns the vocabulary of a model that stage i reads: of an earlier stage, or of a
// directory that exists.
func (e *engine) vocabularyAt(i int, dir, adapter string) (vocabulary, error) {
	for _, path := range []string{adapter, dir} {
		if first, in := e.inRun(i, path); in && path != "" {
			return e.vocabularyOf(e.index(first))
		}
	}
	at, err := model.Locate(dir, adapter)
	if err != nil {
		return vocabulary{}, err
	}
	tok, err := template.LoadOver(at.Model, at.Tokenizer(), "")
	if err != nil {
		return vocabulary{}, fmt.Errorf("%s: %w", at.Tokenizer(), err)
	}
	return vocabulary{tok, ""}, nil
}
