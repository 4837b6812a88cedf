// Package scoring has the settings of a judge: a rule, a reward model, or both.
// Settings.Validate checks them and Settings.Open makes the judge.
package scoring

import (
	"fmt"
	"math"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/sample/remote"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/judge"
	"github.com/herd-lm/herd/judge/reward"
	"github.com/herd-lm/herd/judge/rule"
)

// Settings describe a judge. At least one of Check and Reward is set.
type Settings struct {
	Reward      string        `yaml:"reward" path:"model"`            // model directory of the reward model
	Check       rule.Settings `yaml:"check" json:",omitzero"`         // rule that checks responses
	Combine     string        `yaml:"combine" json:",omitempty"`      // how to combine the scores of a rule and a reward model: correct_first or sum
	CheckWeight float64       `yaml:"check_weight" json:",omitempty"` // weight of the rule's score if combine is sum

	RewardTemplate string                `yaml:"reward_template" json:",omitempty"` // name of a chat template for a reward model that has none of its own
	RemoteReward   remote.RewardSettings `yaml:"remote_reward" json:",omitzero"`    // server that runs the reward model; reward is then the directory of its tokenizer
}

// Defaults returns the settings that a YAML file changes.
func Defaults() Settings { return Settings{Combine: judge.CorrectFirst, CheckWeight: 1} }

// Checks reports whether there is a rule, so that verdicts know what is correct.
func (s Settings) Checks() bool { return !s.Check.IsZero() }

// Validate returns an error for the first invalid setting, by its YAML name.
func (s Settings) Validate() error {
	switch {
	case s.Reward == "" && s.RemoteReward.URL != "":
		return fmt.Errorf("reward is not set: remote_reward needs the tokenizer and template of its model, in a directory")
	case s.Reward == "" && !s.Checks():
		return fmt.Errorf("reward is not set: the model directory of the reward model; or set check, to judge by rules")
	case s.RewardTemplate != "" && s.Reward == "":
		return fmt.Errorf("reward_template is set, but no reward model")
	case s.Combine != judge.CorrectFirst && s.Combine != judge.Sum:
		return fmt.Errorf("combine is %q, expected %s or %s", s.Combine, judge.CorrectFirst, judge.Sum)
	case !(s.CheckWeight >= 0) || math.IsInf(s.CheckWeight, 0):
		return fmt.Errorf("check_weight is %g, expected 0 or more", s.CheckWeight)
	}
	if err := template.CheckName(s.RewardTemplate); err != nil {
		return fmt.Errorf("reward_template: %w", err)
	}
	if s.Checks() {
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

// Open returns the judge: it loads the reward model and compiles the rule.
func (s Settings) Open() (judge.Judge, error) {
	if !s.Checks() {
		return s.openReward()
	}
	checker, err := rule.New(s.Check)
	if err != nil || s.Reward == "" {
		return checker, err
	}
	model, err := s.openReward()
	if err != nil {
		return nil, err
	}
	return judge.Combine(checker, model, s.Combine, s.CheckWeight), nil
}

func (s Settings) openReward() (judge.Judge, error) {
	if s.RemoteReward.URL != "" {
		return reward.Dial(s.RemoteReward, s.Reward, s.RewardTemplate)
	}
	return reward.Open(s.Reward, s.RewardTemplate)
}

// AddInputs adds the files that verdicts depend on to a run's inputs.
func (s Settings) AddInputs(inputs run.Inputs) error {
	if s.Checks() {
		inputs["check"] = s.Check.Files()
	}
	if s.Reward == "" {
		return nil
	}
	source, err := model.Locate(s.Reward, "")
	if err != nil {
		return err
	}
	inputs["reward"] = source.Dirs()
	return nil
}

// Bare returns the settings without those that change no verdict, and without paths: a run
// knows files by their content.
func (s Settings) Bare() Settings {
	s.Reward = ""
	s.RemoteReward.URL, s.RemoteReward.KeyEnv, s.RemoteReward.AllowHTTP, s.RemoteReward.Limits = "", "", false, remote.Limits{}
	s.RemoteReward.Batch = 0
	if len(s.Check.Files()) > 0 {
		s.Check.Schema = ""
	}
	return s
}
