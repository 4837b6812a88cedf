package jinja

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// TestArguments calls every filter, test, method and global with arguments of all kinds, too few and
// too many: each gives a value or an error, and none panics.
func TestArguments(t *testing.T) {
	values := []string{"'a b'", "''", "[]", "['a', 'b']", "[{'x': 1}, 2]", "{}", "{'x': [1]}", "none", "3", "-1", "1.5", "true", "nothing", "range(3)"}
	lists := []string{"", "1", "-1", "'a'", "none", "[]", "nothing", "1, 2", "'a', 'b'", "'upper'", "1, 2, 3, 4", "x=1", "attribute='x'", "filter='upper'", "test='odd'",
		"'x', default=1", "attribute=1", "width=-1", "width='x'", "'equalto'", "'x', 'equalto'", "*[]"}
	var programs []string
	for _, v := range values {
		for _, a := range lists {
			for name := range filters {
				programs = append(programs, fmt.Sprintf("{{ %s | %s(%s) }}", v, name, a), fmt.Sprintf("{{ (%s | %s(%s)) | list }}", v, name, a))
			}
			for name := range tests {
				programs = append(programs, fmt.Sprintf("{{ %s is %s(%s) }}", v, name, a))
			}
			for _, name := range slices.Concat(slices.Collect(maps.Keys(textMethods)), slices.Collect(maps.Keys(listMethods)), slices.Collect(maps.Keys(dictMethods))) {
				programs = append(programs, fmt.Sprintf("{{ (%s).%s(%s) }}", v, name, a))
			}
			for _, name := range []string{"range", "dict", "namespace", "cycler", "joiner", "strftime_now", "raise_exception", "lipsum"} {
				programs = append(programs, fmt.Sprintf("{{ %s(%s) }}", name, a))
			}
		}
	}
	rendered := 0
	for _, program := range programs {
		func() {
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("%s: panic: %v", program, r)
				}
			}()
			p, err := Parse(program)
			if err != nil {
				return
			}
			if _, err := p.Render(Context{}); err == nil {
				rendered++
			}
		}()
	}
	if rendered < len(programs)/20 {
		t.Errorf("only %d of %d programs gave a value", rendered, len(programs))
	}
}
