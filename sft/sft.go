// Package sft is supervised fine-tuning: cross-entropy on the assistant's words
// (arXiv 2407.21783, section 4.1.3).
package sft

import (
	"context"

	"github.com/herd-lm/herd/core/checkpoint"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/pack"
	"github.com/herd-lm/herd/core/stage"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/data"
	"github.com/herd-lm/herd/data/example"
)

// Settings of the stage.
type Settings struct {
	Model   string   `yaml:"model"`                     // model directory to start from
	Adapter string   `yaml:"adapter" json:",omitempty"` // adapter directory to go on from; empty: none, or the model's
	Chats   []string `yaml:"chats"`                     // tables of chats
	Out     string   `yaml:"out"`                       // model directory to write

	stage.Tuning `yaml:",inline"`
}

// Defaults returns the settings that a YAML file changes.
func Defaults() Settings {
	s := Settings{Tuning: stage.Defaults()}
	s.Epochs = 2
	return s
}

// Validate reports the first setting that makes no sense.
func (s Settings) Validate() error {
	return stage.Check("sft",
		stage.NeedModel(s.Model, s.Adapter), stage.NeedTables("chats", s.Chats), stage.NeedOut(s.Out),
		s.Tuning.Validate())
}

// Manifest describes the run that s asks for.
func (s Settings) Manifest() (checkpoint.Manifest, error) {
	bare := s
	bare.Model, bare.Adapter, bare.Chats, bare.Out = "", "", nil, ""
	dirs, err := s.start().Dirs()
	if err != nil {
		return checkpoint.Manifest{}, stage.Check("sft", err)
	}
	return train.NewManifest("sft", bare, train.Inputs{"model": dirs, "chats": s.Chats})
}

func (s Settings) start() stage.Start { return stage.Start{Model: s.Model, Adapter: s.Adapter} }

// Run fine-tunes the model on the chats.
func Run(ctx context.Context, s Settings, o train.Options) error {
	task := train.Task{Settings: s.Settings, Loss: model.CrossEntropy, Dir: s.Out, Options: o}
	return stage.Train(ctx, s, task, stage.From(s.start(), s.examples))
}

func (s Settings) examples(t *train.Task) ([]pack.Example, error) {
	return example.Load(s.Chats, s.Limit, func(row data.Chat) ([]pack.Example, error) {
		return example.One(example.Chat(t.Tokenizer, row))
	})
}
