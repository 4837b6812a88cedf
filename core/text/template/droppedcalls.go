package template

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/jinja"
)

// droppedCall returns the first text or number of a call that the template left out.
func droppedCall(call chat.Call, origin jinja.Origin, w written) (lost string, is bool) {
	texts, others := leaves(string(call.Arguments))
	for _, text := range append([]string{call.Name}, texts...) {
		if at, all := missing(text, w.parts[origin]); !all {
			return text[at:], true
		}
	}
	around := w.around(origin)
	for _, spellings := range others {
		if !slices.ContainsFunc(spellings, func(s string) bool { return strings.Contains(around, s) }) {
			return spellings[0], true
		}
	}
	return "", false
}

// leaves returns the texts of a JSON value, keys too, in the order of the keys, and the ways to
// spell its other leaves.
func leaves(value string) (texts []string, others [][]string) {
	d := json.NewDecoder(strings.NewReader(value))
	d.UseNumber()
	var root any
	if d.Decode(&root) != nil {
		return nil, nil // no JSON, so the template got nothing
	}
	var collect func(v any)
	collect = func(v any) {
		switch v := v.(type) {
		case string:
			texts = append(texts, v)
		case json.Number:
			others = append(others, numberSpellings(v))
		case bool:
			others = append(others, map[bool][]string{true: {"true", "True"}, false: {"false", "False"}}[v])
		case nil:
			others = append(others, []string{"null", "None"})
		case []any:
			for _, x := range v {
				collect(x)
			}
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				texts = append(texts, key)
				collect(v[key])
			}
		}
	}
	collect(root)
	return texts, others
}

// numberSpellings returns how a number is written: as in the source, or as Python writes its value.
func numberSpellings(n json.Number) []string {
	spellings := []string{string(n)}
	if x, err := n.Float64(); err == nil {
		plain := strconv.FormatFloat(x, 'f', -1, 64)
		spellings = append(spellings, plain, strconv.FormatFloat(x, 'e', -1, 64))
	}
	return spellings
}

// droppedTools returns a *Dropped error if the template left out the tools, or what a model has to
// know of them: the names and descriptions of functions and of their parameters.
func (f *Format) droppedTools(w written) error {
	if f.tools == "" {
		return nil
	}
	if w.parts[fromTools] == "" {
		return &Dropped{Message: -1}
	}
	var tools []tool
	if err := json.Unmarshal([]byte(f.tools), &tools); err != nil {
		return nil // of another form: that something is printed has to do
	}
	for _, t := range tools {
		for _, text := range t.texts() {
			if at, all := missing(text, w.parts[fromTools]); !all {
				return &Dropped{Message: -1, Text: text[at:]}
			}
		}
	}
	return nil
}

// tool is a function as OpenAI's API describes it, with or without the object around it.
type tool struct {
	function
	Function function
}

type function struct {
	Name, Description string
	Parameters        struct {
		Properties map[string]struct{ Description string }
	}
}

func (t tool) texts() (texts []string) {
	for _, f := range []function{t.function, t.Function} {
		texts = append(texts, f.Name, f.Description)
		for _, name := range slices.Sorted(maps.Keys(f.Parameters.Properties)) {
			texts = append(texts, name, f.Parameters.Properties[name].Description)
		}
	}
	return texts
}
