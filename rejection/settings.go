// Package rejection samples several responses to each prompt from the policy and picks the best by
// a reward model or a rule (arXiv 2407.21783, section 4.2.2). Start with Defaults and Run.
package rejection

import (
	"cmp"
	"fmt"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/remote"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/judge/scoring"
)

// Settings of the stage. Model or the server in Engine generates the responses. At least one of
// Check and Reward scores them.
type Settings struct {
	Model    string   `yaml:"model" path:"model"`                       // model directory of the policy
	Adapter  string   `yaml:"adapter" json:",omitempty" path:"adapter"` // adapter directory of the policy; empty: none, or the model's
	Template string   `yaml:"template" json:",omitempty"`               // name of a chat template to use instead of the policy's own
	Prompts  []string `yaml:"prompts" path:"tables"`                    // tables of chats to answer; a final assistant message is the reference
	Out      string   `yaml:"out" path:"out"`                           // directory to write samples, chats and preferences to

	Samples int    `yaml:"samples"` // number of samples per prompt
	Limit   int    `yaml:"limit"`   // maximum number of prompts, from the first on; 0: all
	Seed    uint64 `yaml:"seed"`    // random seed for sampling; 0 in a recipe: the recipe's seed
	Slots   int    `yaml:"slots"`   // number of responses that herd generates at once; affects only speed

	Precision kernel.Precision `yaml:"precision"` // precision of matrix products in sampling: fp32, bf16, int8 or auto; scoring uses fp32

	TooLong string `yaml:"too_long"` // what to do with prompts that leave no room for an answer: error or skip

	Engine   remote.Settings `yaml:"engine" json:",omitzero"`    // server that samples instead of herd; model is then the directory of its tokenizer, if set
	Revision string          `yaml:"revision" json:",omitempty"` // version of the server's model, any text; herd samples again if it changes

	Pick        Pick    `yaml:"pick"`          // the responses to learn from
	MinScoreGap float64 `yaml:"min_score_gap"` // minimum difference between the best and the worst score to write a preference

	Scoring         `yaml:",inline"` // reward, check, combine, check_weight, remote_reward
	sample.Settings `yaml:",inline"`
}

// Scoring has the settings of the judge.
type Scoring = scoring.Settings

// What to do with prompts that are too long.
const (
	Refuse = pack.Refuse // return an error that names the row
	Skip   = pack.Skip   // leave the row out and list it in the summary
)

// Defaults returns the default settings.
func Defaults() Settings {
	return Settings{
		Samples: 10, Slots: 64, TooLong: Refuse, Pick: Pick{Rule: PickBest},
		Scoring:  scoring.Defaults(),
		Settings: sample.Settings{Temperature: 1, TopP: 1, MaxTokens: 256},
	}
}

// Validate returns an error for the first invalid setting, by its YAML name.
func (s Settings) Validate() error {
	if err := cmp.Or(s.validate(), s.Scoring.Validate(), s.Pick.validate(s.Checks()), s.Settings.Validate()); err != nil {
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
		return fmt.Errorf("revision is set, but no engine: herd identifies a model directory by its files")
	case template.CheckName(s.Template) != nil:
		return template.CheckName(s.Template)
	case s.remote():
		if err := s.Engine.Validate(); err != nil {
			return fmt.Errorf("engine: %w", err)
		}
	}
	return nil
}

// remote reports whether a server generates the responses.
func (s Settings) remote() bool { return s.Engine.URL != "" }

// Manifest returns the manifest of a run with these settings.
func (s Settings) Manifest() (run.Manifest, error) {
	inputs := run.Inputs{"prompts": s.Prompts}
	if err := s.Scoring.AddInputs(inputs); err != nil {
		return run.Manifest{}, fmt.Errorf("rejection: %w", err)
	}
	if s.Model != "" || s.Adapter != "" {
		source, err := model.Locate(s.Model, s.Adapter)
		if err != nil {
			return run.Manifest{}, fmt.Errorf("rejection: %w", err)
		}
		inputs["model"] = source.Dirs()
	}
	m, err := run.NewManifest("rejection", s.bare(), inputs)
	if err != nil {
		return m, err
	}
	s.Check = s.Check.WithFiles(config.Absolute)
	m.Record, err = config.RecordOf(s, s.bare())
	return m, err
}

// bare returns the settings without those that do not affect results, and without paths, because
// the content of the files is an input.
func (s Settings) bare() Settings {
	s.Model, s.Adapter, s.Prompts, s.Out, s.Slots = "", "", nil, "", 0
	s.Engine.URL, s.Engine.KeyEnv, s.Engine.AllowHTTP, s.Engine.Limits = "", "", false, remote.Limits{}
	s.Scoring = s.Scoring.Bare()
	return s
}
