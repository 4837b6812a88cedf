// Package reward trains a reward model: a model with a value head in place of its output layer,
// trained on preferences (arXiv 2407.21783, section 4.1.2).
//
// Start with Defaults and Run.
package reward

import (
	"context"
	"fmt"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/core/train/stage"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/eval/stat"
)

// Settings are the settings of the stage.
type Settings struct {
	Preferences []string `yaml:"preferences" path:"tables"` // tables of preferences

	MinStrength int     `yaml:"min_strength"` // leave out pairs with a known strength below this; 0: keep all
	Margin      float64 `yaml:"margin"`       // margin of the loss per unit of the pair's strength; Llama 3 uses 0

	stage.Tuning `yaml:",inline"`
}

// Defaults returns the default settings.
func Defaults() Settings {
	s := Settings{Tuning: stage.Defaults()}
	s.BatchTokens, s.BatchRows = 0, 64
	return s
}

// Validate returns an error for the first invalid setting, by its YAML key.
func (s Settings) Validate() error {
	return stage.Check("reward",
		stage.NeedTables("preferences", s.Preferences),
		s.check(), s.Tuning.Validate())
}

func (s Settings) check() error {
	switch {
	case s.MinStrength < 0 || s.MinStrength > 4:
		return fmt.Errorf("min_strength is %d, expected 0 to 4", s.MinStrength)
	case !(s.Margin >= 0):
		return fmt.Errorf("margin is %g, expected 0 or more", s.Margin)
	}
	return nil
}

// Manifest describes the run with these settings; its digest identifies the run.
func (s Settings) Manifest() (run.Manifest, error) {
	return stage.Manifest("reward", s, nil)
}

// Stage describes the stage to recipes and commands.
var Stage = stage.Description[Settings]{
	Name:     "reward",
	Short:    "Train a reward model on preferences",
	Example:  []string{"model=base", "preferences=preferences.arrow", "out=judge"},
	Defaults: Defaults,
	Run:      Run,
}

// Run trains a reward model on the preferences.
func Run(ctx context.Context, s Settings, o train.Options) error {
	task := train.Task{Settings: s.Settings, Loss: BradleyTerry, Metrics: Metrics, Dir: s.Out, Options: o}
	start := s.Start()
	start.As = model.Config.Reward
	return stage.Train(ctx, s, task, stage.From(start, s.examples))
}

func (s Settings) examples(t *train.Task) ([]pack.Example, pack.Count, error) {
	format, err := s.Format(t.Tokenizer)
	if err != nil {
		return nil, pack.Count{}, err
	}
	return example.Load(s.Preferences, s.Limit, func(row table.Preference) ([]pack.Example, error) {
		if row.Strength > 0 && row.Strength < s.MinStrength {
			return nil, nil
		}
		return example.One(Example(format, row, s.Margin))
	})
}

// Example puts all responses to a prompt into one row. The edited response ranks above the
// chosen one, and that above the rejected one. Each row has weight 1, shared by its pairs.
func Example(format *template.Format, row table.Preference, margin float64) (pack.Example, error) {
	ranked := [][]chat.Message{row.Chosen, row.Rejected}
	if len(row.Edited) > 0 {
		ranked = [][]chat.Message{row.Edited, row.Chosen, row.Rejected}
	}
	format, err := format.WithTools(row.Tools)
	if err != nil {
		return pack.Example{}, err
	}
	e, err := example.Rewarded(format, row.ID, row.Prompt, ranked...)
	if err != nil {
		return e, err
	}
	e.Norm = 1
	for better := range ranked {
		for worse := better + 1; worse < len(ranked); worse++ {
			e.Pairs = append(e.Pairs, token.Pair{Chosen: int32(better), Rejected: int32(worse), Margin: float32(margin * float64(row.Strength))})
		}
	}
	for i := range e.Pairs {
		e.Pairs[i].Weight = 1 / float32(len(e.Pairs))
	}
	return e, nil
}

// Metrics adds the metrics of TRL's reward trainer: accuracy, margin and mean reward.
func Metrics(b *token.Batch, r *model.Result, m *train.Meter) {
	for _, p := range b.Pairs {
		lead := float64(r.Value[p.Chosen] - r.Value[p.Rejected])
		m.Add("accuracy", stat.Win(lead), float64(p.Weight))
		m.Add("margin", lead, float64(p.Weight))
	}
	for _, v := range r.Value {
		m.Add("mean_reward", float64(v), 1)
	}
}
