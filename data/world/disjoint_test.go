package world

import (
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/herd-lm/herd/data/table"
)

// exercises finds exercises in any text by their content. The names on the left identify the
// same exercise in other words.
var exercises = []struct {
	kind    string
	ordered bool
	pattern *regexp.Regexp
}{
	{"sum", false, regexp.MustCompile(`(\d+) (?:\+|plus) (\d+)`)},
	{"sum", false, regexp.MustCompile(`(?:[Ss]um of|Add) (\d+) and (\d+)`)},
	{"sum", false, regexp.MustCompile(`\w\((\d+), (\d+)\)`)},
	{"sum", false, regexp.MustCompile(`x = (\d+)(?:; |\n)print\(x \+ (\d+)\)`)},
	{"sum", false, regexp.MustCompile(`ha[sd] (\d+) \w+ and (?:gets|then found) (\d+)`)},
	{"difference", true, regexp.MustCompile(`(\d+) (?:-|minus) (\d+)`)},
	{"difference", true, regexp.MustCompile(`difference of (\d+) and (\d+)`)},
	{"difference", true, regexp.MustCompile(`Take (?P<b>\d+) from (?P<a>\d+)`)},
	{"difference", true, regexp.MustCompile(`ha[sd] (\d+) \w+ and (?:gives|then lost) (\d+)`)},
	{"order", false, regexp.MustCompile(`(\d+) is (?:greater|smaller) than (\d+)`)},
	{"order", false, regexp.MustCompile(`(?:greater|smaller), (\d+) or (\d+)`)},
	{"order", false, regexp.MustCompile(`Of (\d+) and (\d+)`)},
	{"numbers", false, regexp.MustCompile(`[\[(](\d+), (\d+), (\d+)[\])]`)},
	{"letters", true, regexp.MustCompile(`(?:len\(|x = )"(\w+)"`)},
	{"words", true, regexp.MustCompile(`\["(\w+)", "(\w+)", "(\w+)"\]`)},
	{"sentence", true, regexp.MustCompile(`((?:J'ai|Ich habe|Tengo) \pL+ \pL+)`)},
}

// found returns the exercises in text.
func found(text string) []string {
	var keys []string
	for _, e := range exercises {
		for _, m := range e.pattern.FindAllStringSubmatch(text, -1) {
			parts := m[1:]
			if e.pattern.SubexpIndex("b") == 1 {
				slices.Reverse(parts)
			}
			if !e.ordered {
				sort.Strings(parts)
			}
			keys = append(keys, e.kind+" "+strings.Join(parts, " "))
		}
	}
	return keys
}

// asked returns the subjects of a row of questions, by its text alone: the exercises in it, and
// for facts the one sentence that answers it.
func asked(meta map[string]string, question string) []string {
	keys := found(question)
	if len(keys) == 0 {
		keys = []string{meta["accept"]}
	}
	return append(keys, question)
}

type row struct {
	where, question string
	meta            map[string]string
	texts           []string
}

func rows(where string, chats []table.Chat, prefs []table.Preference) []row {
	var all []row
	for _, c := range chats {
		r := row{where: where, question: c.Messages[0].Content, meta: c.Meta}
		for _, m := range c.Messages {
			r.texts = append(r.texts, m.Content)
		}
		all = append(all, r)
	}
	for _, p := range prefs {
		r := row{where: where, question: p.Prompt[0].Content, meta: p.Meta}
		for _, m := range slices.Concat(p.Prompt, p.Chosen, p.Rejected, p.Edited) {
			r.texts = append(r.texts, m.Content)
		}
		all = append(all, r)
	}
	return all
}

// overlaps returns the subjects of second that are also in first.
func overlaps(first, second []row) []string {
	has := map[string]string{}
	for _, r := range first {
		for _, key := range asked(r.meta, r.question) {
			has[key] = r.where
		}
	}
	var both []string
	for _, r := range second {
		for _, key := range asked(r.meta, r.question) {
			if where, is := has[key]; is {
				both = append(both, fmt.Sprintf("%s: %q is in %s too (%s)", r.where, r.question, where, key))
			}
		}
	}
	return both
}

