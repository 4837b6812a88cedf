package world

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// whole is the world of the default settings, generated once for all tests.
var whole = sync.OnceValues(func() (*World, error) { return Generate(Defaults()) })

func theWorld(t *testing.T) *World {
	t.Helper()
	w, err := whole()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// small asks for a few rows of every table.
func small(seed uint64) Settings {
	s := Defaults()
	s.Seed = seed
	s.Documents, s.HeldOutDocuments = 200, 20
	s.Chats, s.Preferences, s.HeldOutPreferences, s.Prompts, s.HeldOut = 60, 60, 30, 60, 30
	return s
}

func digest(t *testing.T, s Settings) string {
	t.Helper()
	w, err := Generate(s)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(w) // maps are marshalled in the order of their keys
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

// If you change the world on purpose, change this digest too: results of quickstart runs before
// and after do not compare.
const pinned = "88ac8e48d3860025b73f80612ef1eb3aa275285a339d7f3a22141bcec4483006"

func TestDeterminism(t *testing.T) {
	first := digest(t, small(7))
	if first != pinned {
		t.Errorf("the world of seed 7 has digest %s, want %s", first, pinned)
	}
	if again := digest(t, small(7)); again != first {
		t.Errorf("the same settings gave %s, then %s", first, again)
	}
	if other := digest(t, small(8)); other == first {
		t.Error("another seed gave the same world")
	}
}

func TestSectionsAreIndependent(t *testing.T) {
	s := small(3)
	first, err := Generate(s)
	if err != nil {
		t.Fatal(err)
	}
	s.Documents, s.Chats = 100, 30
	second, err := Generate(s)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first.HeldOut, second.HeldOut); d != "" {
		t.Errorf("fewer documents and chats changed the held-out prompts:\n%s", d)
	}
	if d := cmp.Diff(first.Documents[:100], second.Documents); d != "" {
		t.Errorf("fewer documents are not the first of them:\n%s", d)
	}
}

func TestSizes(t *testing.T) {
	s, w := Defaults(), theWorld(t)
	for _, table := range []struct {
		name      string
		got, want int
	}{
		{"documents", len(w.Documents), s.Documents}, {"held-out documents", len(w.HeldOutDocuments), s.HeldOutDocuments},
		{"chats", len(w.Chats), s.Chats}, {"preferences", len(w.Preferences), s.Preferences},
		{"held-out preferences", len(w.HeldOutPreferences), s.HeldOutPreferences},
		{"prompts", len(w.Prompts), s.Prompts}, {"held-out prompts", len(w.HeldOut), s.HeldOut},
	} {
		if table.got != table.want {
			t.Errorf("%d %s, want %d", table.got, table.name, table.want)
		}
	}
	bytes := 0
	for _, d := range w.Documents {
		bytes += len(d.Text)
	}
	if bytes < 6e6 || bytes > 10e6 {
		t.Errorf("the documents have %d bytes, want 6 to 10 million", bytes)
	}
}

func TestSettings(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*Settings)
		want  string
	}{
		{"negative", func(s *Settings) { s.Chats = -1 }, "world: -1 chats asked for"},
		{"rate", func(s *Settings) { s.Demonstrations.Verbose = 1.5 }, "a rate of the demonstrations is 1.5"},
		{"not a number", func(s *Settings) { s.Policy.Wrong = math.NaN() }, "a rate of the policy is NaN"},
		{"all alike", func(s *Settings) { s.Policy = Rates{Wrong: 1} }, "make all responses alike"},
		{"too many questions", func(s *Settings) { s.HeldOut = 100_000 }, "held-out prompts: expected 100000 questions"},
		{"too many chats", func(s *Settings) { s.Chats = 100_000 }, "chats: expected 100000 questions"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := small(1)
			tt.spoil(&s)
			if _, err := Generate(s); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Generate gave error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestSeeds(t *testing.T) {
	s := small(0)
	for seed := range uint64(20) {
		s.Seed = seed
		if _, err := Generate(s); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}
