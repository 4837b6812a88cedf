package world

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/judge/rule"
)

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

// Every response of the world gets the verdict for which it was made.
func TestResponses(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, i := range invent(1).items {
		meta := i.Meta()
		for bits := range 8 {
			f := flaws{bits&1 > 0, bits&2 > 0, bits&4 > 0}
			text := i.respond(r, f)
			want := rule.Grade{Correct: f == flaws{}, Contains: !f.wrong, WellFormed: !f.informal, Concise: !f.verbose}
			if got := rule.GradeOf(meta, text); got != want {
				t.Fatalf("%s, flaws %s: rule.GradeOf(%q) = %+v, want %+v", i.Questions[0], f, text, got, want)
			}
		}
		for _, wrong := range i.Wrong {
			for _, opener := range openers {
				for _, closer := range closers {
					if text := opener + " " + i.Reply(wrong) + " " + closer; rule.ContainsWord(text, i.Answer) {
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
		v := rule.GradeOf(c.Meta, c.Messages[1].Content)
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
	for _, p := range append(append([]table.Preference{}, w.Preferences...), w.HeldOutPreferences...) {
		chosen, rejected := rule.GradeOf(p.Meta, p.Chosen[0].Content), rule.GradeOf(p.Meta, p.Rejected[0].Content)
		if chosen.Points() <= rejected.Points() || (rejected.Contains && !chosen.Contains) {
			t.Errorf("%q: chosen %q is no better than rejected %q", p.Prompt[0].Content, p.Chosen[0].Content, p.Rejected[0].Content)
		}
		if p.Strength != min(4, chosen.Points()-rejected.Points()) {
			t.Errorf("strength %d for grades %d and %d", p.Strength, chosen.Points(), rejected.Points())
		}
		if p.Edited != nil {
			mended++
			if chosen.Correct || !rule.GradeOf(p.Meta, p.Edited[0].Content).Correct {
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
	for name, chats := range map[string][]table.Chat{"chats": w.Chats, "prompts": w.Prompts, "held-out prompts": w.HeldOut} {
		tasks := map[string]int{}
		for _, c := range chats {
			tasks[c.Meta["task"]]++
		}
		if len(tasks) != 24 {
			t.Errorf("the %s have %d tasks, want 24", name, len(tasks))
		}
		for task, n := range tasks {
			if n < 8 || n > len(chats)/10 {
				t.Errorf("%d of %d %s are of task %s", n, len(chats), name, task)
			}
		}
	}
}
