package run

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Differences lists what distinguishes a run from the one that wrote the manifest m: "seed was 3
// and is 4", "the content of chats[0] (/data/chats.arrow) has changed". It is empty if both have
// the same digest.
func (m Manifest) Differences(now Manifest) (list []string) {
	if m.Digest == now.Digest {
		return nil
	}
	if m.Stage != now.Stage {
		return []string{fmt.Sprintf("the stage was %s and is %s", m.Stage, now.Stage)}
	}
	list = m.changedSettings(now)
	inputs := m.changedInputs(now)
	if m.Settings == nil && len(inputs) == 0 {
		list = append(list, "its herd.json is from a herd that stored no settings, so herd cannot say which of them differ")
	} else if m.Settings == nil {
		list = append(list, "its herd.json is from a herd that stored no settings, so some of them may differ too")
	}
	list = append(list, inputs...)
	if len(list) == 0 {
		list = append(list, fmt.Sprintf("herd %s made it, which has other settings or defaults", given(m.Herd)))
	}
	return list
}

// changedSettings compares the settings that affect the result.
func (m Manifest) changedSettings(now Manifest) (list []string) {
	if m.Settings == nil || now.Settings == nil {
		return nil
	}
	for _, key := range unionOf(m.Settings, now.Settings) {
		if was, is := string(m.Settings[key]), string(now.Settings[key]); was != is {
			list = append(list, fmt.Sprintf("%s was %s and is %s", key, given(was), given(is)))
		}
	}
	return list
}

// changedInputs compares the contents of the inputs.
func (m Manifest) changedInputs(now Manifest) (list []string) {
	for _, name := range unionOf(m.Inputs, now.Inputs) {
		switch was, is := m.Inputs[name], now.Inputs[name]; {
		case was == is:
		case was == "":
			list = append(list, fmt.Sprintf("%s is new", now.place(name)))
		case is == "":
			list = append(list, fmt.Sprintf("%s is gone", m.place(name)))
		default:
			list = append(list, fmt.Sprintf("the content of %s has changed", now.place(name)))
		}
	}
	return list
}

// place names an input with its path, if that is known: "chats[0] (/data/chats.arrow)".
func (m Manifest) place(input string) string {
	if path := m.files[input]; path != "" {
		return fmt.Sprintf("%s (%s)", input, path)
	}
	return input
}

func unionOf[V any](a, b map[string]V) []string {
	return slices.Compact(slices.Sorted(func(yield func(string) bool) {
		for _, names := range []map[string]V{a, b} {
			for name := range maps.Keys(names) {
				if !yield(name) {
					return
				}
			}
		}
	}))
}

func given(value string) string {
	if strings.Trim(value, `"`) == "" {
		return "not set"
	}
	return value
}
