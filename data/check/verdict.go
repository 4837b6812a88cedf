package check

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// commandVerdict is the line that a command may end its output with. What it
// does not say follows from the rest: a response that scores less than 1 is not
// correct unless it says so, and without either the exit code decides.
type commandVerdict struct {
	Score   *float64 `json:"score"` // 0 to 1
	Correct *bool    `json:"correct"`
	Note    string   `json:"note"`
}

// verdict joins what a command said with how it ended.
func verdict(success bool, output, errput *tail) (Outcome, error) {
	line, whole := output.lastLine()
	if !whole {
		return Outcome{}, fmt.Errorf("the last line of its output is longer than %d KiB", maxOutput>>10)
	}
	if !strings.HasPrefix(line, "{") {
		if line == "" && !success {
			line, _ = errput.lastLine() // a program that broke may end like one that says no
		}
		return judged(success, "%s", brief(line)), nil
	}
	v, err := parseVerdict(line)
	if err != nil {
		return Outcome{}, fmt.Errorf("%w in the last line of its output: %s", err, brief(line))
	}
	o := judged(success, "%s", brief(v.Note))
	switch {
	case v.Score != nil && v.Correct != nil:
		o.Score, o.Correct = *v.Score, *v.Correct
	case v.Score != nil:
		o.Score, o.Correct = *v.Score, *v.Score == 1
	case v.Correct != nil:
		o = judged(*v.Correct, "%s", o.Note)
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

// tail keeps the last of what is written to it.
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

// lastLine returns the last line that is not blank, and whether all of it was kept.
func (t *tail) lastLine() (line string, whole bool) {
	text := bytes.TrimSpace(t.kept)
	from := bytes.LastIndexByte(text, '\n') + 1
	return string(bytes.TrimSpace(text[from:])), from > 0 || !t.cut
}
