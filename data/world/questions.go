package world

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/judge/rule"
)

// query is an item in one of its wordings.
type query struct {
	item     *Item
	question string
}

// ask fills in all tables of questions.
func (l *lore) ask(s Settings, w *World) error {
	section := func(name string, n int, use func(*rand.Rand, query), from ...Split) error {
		r := stream(s.Seed, name)
		queries, err := draw(r, l.splits.in(l.items, from...), n)
		if err != nil {
			return fmt.Errorf("world: %s: %w", name, err)
		}
		for _, q := range queries {
			use(r, q)
		}
		return nil
	}
	demonstrate := func(r *rand.Rand, q query) { w.Chats = append(w.Chats, q.demonstrate(r, s.Demonstrations)) }
	prompt := func(_ *rand.Rand, q query) { w.Prompts = append(w.Prompts, q.prompt()) }
	hold := func(_ *rand.Rand, q query) { w.HeldOut = append(w.HeldOut, q.prompt()) }
	compare := func(r *rand.Rand, q query) { w.Preferences = append(w.Preferences, q.compare(r, s.Policy)) }
	compareHeld := func(r *rand.Rand, q query) {
		w.HeldOutPreferences = append(w.HeldOutPreferences, q.compare(r, s.Policy))
	}
	return errors.Join(
		section("chats", s.Chats, demonstrate, Demonstration),
		section("prompts", s.Prompts, prompt, Pool),
		section("preferences", s.Preferences, compare, Demonstration, Pool),
		section("held-out prompts", s.HeldOut, hold, HeldOut),
		section("held-out preferences", s.HeldOutPreferences, compareHeld, HeldOut),
	)
}

// draw returns n distinct questions. Every task has the same number, as far as its items allow,
// and every item appears once before any appears again in another wording.
func draw(r *rand.Rand, items []Item, n int) ([]query, error) {
	var decks [][]query
	for _, task := range byTask(items) {
		decks = append(decks, deck(r, task))
	}
	var drawn []query
	for round := 0; len(drawn) < n; round++ {
		before := len(drawn)
		for _, d := range decks {
			if round < len(d) {
				drawn = append(drawn, d[round])
			}
		}
		if len(drawn) == before {
			return nil, fmt.Errorf("expected %d questions, but this split of the world has %d: lower the setting", n, before)
		}
	}
	drawn = drawn[:n]
	r.Shuffle(n, func(i, j int) { drawn[i], drawn[j] = drawn[j], drawn[i] })
	return drawn, nil
}

// deck returns all questions about the items in random order: each item once, then each once
// more in another wording, and so on.
func deck(r *rand.Rand, items []Item) []query {
	phrasings := make([][]int, len(items))
	for i := range items {
		phrasings[i] = r.Perm(len(items[i].Questions))
	}
	var all []query
	for round, more := 0, true; more; round++ {
		more = false
		for _, i := range r.Perm(len(items)) {
			if round < len(phrasings[i]) {
				more = true
				all = append(all, query{&items[i], items[i].Questions[phrasings[i][round]]})
			}
		}
	}
	return all
}

func (q query) origin() table.Origin { return table.Origin{Source: Source, Meta: q.item.Meta()} }

// prompt returns the question alone.
func (q query) prompt() table.Chat {
	return table.Chat{Origin: q.origin(), Messages: []chat.Message{user(q.question)}}
}

// demonstrate returns the question with an annotator's response. The meta column "flaws" lists
// the annotator's mistakes.
func (q query) demonstrate(r *rand.Rand, rates Rates) table.Chat {
	c, f := q.prompt(), rates.draw(r)
	c.Meta["flaws"] = f.String()
	c.Messages = append(c.Messages, assistant(q.item.respond(r, f)))
	return c
}

var annotators = []string{"annotator-1", "annotator-2", "annotator-3", "annotator-4"}

// edited is the share of imperfect chosen responses that the annotator corrects.
const edited = 0.3

// compare has an annotator judge two responses of a policy with these flaws. It draws again if
// both have the same grade, because such a pair teaches nothing.
func (q query) compare(r *rand.Rand, rates Rates) table.Preference {
	meta := q.item.Meta()
	var chosen, rejected string
	gap := 0
	for gap == 0 {
		chosen, rejected = q.item.respond(r, rates.draw(r)), q.item.respond(r, rates.draw(r))
		gap = rule.GradeOf(meta, chosen).Points() - rule.GradeOf(meta, rejected).Points()
	}
	if gap < 0 {
		chosen, rejected, gap = rejected, chosen, -gap
	}
	p := table.Preference{
		Origin: table.Origin{Source: Source, Meta: meta}, Prompt: []chat.Message{user(q.question)},
		Chosen: []chat.Message{assistant(chosen)}, Rejected: []chat.Message{assistant(rejected)},
		Strength: min(gap, 4), Annotator: pick(r, annotators),
	}
	if best := q.item.Reply(q.item.Answer); chosen != best && r.Float64() < edited {
		p.Edited = []chat.Message{assistant(best)}
	}
	return p
}
