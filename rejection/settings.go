// Package rejection samples several responses to each prompt from the newest
// policy and lets the reward model choose (arXiv 2407.21783, section 4.2.2).
package rejection

import (
	"cmp"
	"fmt"

	"github.com/herd-lm/herd/core/checkpoint"
	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/pack"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/train"
)

// Settings of the stage.
type Settings struct {
	Model   string   `yaml:"model"`                     // model directory of the policy
	Adapter string   `yaml:"adapter" json:",omitempty"` // adapter directory beside it; empty: none, or the model's
	Reward  string   `yaml:"reward"`                    // model directory of the reward model
	Prompts []string `yaml:"prompts"`                   // tables of chats; a closing turn of the assistant is left out
	Out     string   `yaml:"out"`                       // directory to write samples, chats and preferences to

	Samples int    `yaml:"samples"` // per prompt
	Limit   int    `yaml:"limit"`   // use the first prompts only; 0: all
	Seed    uint64 `yaml:"seed"`
	Slots   int    `yaml:"slots"` // responses that advance together; changes nothing but speed

	Precision kernel.Precision `yaml:"precision"` // of the matrix products that sample: fp32, bf16 or auto; scores are fp32

	TooLong string `yaml:"too_long"` // prompts after which there is no room: error or skip

	Pick        Pick    `yaml:"pick"`          // the responses to learn from
	MinScoreGap float64 `yaml:"min_score_gap"` // least difference of best and worst that makes a preference

	sample.Settings `yaml:",inline"`
}

// What to do with prompts that are too long.
const (
	Refuse = pack.Refuse // an error that names the row
	Skip   = pack.Skip   // leave it out, and say so
)

// Defaults returns the settings that a YAML file changes.
func Defaults() Settings {
	return Settings{
		Samples: 10, Slots: 64, TooLong: Refuse, Pick: Pick{Rule: PickBest},
		Settings: sample.Settings{Temperature: 1, TopP: 1, MaxTokens: 256},
	}
}

// Validate reports the first setting that makes no sense.
func (s Settings) Validate() error {
	switch {
	case s.Model == "" && s.Adapter == "":
		return fmt.Errorf("rejection: model is not set: the model directory of the policy")
	case s.Reward == "":
		return fmt.Errorf("rejection: reward is not set: the model directory of the reward model")
	case len(s.Prompts) == 0:
		return fmt.Errorf("rejection: prompts is not set: the tables of chats to answer")
	case s.Out == "":
		return fmt.Errorf("rejection: out is not set: the directory to write")
	case s.Samples < 1:
		return fmt.Errorf("rejection: samples is %d, expected 1 or more", s.Samples)
	case s.Limit < 0:
		return fmt.Errorf("rejection: limit is %d, expected 0 or more", s.Limit)
	case s.Slots < 1:
		return fmt.Errorf("rejection: slots is %d, expected 1 or more", s.Slots)
	case s.Samples > 1 && s.Temperature == 0:
		return fmt.Errorf("rejection: temperature is 0: all %d samples of a prompt would be equal", s.Samples)
	case s.TooLong != Refuse && s.TooLong != Skip:
		return fmt.Errorf("rejection: too_long is %q, expected %s or %s", s.TooLong, Refuse, Skip)
	case !(s.MinScoreGap >= 0):
		return fmt.Errorf("rejection: min_score_gap is %g, expected 0 or more", s.MinScoreGap)
	}
	if err := cmp.Or(s.Pick.validate(false), s.Settings.Validate()); err != nil {
		return fmt.Errorf("rejection: %w", err)
	}
	return nil
}

// Manifest describes the run that s asks for.
func (s Settings) Manifest() (checkpoint.Manifest, error) {
	bare := s
	bare.Model, bare.Adapter, bare.Reward, bare.Prompts, bare.Out, bare.Slots = "", "", "", nil, "", 0
	policy, err := model.Locate(s.Model, s.Adapter)
	if err != nil {
		return checkpoint.Manifest{}, fmt.Errorf("rejection: %w", err)
	}
	reward, err := model.Locate(s.Reward, "")
	if err != nil {
		return checkpoint.Manifest{}, fmt.Errorf("rejection: %w", err)
	}
	return train.NewManifest("rejection", bare, train.Inputs{
		"model": policy.Dirs(), "reward": reward.Dirs(), "prompts": s.Prompts,
	})
}
