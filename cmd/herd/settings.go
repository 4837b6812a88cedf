package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/recipes"
)

// addSettings lists settings in the help of cmd, between its text and its usage.
func addSettings(cmd *cobra.Command, settings any) {
	const title = "Settings, for --set and the YAML file, with their defaults:"
	cmd.Annotations = map[string]string{"settings": title + listSettings(settings)}
	cmd.SetHelpTemplate(`{{.Long}}

{{.Annotations.settings}}

{{.UsageString}}`)
}

// listSettings lists each setting with its key, value and meaning. It lists only the key of an
// optional group that is not set.
func listSettings(settings any) string {
	var b strings.Builder
	config.Walk(settings, func(f config.Field) bool {
		switch {
		case f.Unset():
			b.WriteString(settingLine(f.Key+"={}", recipes.Meaning(f)))
			return false
		case !f.Group:
			b.WriteString(settingLine(f.Key+"="+f.Text(), recipes.Meaning(f)))
		}
		return true
	})
	return b.String()
}

// settingLine formats a setting and its meaning side by side, in lines of 100 columns. After a
// setting that is too long for its column, the meaning starts on a new line.
func settingLine(setting, meaning string) string {
	const column, width = 36, 100
	line := fmt.Sprintf("\n  %-*s", column-2, setting)
	at := max(column, len(setting)+2)
	if at > column {
		at = width
	}
	for word := range strings.FieldsSeq(meaning) {
		if at+1+len(word) > width {
			line += "\n" + strings.Repeat(" ", column)
			at = column
		}
		line += " " + word
		at += 1 + len(word)
	}
	return line
}

// wrapped lists items in lines of 80 columns. It breaks lines between the words of an item too.
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
