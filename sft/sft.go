// Package sft is supervised fine-tuning: cross-entropy on the assistant's words
// (arXiv 2407.21783, section 4.1.3).
package sft

import (
	"context"
	"fmt"

	"github.com/herd-lm/herd/core/checkpoint"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/pack"
	"github.com/herd-lm/herd/core/tokenizer"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/data"
	"github.com/herd-lm/herd/data/example"
)

// Settings of the stage.
type Settings struct {
	Model string   `yaml:"model"` // model directory to start from
	Chats []string `yaml:"chats"` // tables of chats
	Out   string   `yaml:"out"`   // model directory to write

	pack.Limit     `yaml:",inline"`
	train.Settings `yaml:",inline"`
}

// Defaults returns the settings that a YAML file changes.
func Defaults() Settings {
	s := Settings{Limit: pack.Limit{MaxTokens: 2048, TooLong: pack.Refuse}, Settings: train.Defaults()}
	s.Epochs, s.LearningRate, s.WeightDecay = 2, 1e-5, 0
	return s
}

// Validate reports the first setting that makes no sense.
func (s Settings) Validate() error {
	switch {
	case s.Model == "":
		return fmt.Errorf("sft: model is not set: the model directory to start from")
	case len(s.Chats) == 0:
		return fmt.Errorf("sft: chats is not set: the tables of chats to learn from")
	case s.Out == "":
		return fmt.Errorf("sft: out is not set: the model directory to write")
	}
	if err := s.Limit.Validate(); err != nil {
		return fmt.Errorf("sft: %w", err)
	}
	if err := s.Settings.Validate(); err != nil {
		return fmt.Errorf("sft: %w", err)
	}
	return nil
}

// Manifest describes the run that s asks for.
func (s Settings) Manifest() (checkpoint.Manifest, error) {
	bare := s
	bare.Model, bare.Chats, bare.Out = "", nil, ""
	return train.NewManifest("sft", bare, train.Inputs{"model": {s.Model}, "chats": s.Chats})
}

// Run fine-tunes the model on the chats.
func Run(ctx context.Context, s Settings, o train.Options) error {
	if err := s.Validate(); err != nil {
		return err
	}
	manifest, err := s.Manifest()
	if err != nil {
		return err
	}
	tok, err := tokenizer.Load(s.Model)
	if err != nil {
		return fmt.Errorf("sft: %w", err)
	}
	_, examples, err := example.Load(s.Chats, s.Limit, func(row data.Chat) ([]pack.Example, error) {
		return example.One(example.Chat(tok, row))
	})
	if err != nil {
		return fmt.Errorf("sft: %w", err)
	}
	params, err := model.Load(s.Model, true)
	if err != nil {
		return fmt.Errorf("sft: %w", err)
	}
	return train.Run(ctx, train.Task{
		Settings: s.Settings, Params: params, Tokenizer: tok, Examples: examples, Loss: model.CrossEntropy,
		Dir: s.Out, Manifest: manifest, Options: o,
	})
}
