// Package sft is supervised fine-tuning: cross-entropy on the assistant's tokens
// (arXiv 2407.21783, section 4.1.3).
//
// Use it to teach a model to answer from tables of chats. Begin with Defaults and Run.
package sft

import (
	"context"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/core/train/stage"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
)

// Settings are the settings of the stage.
type Settings struct {
	Chats []string `yaml:"chats" path:"tables"` // tables of chats

	stage.Tuning `yaml:",inline"`
}

// Defaults returns the default settings.
func Defaults() Settings {
	s := Settings{Tuning: stage.Defaults()}
	s.Epochs = 2
	return s
}

// Validate returns an error for the first invalid setting, by its YAML key.
func (s Settings) Validate() error {
	return stage.Check("sft",
		stage.NeedTables("chats", s.Chats),
		s.Tuning.Validate())
}

// Manifest describes the run with these settings; its digest identifies the run.
func (s Settings) Manifest() (run.Manifest, error) {
	return stage.Manifest("sft", s, nil)
}

// Stage describes the stage to recipes and commands.
var Stage = stage.Description[Settings]{
	Name:     "sft",
	Short:    "Fine-tune a model on chats",
	Example:  []string{"model=base", "chats=chats.arrow", "out=chatty", "learning_rate=1e-4"},
	Defaults: Defaults,
	Run:      Run,
}

// Run fine-tunes the model on the chats.
func Run(ctx context.Context, s Settings, o train.Options) error {
	task := train.Task{Settings: s.Settings, Loss: model.CrossEntropy, Dir: s.Out, Options: o}
	return stage.Train(ctx, s, task, stage.From(s.Start(), s.examples))
}

func (s Settings) examples(t *train.Task) ([]pack.Example, pack.Count, error) {
	format, err := s.Format(t.Tokenizer)
	if err != nil {
		return nil, pack.Count{}, err
	}
	return example.Load(s.Chats, s.Limit, func(row table.Chat) ([]pack.Example, error) {
		return example.Chats(format, row)
	})
}
