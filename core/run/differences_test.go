package run

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/config"
)

func TestDifferences(t *testing.T) {
	values := func(pairs ...string) config.Values {
		v := make(config.Values)
		for i := 0; i < len(pairs); i += 2 {
			v[pairs[i]] = json.RawMessage(pairs[i+1])
		}
		return v
	}
	was := Manifest{Stage: "sft", Digest: "1", Herd: "v0.1.0", Inputs: map[string]string{"chats[0]": "a", "model[0]": "m"},
		Record: config.Record{Settings: values("steps", "2", "template", `""`)}}
	change := func(f func(*Manifest)) Manifest {
		now := was
		now.Digest, now.files = "2", map[string]string{"chats[0]": "c.arrow", "model[0]": "base"}
		f(&now)
		return now
	}
	older := was
	older.Settings = nil
	for _, c := range []struct {
		name     string
		was, now Manifest
		want     []string
	}{
		{"equal", was, was, nil},
		{"stage", was, change(func(m *Manifest) { m.Stage, m.Settings = "dpo", values("beta", "1") }), []string{"the stage was sft and is dpo"}},
		{"settings", was, change(func(m *Manifest) { m.Settings = values("steps", "3", "template", `"chatml"`, "new", "1") }),
			[]string{"new was not set and is 1", "steps was 2 and is 3", `template was not set and is "chatml"`}},
		{"content", was, change(func(m *Manifest) { m.Inputs = map[string]string{"chats[0]": "b", "model[0]": "m"} }),
			[]string{"the content of chats[0] (c.arrow) has changed"}},
		{"more and fewer", was, change(func(m *Manifest) { m.Inputs = map[string]string{"chats[1]": "a", "chats[0]": "a"} }),
			[]string{"chats[1] is new", "model[0] is gone"}},
		{"no settings stored", older, change(func(m *Manifest) {}),
			[]string{"its herd.json is from a herd that stored no settings, so herd cannot say which of them differ"}},
		{"no settings stored, content", older, change(func(m *Manifest) { m.Inputs = map[string]string{"chats[0]": "a", "model[0]": "x"} }),
			[]string{"its herd.json is from a herd that stored no settings, so some of them may differ too", "the content of model[0] (base) has changed"}},
		{"nothing known", was, change(func(m *Manifest) {}), []string{"herd v0.1.0 made it, which has other settings or defaults"}},
	} {
		if got := c.was.Differences(c.now); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
