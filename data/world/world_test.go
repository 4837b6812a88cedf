package world

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dlclark/regexp2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/herd-lm/herd/data"
)

// whole is the world of the default settings, made once for all tests.
var whole = sync.OnceValues(func() (*World, error) { return Generate(Defaults()) })

func theWorld(t *testing.T) *World {
	t.Helper()
	w, err := whole()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// small asks for a little of everything.
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

// Whoever changes the world on purpose changes this digest too: results of
// quickstart runs before and after do not compare.
const pinned = "4f109d7b8fd1f881e09d880153e4f5934b00553f1a3dc345396280990ab9b831"

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

func TestMix(t *testing.T) {
	w := theWorld(t)
	for _, docs := range [][]data.Document{w.Documents[:3000], w.Documents[len(w.Documents)-3000:], w.HeldOutDocuments} {
		for c, share := range mix(docs) {
			if math.Abs(share-Classes[c].Share) > 0.01 {
				t.Errorf("of %d documents, %s is %.3f of the tokens, want %.2f", len(docs), Classes[c].Name, share, Classes[c].Share)
			}
		}
	}
	for _, d := range w.Documents[:3000] {
		if got, want := pieces(d.Text), llama3Pieces(d.Text); got != want {
			t.Fatalf("pieces = %d, want %d, of:\n%s", got, want, d.Text)
		}
	}
	t.Run("planted", func(t *testing.T) {
		fewer := append([]data.Document{}, w.HeldOutDocuments[:500]...)
		for i := range fewer {
			if fewer[i].Meta["class"] == Multilingual {
				fewer[i].Text = ""
			}
		}
		if share := mix(fewer)[3]; math.Abs(share-Classes[3].Share) <= 0.01 {
			t.Errorf("without its text, the share of %s is still %.3f", Multilingual, share)
		}
	})
}

// llama3 is the pre-tokenisation pattern of Llama 3's tokenizer.json.
var llama3 = regexp2.MustCompile(`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|`+
	` ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`, regexp2.None)

func llama3Pieces(text string) (n int) {
	for m, _ := llama3.FindStringMatch(text); m != nil; m, _ = llama3.FindNextMatch(m) {
		n++
	}
	return n
}

// mix returns the share of each class in the pieces of the documents.
func mix(docs []data.Document) []float64 {
	shares, total := make([]float64, len(Classes)), 0.0
	for _, d := range docs {
		for c := range Classes {
			if d.Meta["class"] == Classes[c].Name {
				n := float64(llama3Pieces(d.Text))
				shares[c] += n
				total += n
			}
		}
	}
	for c := range shares {
		shares[c] /= total
	}
	return shares
}

func TestDocumentsAreDistinct(t *testing.T) {
	w := theWorld(t)
	seen := map[string]bool{}
	for _, d := range append(append([]data.Document{}, w.HeldOutDocuments...), w.Documents...) {
		if seen[d.Text] {
			t.Fatalf("two documents are the same:\n%s", d.Text)
		}
		if seen[d.Text] = true; strings.ContainsAny(d.Text, "{}") || strings.Contains(d.Text, "..") {
			t.Errorf("a document was not filled in properly:\n%s", d.Text)
		}
	}
}

// Physics of Language Models 3.1: a fact must be read in several wordings
// before questions about it can be answered.
func TestFactsAreStatedOften(t *testing.T) {
	w := theWorld(t)
	l := invent(Defaults().Seed)
	said := map[string]int{}
	for _, d := range w.Documents {
		for line := range strings.Lines(d.Text) {
			for _, sentence := range strings.SplitAfter(strings.TrimSpace(line), ". ") {
				said[strings.TrimSpace(sentence)]++
			}
		}
	}
	for _, i := range l.items {
		if i.Exercise || i.Class == Code {
			continue
		}
		wordings, times := 0, 0
		for _, s := range i.Statements {
			times += said[s]
			if said[s] > 0 {
				wordings++
			}
		}
		if wordings < 3 || times < 30 {
			t.Errorf("%s of %s is stated %d times in %d wordings", i.Task, i.Fact, times, wordings)
		}
	}
}

func TestItems(t *testing.T) {
	l := invent(1)
	questions := map[string]string{}
	for _, i := range l.items {
		if len(i.Questions) < 2 || len(i.Statements) < 2 || len(i.Wrong) == 0 {
			t.Errorf("%s of %s has %d questions, %d statements, %d wrong answers", i.Task, i.Fact, len(i.Questions), len(i.Statements), len(i.Wrong))
		}
		for _, q := range i.Questions {
			if other, asked := questions[q]; asked {
				t.Errorf("%q is asked about %s and about %s", q, other, i.Fact)
			}
			if questions[q] = i.Fact; strings.ContainsAny(q+i.Reply(i.Answer), "{}") {
				t.Errorf("%q or its reply %q is not filled in", q, i.Reply(i.Answer))
			}
		}
	}
}

// Every response that the world can make gets the verdict that it was made for.
func TestResponses(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, i := range invent(1).items {
		meta := i.Meta()
		for bits := range 8 {
			f := flaws{bits&1 > 0, bits&2 > 0, bits&4 > 0}
			text := i.respond(r, f)
			want := Verdict{Correct: f == flaws{}, Contains: !f.wrong, WellFormed: !f.informal, Concise: !f.verbose}
			if got := Check(meta, text); got != want {
				t.Fatalf("%s, flaws %s: Check(%q) = %+v, want %+v", i.Questions[0], f, text, got, want)
			}
		}
		for _, wrong := range i.Wrong {
			for _, opener := range openers {
				for _, closer := range closers {
					if text := opener + " " + i.Reply(wrong) + " " + closer; containsWord(text, i.Answer) {
						t.Fatalf("the wrong answer %q contains the right one, %q", text, i.Answer)
					}
				}
			}
		}
	}
}

func TestChats(t *testing.T) {
	w := theWorld(t)
	had := map[string]float64{}
	for _, c := range w.Chats {
		if len(c.Messages) != 2 || c.Messages[0].Role != "user" || c.Messages[1].Role != "assistant" {
			t.Fatalf("a chat is %v", c.Messages)
		}
		v := Check(c.Meta, c.Messages[1].Content)
		if v.Correct != (c.Meta["flaws"] == "none") {
			t.Errorf("flaws %s, but the verdict of %q is %+v", c.Meta["flaws"], c.Messages[1].Content, v)
		}
		for flaw, has := range map[string]bool{"wrong": !v.Contains, "verbose": !v.Concise, "informal": !v.WellFormed, "any": !v.Correct} {
			if has {
				had[flaw] += 1 / float64(len(w.Chats))
			}
		}
	}
	rates := Defaults().Demonstrations
	any := 1 - (1-rates.Wrong)*(1-rates.Verbose)*(1-rates.Informal)
	for flaw, want := range map[string]float64{"wrong": rates.Wrong, "verbose": rates.Verbose, "informal": rates.Informal, "any": any} {
		if four := 4 * math.Sqrt(want*(1-want)/float64(len(w.Chats))); math.Abs(had[flaw]-want) > four {
			t.Errorf("%.3f of the chats are %s, want %.3f within %.3f", had[flaw], flaw, want, four)
		}
	}
}

func TestPreferences(t *testing.T) {
	w := theWorld(t)
	strengths := map[int]int{}
	mended := 0
	for _, p := range append(append([]data.Preference{}, w.Preferences...), w.HeldOutPreferences...) {
		chosen, rejected := Check(p.Meta, p.Chosen[0].Content), Check(p.Meta, p.Rejected[0].Content)
		if chosen.Grade() <= rejected.Grade() || (rejected.Contains && !chosen.Contains) {
			t.Errorf("%q: chosen %q is no better than rejected %q", p.Prompt[0].Content, p.Chosen[0].Content, p.Rejected[0].Content)
		}
		if p.Strength != min(4, chosen.Grade()-rejected.Grade()) {
			t.Errorf("strength %d for grades %d and %d", p.Strength, chosen.Grade(), rejected.Grade())
		}
		if p.Edited != nil {
			mended++
			if chosen.Correct || !Check(p.Meta, p.Edited[0].Content).Correct {
				t.Errorf("%q was edited to %q", p.Chosen[0].Content, p.Edited[0].Content)
			}
		}
		strengths[p.Strength]++
	}
	for strength := 1; strength <= 4; strength++ {
		if strengths[strength] < 200 {
			t.Errorf("only %d pairs of strength %d", strengths[strength], strength)
		}
	}
	if mended < 200 {
		t.Errorf("only %d chosen responses were edited", mended)
	}
}

func TestTasksAreBalanced(t *testing.T) {
	w := theWorld(t)
	for name, chats := range map[string][]data.Chat{"chats": w.Chats, "prompts": w.Prompts, "held-out prompts": w.HeldOut} {
		tasks := map[string]int{}
		for _, c := range chats {
			tasks[c.Meta["task"]]++
		}
		if len(tasks) != 24 {
			t.Errorf("the %s have %d tasks, want 24", name, len(tasks))
		}
		for task, n := range tasks {
			if n < 12 || n > len(chats)/10 {
				t.Errorf("%d of %d %s are of task %s", n, len(chats), name, task)
			}
		}
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
		{"too many questions", func(s *Settings) { s.HeldOut = 100_000 }, "held-out prompts: 100000 questions asked for"},
		{"too many chats", func(s *Settings) { s.Chats = 100_000 }, "chats: 100000 questions asked for"},
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

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "world")
	s := small(5)
	if err := Write(dir, s); err != nil {
		t.Fatal(err)
	}
	w, err := Generate(s)
	if err != nil {
		t.Fatal(err)
	}
	same(t, filepath.Join(dir, DocumentsFile), w.Documents)
	same(t, filepath.Join(dir, HeldOutDocumentsFile), w.HeldOutDocuments)
	same(t, filepath.Join(dir, ChatsFile), w.Chats)
	same(t, filepath.Join(dir, PreferencesFile), w.Preferences)
	same(t, filepath.Join(dir, HeldOutPreferencesFile), w.HeldOutPreferences)
	same(t, filepath.Join(dir, PromptsFile), w.Prompts)
	same(t, filepath.Join(dir, HeldOutFile), w.HeldOut)
}

// same checks that the table at path has the rows, with ids filled in.
func same[T data.Row](t *testing.T, path string, want []T) {
	t.Helper()
	got, h, err := data.ReadAll[T](path)
	if err != nil {
		t.Fatal(err)
	}
	if h.Stage != Source || h.Seed != 5 {
		t.Errorf("%s has header %+v", path, h)
	}
	ids := map[string]bool{}
	for _, row := range want {
		id := data.ContentID(row)
		if ids[id] {
			t.Errorf("%s has two rows %s", path, id)
		}
		ids[id] = true
	}
	if d := cmp.Diff(got, want, ignoreID, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s:\n%s", path, d)
	}
}

// ignoreID: the writer fills the ids in.
var ignoreID = cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Origin.ID" }, cmp.Ignore())
