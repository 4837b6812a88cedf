package format

import (
	"slices"

	"github.com/herd-lm/herd/data/table"
)

// reading is what the conversion of all rows of an import shares: the user's wishes, and counts
// of what is dropped.
type reading struct {
	format  Format          // that the user named, or ""
	kind    table.Kind      // that the user asked for, or ""
	ignore  []string        // keys that the user wants to ignore
	dropped map[string]int  // how often a key of a message was dropped
	kept    map[string]bool // keys of rows that became meta columns
}

func (r *reading) ignores(key string) bool { return r != nil && slices.Contains(r.ignore, key) }

func (r *reading) drop(key string) {
	if r == nil {
		return
	}
	if r.dropped == nil {
		r.dropped = map[string]int{}
	}
	r.dropped[key]++
}

func (r *reading) keep(key string) {
	if r == nil {
		return
	}
	if r.kept == nil {
		r.kept = map[string]bool{}
	}
	r.kept[key] = true
}
