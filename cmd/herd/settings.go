package main

import (
	"strings"

	"github.com/herd-lm/herd/core/config"
)

// listSettings lists the YAML keys of settings with their values. Of an optional group that
// is not set, it lists the key alone.
func listSettings(settings any) string {
	var list []string
	config.Walk(settings, func(f config.Field) bool {
		switch {
		case f.Unset():
			list = append(list, f.Key+"={}")
			return false
		case !f.Group:
			list = append(list, f.Key+"="+f.Text())
		}
		return true
	})
	return wrapped(list)
}

// wrapped lists items, as many to a line of 80 columns as fit. A list of words may
// go on in the next line.
func wrapped(items []string) string {
	var b strings.Builder
	column := 80
	for _, item := range items {
		gap := "  "
		for word := range strings.SplitSeq(item, " ") {
			if column += len(gap) + len(word); column > 80 {
				b.WriteString("\n")
				gap, column = "  ", 2+len(word)
			}
			b.WriteString(gap + word)
			gap = " "
		}
	}
	return b.String()
}
