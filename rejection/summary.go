package rejection

import (
	"fmt"
	"strings"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/eval/report"
)

// Summary counts the results of a run.
type Summary struct {
	Prompts     int      `json:"prompts"`
	Skipped     []string `json:"skipped,omitempty"`  // ids of prompts that were too long
	Repeated    int      `json:"repeated,omitempty"` // rows that repeat the prompt of a row before them, with its id
	Samples     int      `json:"samples"`
	Drawn       int      `json:"drawn"`             // samples that were not there when the run began or was resumed
	CutOff      int      `json:"cut_off"`           // samples that reached the limit on tokens
	Duplicates  int      `json:"duplicates"`        // samples with the same text as another sample of the prompt
	Checked     int      `json:"checked,omitempty"` // samples that a checker judged
	Correct     int      `json:"correct,omitempty"` // those of them that it found correct
	Solved      int      `json:"solved,omitempty"`  // prompts with a correct sample
	Picked      int      `json:"picked"`            // prompts with a response to learn from
	Chats       int      `json:"chats"`
	Preferences int      `json:"preferences"`
	MeanScore   float64  `json:"mean_score"`
	BestScore   float64  `json:"best_score"` // mean over prompts of the best sample's

	Report *report.Report `json:"-"`
}

// add counts a prompt, its samples, and the rows made of them.
func (s *Summary) add(row table.Sample, chats int, contrast bool) {
	said := make(map[string]bool)
	sum, correct := 0.0, 0
	for _, c := range row.Candidates {
		s.CutOff += count(c.Finish != sample.Stop)
		text := strings.TrimSpace(c.Text)
		s.Duplicates += count(said[text])
		said[text] = true
		s.Checked += count(c.Correct != nil)
		correct += count(c.Correct != nil && *c.Correct)
		sum += *c.Score
	}
	n, prompts := len(row.Candidates), s.Prompts+1
	s.MeanScore += (sum/float64(n) - s.MeanScore) * float64(n) / float64(s.Samples+n)
	s.BestScore += (*row.Candidates[Best(row.Candidates)].Score - s.BestScore) / float64(prompts)
	s.Prompts, s.Samples = prompts, s.Samples+n
	s.Correct, s.Solved = s.Correct+correct, s.Solved+count(correct > 0)
	s.Chats, s.Picked, s.Preferences = s.Chats+chats, s.Picked+count(chats > 0), s.Preferences+count(contrast)
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// Heavy reports whether more than a tenth of the prompts were skipped.
func (s Summary) Heavy() bool { return 10*len(s.Skipped) > s.Prompts+len(s.Skipped) }

// why says why no response qualified.
func (s Summary) why(settings Settings) string {
	reasons := []string{fmt.Sprintf("of %d samples %d were cut off at max_tokens %d", s.Samples, s.CutOff, settings.MaxTokens)}
	if s.Checked > 0 {
		reasons = append(reasons, fmt.Sprintf("%d were correct", s.Correct))
	}
	return strings.Join(reasons, ", ") + "; " + SamplesFile + " has them all"
}
