package rule

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// The kinds of rule.
const (
	Exact   = "exact"   // the same text as the reference, or as an accepted text
	Numeric = "numeric" // the same number as the reference
	Regex   = "regex"   // a regular expression matches
	Schema  = "schema"  // JSON that satisfies a JSON schema
	Command = "command" // a program of yours decides
)

// Settings describe one rule: the YAML of `check:`.
type Settings struct {
	Kind   string `yaml:"kind" json:"kind"`               // kind of rule: exact, numeric, regex, schema or command
	Answer string `yaml:"answer" json:"answer,omitempty"` // key of the row's meta that holds the reference; empty: "answer"
	After  string `yaml:"after" json:"after,omitempty"`   // judge only the text after the last occurrence of this string, such as "</think>"

	// For exact, and group 1 of regex.
	IgnoreCase   bool `yaml:"ignore_case" json:"ignore_case,omitempty"`     // exact and regex: ignore case
	IgnoreBlanks bool `yaml:"ignore_blanks" json:"ignore_blanks,omitempty"` // exact and regex: treat any run of blanks as one blank

	// numeric
	Tolerance float64 `yaml:"tolerance" json:"tolerance,omitempty"` // numeric: largest difference from the reference that counts as equal
	Marked    bool    `yaml:"marked" json:"marked,omitempty"`       // numeric: accept only a number marked by ####, \boxed{} or "answer is"

	// regex
	Pattern string `yaml:"pattern" json:"pattern,omitempty"` // regex: regular expression in Go's syntax; if it has a group, group 1 must equal the reference
	Whole   bool   `yaml:"whole" json:"whole,omitempty"`     // regex: the pattern must match the whole response

	// schema
	Schema string `yaml:"schema" json:"schema,omitempty"` // schema: file with a JSON schema, or the schema itself: {...}

	// command
	Command []string `yaml:"command" json:"command,omitempty"` // command: program and arguments
	Timeout float64  `yaml:"timeout" json:"timeout,omitempty"` // command: time limit in seconds for each response; 0: 10
	Env     []string `yaml:"env" json:"env,omitempty"`         // command: names of further environment variables to pass
}

// IsZero reports whether the settings describe no rule. Empty lists count as not set: a recipe
// that herd wrote has them.
func (s Settings) IsZero() bool {
	if len(s.Command) == 0 {
		s.Command = nil
	}
	if len(s.Env) == 0 {
		s.Env = nil
	}
	return reflect.ValueOf(s).IsZero()
}

// Files lists the files that verdicts depend on.
func (s Settings) Files() []string {
	if s.Kind == Schema && !inline(s.Schema) {
		return []string{s.Schema}
	}
	return nil
}

// WithFiles returns the settings with each path of Files replaced by what change returns for it.
func (s Settings) WithFiles(change func(path string) string) Settings {
	if len(s.Files()) > 0 && s.Schema != "" {
		s.Schema = change(s.Schema)
	}
	return s
}

// Validate returns an error for the first invalid setting, by its YAML name.
func (s Settings) Validate() error {
	if _, ok := makers[s.Kind]; !ok {
		kinds := strings.Join(slices.Sorted(maps.Keys(makers)), ", ")
		if s.Kind == "" {
			return fmt.Errorf("check: kind is not set: one of %s", kinds)
		}
		return fmt.Errorf("check: kind is %q, expected one of %s", s.Kind, kinds)
	}
	if err := s.misplaced(); err != nil {
		return err
	}
	switch {
	case s.Kind == Regex && s.Pattern == "":
		return fmt.Errorf("check: pattern is not set: the regular expression that a response must match (in YAML, quote one that begins with #)")
	case s.Kind == Schema && s.Schema == "":
		return fmt.Errorf("check: schema is not set: a file with a JSON schema, or the schema itself")
	case s.Kind == Command && (len(s.Command) == 0 || s.Command[0] == ""):
		return fmt.Errorf("check: command is not set: the program and its arguments, as [python3, grade.py]")
	case !(s.Tolerance >= 0 && s.Tolerance <= 1e300):
		return fmt.Errorf("check: tolerance is %g, expected 0 or more", s.Tolerance)
	case !(s.Timeout >= 0 && s.Timeout <= 86400):
		return fmt.Errorf("check: timeout is %g, expected seconds, at most a day of them", s.Timeout)
	}
	return nil
}

// misplaced returns an error for the first setting that the kind does not use: to ignore it
// would surprise the user.
func (s Settings) misplaced() error {
	for _, option := range []struct {
		name  string
		given bool
		kinds []string
	}{
		{"answer", s.Answer != "", []string{Exact, Numeric, Regex, Command}},
		{"ignore_case", s.IgnoreCase, []string{Exact, Regex}},
		{"ignore_blanks", s.IgnoreBlanks, []string{Exact, Regex}},
		{"tolerance", s.Tolerance != 0, []string{Numeric}},
		{"marked", s.Marked, []string{Numeric}},
		{"pattern", s.Pattern != "", []string{Regex}},
		{"whole", s.Whole, []string{Regex}},
		{"schema", s.Schema != "", []string{Schema}},
		{"command", len(s.Command) > 0, []string{Command}},
		{"timeout", s.Timeout != 0, []string{Command}},
		{"env", len(s.Env) > 0, []string{Command}},
	} {
		if option.given && !slices.Contains(option.kinds, s.Kind) {
			return fmt.Errorf("check: %s is set, but it belongs to kind %s, not to %s", option.name, strings.Join(option.kinds, ", "), s.Kind)
		}
	}
	return nil
}

// answerKey returns the key of the reference in a row's meta.
func (s Settings) answerKey() string {
	if s.Answer == "" {
		return "answer"
	}
	return s.Answer
}
