package recipes

import (
	_ "embed"
	"reflect"
	"strings"
	"sync"

	"github.com/herd-lm/herd/core/config"
)

//go:generate go test . -run TestReference -update

// meanings.txt holds the doc comments of all settings, a line each: the field, a tab, the text.
//
//go:embed meanings.txt
var meaningsText string

var meanings = sync.OnceValue(func() map[string]string {
	all := make(map[string]string)
	for line := range strings.Lines(meaningsText) {
		field, text, _ := strings.Cut(strings.TrimSpace(line), "\t")
		all[field] = text
	}
	return all
})

// Meaning returns what a setting means, in the words of its field's doc comment, for help
// texts; "" for a field that no stage and no recipe has.
func Meaning(f config.Field) string { return meanings()[fieldName(f.Owner, f.Name)] }

// fieldName identifies a field in meanings.txt: "core/train.Settings.Steps".
func fieldName(owner reflect.Type, field string) string {
	return strings.TrimPrefix(owner.PkgPath(), "github.com/herd-lm/herd/") + "." + owner.Name() + "." + field
}
