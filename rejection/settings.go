// Package rejection samples several responses to each prompt from the newest
// policy and lets the reward model choose (arXiv 2407.21783, section 4.2.2).
package rejection

import (
	"cmp"
	"fmt"
	"math"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/remote"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/data/check"
)

// Settings of the stage. Responses come from Model, or from the server of Engine; at
// least one of Check and Reward scores them.
type Settings struct {
	Model    string   `yaml:"model" path:"model"`                       // model directory of the policy
	Adapter  string   `yaml:"adapter" json:",omitempty" path:"adapter"` // adapter directory beside it; empty: none, or the model's
	Template string   `yaml:"template" json:",omitempty"`               // name of a chat template in place of the policy's own
	Reward   string   `yaml:"reward" path:"model"`                      // model directory of the reward model
	Prompts  []string `yaml:"prompts" path:"tables"`                    // tables of chats; a closing turn of the assistant is the reference
	Out      string   `yaml:"out" path:"out"`                           // directory to write samples, chats and preferences to

	Samples int    `yaml:"samples"` // per prompt
	Limit   int    `yaml:"limit"`   // use the first prompts only; 0: all
	Seed    uint64 `yaml:"seed"`
	Slots   int    `yaml:"slots"` // responses that advance together; changes nothing but speed

	Precision kernel.Precision `yaml:"precision"` // of the matrix products that sample: fp32, bf16, int8 or auto; scores are fp32

	TooLong string `yaml:"too_long"` // prompts after which there is no room: error or skip

	Check       check.Settings `yaml:"check" json:",omitzero"`         // judges responses by rules
	Combine     string         `yaml:"combine" json:",omitempty"`      // score of a checker with a reward model: correct_first or sum
	CheckWeight float64        `yaml:"check_weight" json:",omitempty"` // of the checker in a sum

	Engine       remote.Settings       `yaml:"engine" json:",omitzero"`        // the server that draws; Model then is its tokenizer, if any
	Revision     string                `yaml:"revision" json:",omitempty"`     // which state of the server's model; any text, for keys
	RemoteReward remote.RewardSettings `yaml:"remote_reward" json:",omitzero"` // the server that scores; Reward then is its tokenizer

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
		Combine: CorrectFirst, CheckWeight: 1,
		Settings: sample.Settings{Temperature: 1, TopP: 1, MaxTokens: 256},
	}
}

// Validate reports the first setting that makes no sense.
func (s Settings) Validate() error {
	if err := cmp.Or(s.validate(), s.validateScoring(), s.Pick.validate(s.checks()), s.Settings.Validate()); err != nil {
		return fmt.Errorf("rejection: %w", err)
	}
	return nil
}

func (s Settings) validate() error {
	switch {
	case s.Model == "" && s.Adapter == "" && !s.remote():
		return fmt.Errorf("model is not set: the model directory of the policy")
	case len(s.Prompts) == 0:
		return fmt.Errorf("prompts is not set: the tables of chats to answer")
	case s.Out == "":
		return fmt.Errorf("out is not set: the directory to write")
	case s.Samples < 1:
		return fmt.Errorf("samples is %d, expected 1 or more", s.Samples)
	case s.Limit < 0:
		return fmt.Errorf("limit is %d, expected 0 or more", s.Limit)
	case s.Slots < 1:
		return fmt.Errorf("slots is %d, expected 1 or more", s.Slots)
	case s.Samples > 1 && s.Temperature == 0:
		return fmt.Errorf("temperature is 0: all %d samples of a prompt would be equal", s.Samples)
	case s.TooLong != Refuse && s.TooLong != Skip:
		return fmt.Errorf("too_long is %q, expected %s or %s", s.TooLong, Refuse, Skip)
	case !(s.MinScoreGap >= 0):
		return fmt.Errorf("min_score_gap is %g, expected 0 or more", s.MinScoreGap)
	case s.Revision != "" && !s.remote():
		return fmt.Errorf("revision is set, but no engine: a model directory is known by its files")
	case template.CheckName(s.Template) != nil:
		return template.CheckName(s.Template)
	case s.remote():
		if err := s.Engine.Validate(); err != nil {
			return fmt.Errorf("engine: %w", err)
		}
	}
	return nil
}

func (s Settings) validateScoring() error {
	switch {
	case s.Reward == "" && s.RemoteReward.URL != "":
		return fmt.Errorf("reward is not set: remote_reward needs the tokenizer and template of its model, in a directory")
	case s.Reward == "" && !s.checks():
		return fmt.Errorf("reward is not set: the model directory of the reward model; or set check, to judge by rules")
	case s.Combine != CorrectFirst && s.Combine != Sum:
		return fmt.Errorf("combine is %q, expected %s or %s", s.Combine, CorrectFirst, Sum)
	case !(s.CheckWeight >= 0) || math.IsInf(s.CheckWeight, 0):
		return fmt.Errorf("check_weight is %g, expected 0 or more", s.CheckWeight)
	}
	if s.checks() {
		if err := s.Check.Validate(); err != nil {
			return err
		}
	}
	if s.RemoteReward.URL == "" {
		return nil
	}
	if err := s.RemoteReward.Validate(); err != nil {
		return fmt.Errorf("remote_reward: %w", err)
	}
	return nil
}

// checks reports whether there is a checker.
func (s Settings) checks() bool { return !s.Check.IsZero() }

// remote reports whether a server draws.
func (s Settings) remote() bool { return s.Engine.URL != "" }

// Manifest describes the run that s asks for.
func (s Settings) Manifest() (run.Manifest, error) {
	inputs := run.Inputs{"prompts": s.Prompts}
	if s.checks() {
		inputs["check"] = s.Check.Files()
	}
	for name, at := range map[string]struct{ dir, adapter string }{"model": {s.Model, s.Adapter}, "reward": {s.Reward, ""}} {
		if at.dir == "" && at.adapter == "" {
			continue
		}
		source, err := model.Locate(at.dir, at.adapter)
		if err != nil {
			return run.Manifest{}, fmt.Errorf("rejection: %w", err)
		}
		inputs[name] = source.Dirs()
	}
	return run.NewManifest("rejection", s.bare(), inputs)
}

// bare returns the settings without those that change nothing of what comes out, and
// without paths, whose content is an input.
func (s Settings) bare() Settings {
	s.Model, s.Adapter, s.Reward, s.Prompts, s.Out, s.Slots = "", "", "", nil, "", 0
	s.Engine.URL, s.Engine.KeyEnv, s.Engine.AllowHTTP, s.Engine.Limits = "", "", false, remote.Limits{}
	s.RemoteReward.URL, s.RemoteReward.KeyEnv, s.RemoteReward.AllowHTTP, s.RemoteReward.Limits = "", "", false, remote.Limits{}
	s.RemoteReward.Batch = 0
	if len(s.Check.Files()) > 0 {
		s.Check.Schema = ""
	}
	return s
}
