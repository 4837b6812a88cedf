package dpo

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/core/train/score"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
)

// TestFirstStep: before the first step the policy is its reference, so a pair has no reward and its
// contrast costs log 2, whatever beta is. The loss adds nll_weight times the negative
// log-likelihood of a chosen response, a mean over its tokens, each row counting 1. A response that
// is cut counts the mean over the tokens that are left.
func TestFirstStep(t *testing.T) {
	for _, most := range []int{0, 36} {
		s := fixture(t)
		s.BatchRows, s.NLLWeight = 2, 0.2
		if most > 0 {
			s.MaxTokens, s.TooLong = most, pack.Truncate
		}
		var loss float64
		err := Run(t.Context(), s, train.Options{Report: func(p train.Progress) { loss = p.Loss }})
		if err != nil {
			t.Fatal(err)
		}
		likelihood, cut := meanLikelihood(t, s)
		if cut != (most > 0) {
			t.Errorf("max_tokens %d: cut %t", most, cut)
		}
		want := math.Ln2 + s.NLLWeight*likelihood
		if math.Abs(loss-want) > 1e-5*want {
			t.Errorf("max_tokens %d: the first loss is %.6f, want log 2 + %g x %.6f = %.6f", most, loss, s.NLLWeight, likelihood, want)
		}
	}
}

// meanLikelihood computes the likelihood term of the pairs in float64: it scores each chosen chat as
// one text.
func meanLikelihood(t *testing.T, s Settings) (mean float64, cut bool) {
	t.Helper()
	params, err := model.Load(s.Model, false)
	if err != nil {
		t.Fatal(err)
	}
	format, err := template.Load(s.Model, "")
	if err != nil {
		t.Fatal(err)
	}
	rows, _, err := table.ReadAll[table.Preference](s.Preferences[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		before, after, err := format.Continue(row.Prompt, row.Chosen)
		if err != nil {
			t.Fatal(err)
		}
		n := min(len(after.IDs), s.MaxTokens-len(before.IDs))
		cut = cut || n < len(after.IDs)
		text := pack.Text("", append(append([]token.ID{}, before.IDs...), after.IDs[:n]...))
		logps, err := score.LogProbs(t.Context(), params, []pack.Example{text}, score.MicroTokens)
		if err != nil {
			t.Fatal(err)
		}
		var sum float64
		for _, x := range logps[0][len(before.IDs)-1:] {
			sum -= float64(x)
		}
		mean += sum / float64(n) / float64(len(rows))
	}
	return mean, cut
}

// TestReferenceDigest: the digest of the cached log-probabilities covers everything that they
// depend on, the content of the models above all.
func TestReferenceDigest(t *testing.T) {
	digest := func(s Settings) string {
		if err := Run(t.Context(), s, train.Options{Mode: run.Mode{Overwrite: true}}); err != nil {
			t.Fatal(err)
		}
		rows, _, err := table.ReadAll[table.Preference](filepath.Join(s.Out, "preferences.arrow"))
		if err != nil {
			t.Fatal(err)
		}
		return rows[0].RefDigest
	}
	nudge := func(dir string) {
		path := filepath.Join(dir, "model.safetensors")
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)-1] ^= 1
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s := fixture(t)
	seen := map[string]string{digest(s): "at first"}
	for _, c := range []struct {
		name   string
		change func()
	}{
		{"mask_format", func() { s.MaskFormat = !s.MaskFormat }},
		{"max_tokens", func() { s.MaxTokens-- }},
		{"too_long", func() { s.TooLong = pack.Skip }},
		{"the model's weights", func() { nudge(s.Model) }},
		{"another reference", func() { s.Reference = copied(t, s.Model) }},
		{"the reference's weights", func() { nudge(s.Reference) }},
	} {
		c.change()
		d := digest(s)
		if before, ok := seen[d]; ok && c.name != "another reference" {
			t.Errorf("%s: the digest is that of %s", c.name, before)
		}
		seen[d] = c.name
	}
}

func copied(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "reference")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestCachedReference: stored log-probabilities count only for the same rows under the same digest,
// with both numbers.
func TestCachedReference(t *testing.T) {
	x := func(v float64) *float64 { return &v }
	row := func(id, digest string, c, r *float64) table.Preference {
		return table.Preference{
			Origin: table.Origin{ID: id}, Chosen: example.Reply("a"), Rejected: example.Reply("b"),
			RefDigest: digest, RefChosenLogP: c, RefRejectedLogP: r,
		}
	}
	rows := []table.Preference{row("1", "", nil, nil), row("2", "", nil, nil)}
	for name, c := range map[string]struct {
		stored []table.Preference
		ok     bool
	}{
		"all":         {[]table.Preference{row("1", "d", x(-1), x(-2)), row("2", "d", x(-3), x(-4))}, true},
		"digest":      {[]table.Preference{row("1", "d", x(-1), x(-2)), row("2", "e", x(-3), x(-4))}, false},
		"id":          {[]table.Preference{row("1", "d", x(-1), x(-2)), row("3", "d", x(-3), x(-4))}, false},
		"no chosen":   {[]table.Preference{row("1", "d", nil, x(-2)), row("2", "d", x(-3), x(-4))}, false},
		"no rejected": {[]table.Preference{row("1", "d", x(-1), x(-2)), row("2", "d", x(-3), nil)}, false},
		"fewer":       {[]table.Preference{row("1", "d", x(-1), x(-2))}, false},
		"more":        {[]table.Preference{row("1", "d", x(-1), x(-2)), row("2", "d", x(-3), x(-4)), row("3", "d", x(-3), x(-4))}, false},
	} {
		path := filepath.Join(t.TempDir(), "preferences.arrow")
		if err := table.WriteAll(path, table.Header{}, c.stored); err != nil {
			t.Fatal(err)
		}
		got, err := readReference(path, "d", rows)
		if err != nil || (got != nil) != c.ok {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if c.ok && (got[1][chosen] != -3 || got[1][rejected] != -4) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
