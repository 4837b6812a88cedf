package rule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/herd-lm/herd/judge"
)

// commandVerdict is the JSON line that a command may end its output with. If it gives a score
// and no correctness, only a score of 1 is correct. If it gives neither, the exit code decides.
type commandVerdict struct {
	Score   *float64 `json:"score"` // 0 to 1
	Correct *bool    `json:"correct"`
	Note    string   `json:"note"`
}

// verdictOf returns the verdict of a command that ended: its output, if it has one, else
// whether it succeeded.
func verdictOf(success bool, output, errput *tail) (judge.Verdict, error) {
	line, whole := output.lastLine()
	if !whole {
		return judge.Verdict{}, fmt.Errorf("the last line of its output is longer than %d KiB", maxOutput>>10)
	}
	if !strings.HasPrefix(line, "{") {
		if line == "" && !success {
			line, _ = errput.lastLine() // a program that crashed may exit with 1 too: show its last words
		}
		return verdict(success, "%s", brief(line)), nil
	}
	v, err := parseVerdict(line)
	if err != nil {
		return judge.Verdict{}, fmt.Errorf("%w in the last line of its output: %s", err, brief(line))
	}
	o := verdict(success, "%s", brief(v.Note))
	switch {
	case v.Score != nil && v.Correct != nil:
		o.Score, o.Correct = *v.Score, judge.CorrectIf(*v.Correct)
	case v.Score != nil:
		o.Score, o.Correct = *v.Score, judge.CorrectIf(*v.Score == 1)
	case v.Correct != nil:
		o = verdict(*v.Correct, "%s", o.Note)
	}
	return o, nil
}

func parseVerdict(line string) (v commandVerdict, err error) {
	d := json.NewDecoder(strings.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, err
	}
	if _, err := d.Token(); err != io.EOF {
		return v, errors.New("more than one JSON value")
	}
	if v.Score != nil && !(*v.Score >= 0 && *v.Score <= 1) {
		return v, fmt.Errorf("a score of %g, expected 0 to 1,", *v.Score)
	}
	return v, nil
}

// tail keeps the last maxOutput bytes that are written to it.
type tail struct {
	kept []byte
	cut  bool
}

func (t *tail) Write(b []byte) (int, error) {
	t.kept = append(t.kept, b...)
	if over := len(t.kept) - maxOutput; over > 0 {
		t.kept, t.cut = append(t.kept[:0], t.kept[over:]...), true
	}
	return len(b), nil
}

// lastLine returns the last line that is not blank, and whether tail kept all of it.
func (t *tail) lastLine() (line string, whole bool) {
	text := bytes.TrimSpace(t.kept)
	from := bytes.LastIndexByte(text, '\n') + 1
	return string(bytes.TrimSpace(text[from:])), from > 0 || !t.cut
}
