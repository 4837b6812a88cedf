package rejection

import (
	"testing"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/sample/remote"
	"github.com/herd-lm/herd/judge"
	"github.com/herd-lm/herd/judge/rule"
)

// TestDigests pins the digests that runs on disk already have: a run can be resumed by a
// later herd only if they stay the same.
func TestDigests(t *testing.T) {
	local := Defaults()
	local.Model, local.Reward, local.Prompts, local.Out = "policy", "judge", []string{"prompts.arrow"}, "out"
	local.Seed, local.Samples, local.Precision = 11, 4, kernel.BF16

	both := local
	both.Check = rule.Settings{Kind: rule.Numeric, Marked: true, Tolerance: 0.5}
	both.Combine, both.CheckWeight = judge.Sum, 2
	both.Pick, both.MinScoreGap, both.TooLong = Pick{Rule: PickFraction, Fraction: 0.5}, 0.25, Skip
	both.StopStrings = []string{"\n"}

	server := Defaults()
	server.Reward, server.Prompts, server.Out, server.Revision = "judge", []string{"prompts.arrow"}, "out", "one"
	server.Engine = remote.Settings{URL: "http://localhost:1", Model: "parrot", Prompt: remote.Chat}
	server.RemoteReward = remote.RewardSettings{URL: "http://localhost:2", Model: "judge", Batch: 3}
	server.Check = rule.Settings{Kind: rule.Schema, Schema: "person.json"}

	inputs := map[string]string{"model[0]": "m", "reward[0]": "r", "check[0]": "c", "prompts[0]": "p"}
	for name, c := range map[string]struct {
		settings                    Settings
		manifest, sampling, scoring string
	}{
		"local": {
			local,
			"9ff9d3f10e0adb628fbce7d1bc0a0c9b2a39d9b0f4455da63af88d5949301bd7",
			"71d53f82f6d4c605b2fe1941a0584076c3553eadf007e1142719aa27392f491d",
			"3ab44d4dc64ce53db4397127ce1d8068dbf5d1c3c97a9125db390df88aceef26",
		},
		"both": {
			both,
			"f76c50fbdaece2514f5f5fa8c63637b7a3c345c1f7a2248e379a7d03539333dc",
			"1ba5a72c30cdb4c94df7dae23b85444cbe05a65bea603126d54d188bc47a265b",
			"aae872ecd3480c4d7767bf9190ac83ccd7ffd8a3ac1e71de07faab7864d49dbe",
		},
		"server": {
			server,
			"b3a5b96d45d67c8a6a4b01dca88950443b85ffc2f3bb0a9cb59b45f5d34b42b6",
			"9aba599047bdbd05c04f6df2770c7df2ded99cb456519c9763c74994d4d1260f",
			"381165a88a980f77d9b0ca1974076ef8400b6120a0ba29a59ba84467ca09420d",
		},
	} {
		bare, err := run.DigestJSON(c.settings.bare())
		if err != nil || bare != c.manifest {
			t.Errorf("%s: the settings have digest %q, error %v", name, bare, err)
		}
		if got := c.settings.identify(inputs).digest(); got != c.sampling {
			t.Errorf("%s: the samples have digest %q", name, got)
		}
		if got := c.settings.identifyScoring(inputs); got != c.scoring {
			t.Errorf("%s: the scores have digest %q", name, got)
		}
		named := c.settings
		named.RewardTemplate = "chatml"
		if named.identify(inputs).digest() != c.sampling || named.identifyScoring(inputs) == c.scoring {
			t.Errorf("%s: another template of the reward model changes scores and no samples", name)
		}
	}
}
