package report

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
)

func TestExampleShowsBestMedianAndWorst(t *testing.T) {
	row := func(scores ...float64) table.Sample {
		var r table.Sample
		for k := range scores {
			r.Candidates = append(r.Candidates, table.Candidate{K: k, Score: &scores[k]})
		}
		return r
	}
	yes, no := true, false
	unscored := table.Sample{Candidates: []table.Candidate{{K: 0, Correct: &no}, {K: 1, Correct: &yes}, {K: 2}}}
	for _, c := range []struct {
		row  table.Sample
		want string
	}{
		{row(1, 5, 3, 2, 4), "best1 median2 worst0"},
		{row(1, 2), "best1 worst0"},
		{row(7), "sample0"},
		{row(2, 2, 2), "sample0"},
		{unscored, "best1 median0 worst2"},
	} {
		var got []string
		for _, r := range newExample("", c.row).Responses {
			got = append(got, r.Rank+string(rune('0'+r.K)))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("got %v, want %s", got, c.want)
		}
	}
}

// TestExamplesAreAFairChoice offers many prompts: the few that are kept are the
// first by place, and over many seeds the first half of the table has half of them.
func TestExamplesAreAFairChoice(t *testing.T) {
	rows := newWorld(1).rows(100, each(1))
	early, all := 0, 0
	for seed := range uint64(200) {
		b := New(Options{Seed: seed})
		for _, row := range rows {
			b.Add(row)
		}
		examples, sorted := b.shelf.examples(), b.sorted()
		for i, e := range examples {
			if e.ID != sorted[i].id {
				t.Fatalf("example %d is %s, first by place is %s", i, e.ID, sorted[i].id)
			}
			all++
			if e.ID < "gsm8k-00050" {
				early++
			}
		}
	}
	if share := float64(early) / float64(all); all != 200*mostExamples || share < 0.45 || share > 0.55 {
		t.Errorf("%d examples, %g of the first half", all, share)
	}
}

func TestLongConversationsAreCut(t *testing.T) {
	var row table.Sample
	for i := range 20 {
		row.Prompt = append(row.Prompt, chat.Message{Role: "user", Content: string(rune('a' + i))})
	}
	row.Candidates = []table.Candidate{{Text: strings.Repeat("é", 10000) + "the end"}}
	e := newExample("", row)
	if len(e.Prompt) != mostTurns || e.Prompt[mostTurns-1].Text != "t" {
		t.Errorf("prompt %+v", e.Prompt)
	}
	text := e.Responses[0].Text
	if n := utf8.RuneCountInString(text); n > mostResponse+40 || !strings.HasSuffix(text, "the end") || !strings.Contains(text, "[… 8507 characters …]") {
		t.Errorf("%d characters: %.60s", n, text[len(text)-60:])
	}
}

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"a\tb\nc":              "a\tb\nc",
		"a\r\nb\rc":            "a\nb␍c",
		"\x00\x1b[31m\x7f":     "␀␛[31m⟨U+007F⟩",
		"\u202eabc\u2066d":     "⟨U+202E⟩abc⟨U+2066⟩d",
		"👩\u200d👧 שלום \ufffd": "👩\u200d👧 שלום \ufffd",
		"\ufeff\uffff":         "⟨U+FEFF⟩⟨U+FFFF⟩",
	} {
		if got := visible(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestShortenKeepsWhatIsShort(t *testing.T) {
	for _, s := range []string{"", "abc", strings.Repeat("é", 80), strings.Repeat("é", 81)} {
		if got := shorten(s, 80); (got == s) != (utf8.RuneCountInString(s) <= 80) {
			t.Errorf("%q: %q", s, got)
		}
	}
	if !slices.Contains([]string{"\ufffd\ufffd", "\ufffd"}, shorten("\xff\xfe", 80)) {
		t.Errorf("%q", shorten("\xff\xfe", 80))
	}
}
