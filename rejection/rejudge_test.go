package rejection

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/judge/rule"
)

// TestQuestionChanged: with another reference what was drawn is judged again.
func TestQuestionChanged(t *testing.T) {
	s := fixture(t, 0)
	s.Reward, s.Check, s.Pick.CutOff = "", rule.Settings{Kind: rule.Regex, Pattern: "(.)"}, true
	write := func(answer string) {
		row := ask("1", "What?", chat.Message{Role: "assistant", Content: answer})
		if err := table.WriteAll(s.Prompts[0], table.Header{}, []table.Chat{row}); err != nil {
			t.Fatal(err)
		}
	}
	write("\x01") // no answer begins so
	if err := Run(t.Context(), s, Options{}); err == nil || !strings.Contains(err.Error(), "0 were correct") {
		t.Fatalf("no answer is right: error %v", err)
	}
	rows, _, err := table.ReadAll[table.Sample](filepath.Join(s.Out, SamplesFile))
	if err != nil {
		t.Fatal(err)
	}
	write(string([]rune(rows[0].Candidates[0].Text)[:1]))
	var sum Summary
	if err := Run(t.Context(), s, Options{Mode: run.Mode{Resume: true}, Summarise: func(got Summary) { sum = got }}); err != nil {
		t.Fatal(err)
	}
	if sum.Drawn != 0 || sum.Correct == 0 {
		t.Errorf("%+v", sum)
	}
}

// TestOtherJudge: another kind of judge leaves nothing of what the one before it said.
func TestOtherJudge(t *testing.T) {
	s := fixture(t, 5)
	s.Pick.CutOff = true
	if err := Run(t.Context(), s, Options{}); err != nil {
		t.Fatal(err)
	}
	s.Reward, s.Check = "", rule.Settings{Kind: rule.Regex, Pattern: "."}
	whole := s
	whole.Out += "-whole"
	if err := Run(t.Context(), whole, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), s, Options{Mode: run.Mode{Resume: true}}); err != nil || !bytes.Equal(written(t, s.Out), written(t, whole.Out)) {
		t.Errorf("other files than those of a run with that judge alone, or error %v", err)
	}
}
