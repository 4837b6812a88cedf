package recipes

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/herd-lm/herd/data/table"
)

// Example is a held-out prompt with the answer of each stage.
type Example struct {
	Prompt  string
	Answers []StageAnswer
}

// StageAnswer is the answer of one stage.
type StageAnswer struct {
	Stage, Text string
	Correct     bool
}

// Examples returns the first prompts, up to n, which some stages of a finished run answer
// correctly and others do not: they show what training has changed.
func (r *Recipe) Examples(dir string, n int) ([]Example, error) {
	if r.Evaluate.Prompts == "" {
		return nil, nil
	}
	e := engine{Recipe: r, dir: dir}
	prompts, _, err := table.ReadAll[table.Chat](e.table(r.Evaluate.Prompts))
	if err != nil {
		return nil, err
	}
	var names []string
	var evaluations []evaluation
	for _, s := range r.Stages {
		one, err := storedEvaluation(filepath.Join(dir, s.Name))
		if err != nil {
			return nil, err
		}
		if len(one.Answers) == len(prompts) {
			names, evaluations = append(names, s.Name), append(evaluations, one)
		}
	}
	var examples []Example
	for i, p := range prompts {
		x := Example{Prompt: p.Messages[len(p.Messages)-1].Content}
		right := 0
		for k, one := range evaluations {
			a := one.Answers[i]
			x.Answers = append(x.Answers, StageAnswer{names[k], a.Text, a.Correct()})
			if a.Correct() {
				right++
			}
		}
		if right > 0 && right < len(evaluations)-1 && len(examples) < n {
			examples = append(examples, x)
		}
	}
	return examples, nil
}

// storedEvaluation reads the stored measures of a stage, whatever settings they had.
func storedEvaluation(stageDir string) (evaluation, error) {
	var e evaluation
	path := filepath.Join(stageDir, evaluationFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return e, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &e)
	}
	if err != nil {
		return e, fmt.Errorf("%s: %w", path, err)
	}
	return e, nil
}
