package pretrain

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/core/train/stage"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
)

// Stage describes the stage to recipes and commands.
var Stage = stage.Description[Settings]{
	Name:     "pretrain",
	Short:    "Train a model on documents, a new one or an existing one",
	Example:  []string{"documents=corpus.arrow", "out=base", "architecture.num_hidden_layers=4", "epochs=2"},
	Defaults: Defaults,
	Run:      Run,
}

// Run trains the model on the documents.
func Run(ctx context.Context, s Settings, o train.Options) error {
	task := train.Task{Settings: s.Settings, Loss: model.CrossEntropy, Dir: s.Out, Options: o}
	return stage.Train(ctx, s, task, stage.Source{Tokenizer: s.tokenizer, Examples: s.examples, Params: s.params})
}

// tokenizer returns the tokenizer of the model to continue from, the one that the settings name,
// or a new one trained on the documents.
func (s Settings) tokenizer() (*tokenizer.Tokenizer, error) {
	switch {
	case s.continues():
		return s.start().Tokenizer()
	case s.Tokenizer != "":
		return tokenizer.Load(s.Tokenizer)
	}
	var failed error
	tok, err := tokenizer.Train(texts(s.Documents, &failed), tokenizer.TrainSettings{VocabSize: s.VocabSize})
	if failed != nil {
		return nil, failed
	}
	return tok, err
}

// texts yields the text of every document. It stops at the first error and stores it in failed.
func texts(paths []string, failed *error) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, path := range paths {
			for row, err := range table.Scan[table.Document](path) {
				if err != nil {
					*failed = err
					return
				}
				if !yield(row.Text) {
					return
				}
			}
		}
	}
}

// examples cuts the documents into pieces.
func (s Settings) examples(t *train.Task) ([]pack.Example, pack.Count, error) {
	if t.Tokenizer.EOS() == tokenizer.None {
		return nil, pack.Count{}, errors.New("pretrain: the tokenizer has no token that ends a document: name one as eos_token in its tokenizer_config.json")
	}
	return example.Load(s.Documents, pack.Limit{}, func(row table.Document) ([]pack.Example, error) {
		if err := t.Tokenizer.CheckText(row.Text); err != nil {
			return nil, err
		}
		pieces := example.Document(t.Tokenizer, row, s.SequenceLength)
		if len(pieces) == 0 {
			pieces = []pack.Example{{Row: row.ID}} // counted as a row with nothing to learn
		}
		return pieces, nil
	})
}

// params returns the weights to start from.
func (s Settings) params(t *train.Task) (*model.Params, error) {
	if s.continues() {
		return s.start().Params(t)
	}
	tok := t.Tokenizer
	c := s.Architecture.config(tok.VocabSize())
	if bos := int(tok.BOS()); tok.BOS() != tokenizer.None {
		c.BOS = &bos
	}
	for _, id := range append([]token.ID{tok.EOS(), tok.EOT()}, template.Ends(tok)...) {
		if id != tokenizer.None && !slices.Contains(c.EOS, int(id)) {
			c.EOS = append(c.EOS, int(id))
		}
	}
	p, err := model.New(c)
	if err != nil {
		return nil, err
	}
	p.Init(s.Seed)
	return p, nil
}
