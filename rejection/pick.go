package rejection

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
)

// Rules that pick among the responses that qualify.
const (
	PickBest      = "best"      // the response with the highest score
	PickFraction  = "fraction"  // the best Pick.Fraction of the responses, at least one
	PickThreshold = "threshold" // all responses with a score of at least Pick.Threshold
	PickCorrect   = "correct"   // all responses that the rule found correct
)

// Pick controls which responses become chats for training. It excludes truncated responses unless
// CutOff is set, responses that a rule found wrong (except with threshold), and responses with the
// same text as a better one.
type Pick struct {
	Rule      string  `yaml:"rule"`                         // rule that picks responses to train on: best, fraction, threshold or correct
	Fraction  float64 `yaml:"fraction" json:",omitempty"`   // share of responses to pick, best first, if the rule is fraction; more than 0, at most 1
	Threshold float64 `yaml:"threshold" json:",omitempty"`  // minimum score of a response to pick, if the rule is threshold
	MinTokens int     `yaml:"min_tokens" json:",omitempty"` // minimum length of a response to pick, in tokens; 0: any length
	MaxTokens int     `yaml:"max_tokens" json:",omitempty"` // maximum length of a response to pick, in tokens; 0: any length
	CutOff    bool    `yaml:"cut_off" json:",omitempty"`    // also pick responses that max_tokens cut off
}

func (p Pick) validate(checked bool) error {
	switch {
	case !slices.Contains([]string{PickBest, PickFraction, PickThreshold, PickCorrect}, p.Rule):
		return fmt.Errorf("pick.rule is %q, expected best, fraction, threshold or correct", p.Rule)
	case p.Rule == PickFraction && !(p.Fraction > 0 && p.Fraction <= 1):
		return fmt.Errorf("pick.fraction is %g, expected more than 0, at most 1", p.Fraction)
	case p.Rule != PickFraction && p.Fraction != 0:
		return fmt.Errorf("pick.fraction is set, but pick.rule is %s", p.Rule)
	case p.Rule != PickThreshold && p.Threshold != 0:
		return fmt.Errorf("pick.threshold is set, but pick.rule is %s", p.Rule)
	case p.Rule == PickCorrect && !checked:
		return fmt.Errorf("pick.rule is correct, but no rule decides which responses are correct: set check")
	case p.MinTokens < 0:
		return fmt.Errorf("pick.min_tokens is %d, expected 0 or more", p.MinTokens)
	case p.MaxTokens < 0 || p.MaxTokens > 0 && p.MaxTokens < p.MinTokens:
		return fmt.Errorf("pick.max_tokens is %d, expected at least pick.min_tokens, or 0 for any length", p.MaxTokens)
	}
	return nil
}

// choose returns the indices of the candidates to train on, the best first.
func (p Pick) choose(candidates []table.Candidate) []int {
	ranked := p.ranked(candidates)
	switch p.Rule {
	case PickBest:
		return ranked[:min(1, len(ranked))]
	case PickFraction:
		const slack = 1e-9 // 0.3 of 10 is 3
		n := max(1, int(p.Fraction*float64(len(ranked))+slack))
		return ranked[:min(n, len(ranked))]
	case PickThreshold:
		return slices.DeleteFunc(ranked, func(i int) bool { return *candidates[i].Score < p.Threshold })
	}
	return ranked
}

// ranked returns the candidates that qualify, by falling score, and ties in order. Of candidates
// with the same text it returns the best only.
func (p Pick) ranked(candidates []table.Candidate) []int {
	var list []int
	for i, c := range candidates {
		if p.allows(c) {
			list = append(list, i)
		}
	}
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(*candidates[b].Score, *candidates[a].Score) })
	said := make(map[string]bool)
	return slices.DeleteFunc(list, func(i int) bool {
		text := strings.TrimSpace(candidates[i].Text)
		again := said[text]
		said[text] = true
		return again
	})
}

func (p Pick) allows(c table.Candidate) bool {
	n := length(c)
	return (c.Finish == sample.Stop || p.CutOff) &&
		(c.Correct == nil || *c.Correct || p.Rule == PickThreshold) &&
		n >= p.MinTokens && (p.MaxTokens == 0 || n <= p.MaxTokens)
}

// length returns the tokens of a response, or its words if a server returned no tokens.
func length(c table.Candidate) int {
	if len(c.IDs) > 0 {
		return len(c.IDs)
	}
	return len(strings.Fields(c.Text))
}

// chats returns the prompt with each picked response.
func (p Pick) chats(row table.Sample) []table.Chat {
	var list []table.Chat
	for _, i := range p.choose(row.Candidates) {
		list = append(list, table.Chat{
			Origin:   derived(row),
			Messages: slices.Concat(row.Prompt, example.Reply(row.Candidates[i].Text)),
			Tools:    row.Tools,
		})
	}
	return list
}

// preference returns the best response that qualifies against the worst of all, if their scores
// are at least gap apart and their texts differ. If a rule judged them, the best must be correct
// and the worst wrong.
func (p Pick) preference(row table.Sample, gap float64) (table.Preference, bool) {
	ranked := p.ranked(row.Candidates)
	if len(ranked) == 0 {
		return table.Preference{}, false
	}
	best, worst := row.Candidates[ranked[0]], row.Candidates[Worst(row.Candidates)]
	lead := *best.Score - *worst.Score
	annotator := "reward model"
	contrast := strings.TrimSpace(best.Text) != strings.TrimSpace(worst.Text)
	if best.Correct != nil && worst.Correct != nil {
		annotator = "checker"
		contrast = contrast && *best.Correct && !*worst.Correct
	}
	return table.Preference{
		Origin: derived(row), Prompt: row.Prompt, Tools: row.Tools,
		Chosen: example.Reply(best.Text), Rejected: example.Reply(worst.Text),
		ChosenScore: best.Score, RejectedScore: worst.Score, Annotator: annotator,
	}, lead > 0 && lead >= gap && contrast
}

func derived(row table.Sample) table.Origin {
	return table.Origin{Source: "rejection", Parents: []string{row.ID}, Meta: row.Meta, Extra: row.Extra}
}

// Best returns the index of the candidate with the highest score, the first of equals. A truncated
// candidate ranks below all complete ones.
func Best(candidates []table.Candidate) int {
	best := 0
	for i, c := range candidates {
		if better(c, candidates[best]) {
			best = i
		}
	}
	return best
}

// Worst returns the index of the candidate with the lowest score, the first of equals.
func Worst(candidates []table.Candidate) int {
	worst := 0
	for i, c := range candidates {
		if *c.Score < *candidates[worst].Score {
			worst = i
		}
	}
	return worst
}

func better(a, b table.Candidate) bool {
	if aCut, bCut := a.Finish != sample.Stop, b.Finish != sample.Stop; aCut != bCut {
		return bCut
	}
	return *a.Score > *b.Score
}