func TestDisjoint(t *testing.T) {
	w := theWorld(t)
	chats, prompts, prefs := rows("chats", w.Chats, nil), rows("prompts", w.Prompts, nil), rows("preferences", nil, w.Preferences)
	held := append(rows("held-out prompts", w.HeldOut, nil), rows("held-out preferences", nil, w.HeldOutPreferences)...)
	for _, pair := range [][2][]row{{chats, prompts}, {chats, held}, {prompts, held}, {prefs, held}} {
		both := overlaps(pair[0], pair[1])
		for _, o := range both[:min(len(both), 5)] {
			t.Error(o)
		}
	}
	t.Run("planted", func(t *testing.T) {
		if len(overlaps(prompts, prefs)) == 0 {
			t.Error("preferences are drawn from the prompts' facts, but no overlap was seen")
		}
	})
	t.Run("planted, in other words", func(t *testing.T) {
		first := rows("a", []table.Chat{(query{&Item{reply: "The sum is {V}."}, "How much is 8 plus 17?"}).prompt()}, nil)
		second := rows("b", []table.Chat{(query{&Item{reply: "It prints {V}."}, "What does x = 17; print(x + 8) print?"}).prompt()}, nil)
		if got := overlaps(first, second); len(got) != 1 {
			t.Errorf("8 plus 17 and a program that adds 17 and 8: overlaps %q, want one", got)
		}
	})
}

// A held-out question is about a person, town, animal or word of no training question, and no
// response gives its answer away.
func TestHeldOutAnswersAreUnseen(t *testing.T) {
	w := theWorld(t)
	responses := map[string]string{}
	for _, r := range append(rows("chats", w.Chats, nil), rows("preferences", nil, w.Preferences)...) {
		for _, text := range r.texts {
			responses[text] = r.where
		}
	}
	for _, c := range w.HeldOut {
		if class := c.Meta["class"]; class != General && class != Multilingual || c.Meta["task"] == "sentence" {
			continue // "The sum is 25." answers many questions, and wrong translations are other sentences
		}
		if where, seen := responses[c.Meta["accept"]]; seen {
			t.Errorf("%q, the answer to a held-out question, is in the %s", c.Meta["accept"], where)
		}
	}
}

// leaks returns the held-out exercises that are in the documents, in any wording.
func leaks(docs []table.Document, heldOut []table.Chat) []string {
	held := map[string]bool{}
	for _, c := range heldOut {
		for _, key := range found(c.Messages[0].Content + " " + c.Meta["accept"]) {
			held[key] = c.Meta["task"] != "len" // which documents state, for every word
		}
	}
	var leaked []string
	for _, d := range docs {
		for _, key := range found(d.Text) {
			if held[key] {
				leaked = append(leaked, key+" in: "+d.Text)
			}
		}
	}
	return leaked
}

func TestDocumentsHoldExercisesBack(t *testing.T) {
	w := theWorld(t)
	for _, docs := range [][]table.Document{w.Documents, w.HeldOutDocuments} {
		leaked := leaks(docs, w.HeldOut)
		for _, l := range leaked[:min(len(leaked), 5)] {
			t.Error(l)
		}
	}
	for _, c := range w.HeldOut {
		for _, d := range w.Documents {
			if strings.Contains(d.Text, c.Messages[0].Content) {
				t.Errorf("a document asks the held-out question %q", c.Messages[0].Content)
			}
		}
	}
}

func TestDocumentsHoldExercisesBackPlanted(t *testing.T) {
	w := theWorld(t)
	for _, c := range w.HeldOut {
		if task := c.Meta["task"]; c.Meta["class"] == General || task == "len" || task == "translate" || task == "means" {
			continue
		}
		planted := []table.Document{{Text: "Before. " + c.Messages[0].Content + " After. " + c.Meta["answer"] + "."}}
		if len(leaks(planted, w.HeldOut)) == 0 {
			t.Errorf("the leak of %q was not seen", c.Messages[0].Content)
		}
	}
	for _, text := range []string{"17 + 8 = 25", "8 plus 17", "The sum of 8 and 17", "add(8, 17)", "x = 17\nprint(x + 8)"} {
		if got := found(text); !slices.Contains(got, "sum 17 8") {
			t.Errorf("found(%q) = %q", text, got)
		}
	}
	for _, text := range []string{"25 - 8 = 17", "Take 8 from 25.", "Tom has 25 pens and gives 8 away"} {
		if got := found(text); !slices.Contains(got, "difference 25 8") {
			t.Errorf("found(%q) = %q", text, got)
		}
	}
}
