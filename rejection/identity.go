package rejection

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/run"
)

// identity holds all that a response depends on besides its prompt and its number: the digests of
// the policy, the seed, and the settings of sampling, by name. It does not hold the number of
// responses or the judge: you keep the samples if you change those.
type identity map[string]string

// identify returns the identity of the samples that s draws; inputs are the
// digests in the manifest. A server's model is known by its name and revision,
// wherever the server is.
func (s Settings) identify(inputs map[string]string) identity {
	id := identity{"seed": fmt.Sprint(s.Seed)}
	id.addInputs("model", inputs)
	id.addSettings("", s.Settings)
	if s.Template != "" {
		id["template"] = s.Template
	}
	if s.remote() {
		id["revision"] = s.Revision
		id.addSettings("engine.", s.bare().Engine)
	} else {
		id["precision"] = s.Precision.String()
	}
	return id
}

// identifyScoring returns the digest of all that a score depends on besides the prompt's row
// and the response.
func (s Settings) identifyScoring(inputs map[string]string) string {
	bare, id := s.bare(), identity{}
	id.addInputs("reward", inputs)
	id.addInputs("check", inputs)
	if s.RewardTemplate != "" {
		id["reward_template"] = s.RewardTemplate
	}
	id.addSettings("check.", bare.Check)
	id.addSettings("remote_reward.", bare.RemoteReward)
	if s.Checks() && s.Reward != "" {
		id["combine"], id["check_weight"] = s.Combine, fmt.Sprint(s.CheckWeight)
	}
	return id.digest()
}

// addInputs adds the digests of the files that a setting names.
func (id identity) addInputs(setting string, inputs map[string]string) {
	for name, digest := range inputs {
		if strings.HasPrefix(name, setting+"[") {
			id[name] = digest
		}
	}
}

// addSettings adds the settings that are not zero, by their YAML names.
func (id identity) addSettings(prefix string, settings any) {
	list := reflect.ValueOf(settings)
	for i := range list.NumField() {
		name, _, _ := strings.Cut(list.Type().Field(i).Tag.Get("yaml"), ",")
		v := reflect.Indirect(list.Field(i))
		switch {
		case !v.IsValid() || list.Field(i).IsZero():
		case v.Kind() == reflect.Slice && v.Len() == 0: // a file of settings has [] for what is not set
		case v.Kind() == reflect.Slice:
			id[prefix+name] = fmt.Sprintf("%q", v)
		default:
			id[prefix+name] = fmt.Sprint(v)
		}
	}
}

// digest returns the same text for equal identities.
func (id identity) digest() string {
	d, err := run.DigestJSON(id)
	if err != nil {
		panic(err) // texts always have JSON
	}
	return d
}

// differs lists the settings in which now differs from id.
func (id identity) differs(now identity) string {
	names := make(map[string]bool)
	for name := range id {
		names[name] = true
	}
	for name := range now {
		names[name] = true
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, is := id[name], now[name]
		switch {
		case was == is:
		case strings.HasPrefix(name, "model["):
			list = append(list, "another model")
		default:
			list = append(list, fmt.Sprintf("%s was %s and is %s", name, given(was), given(is)))
		}
	}
	return strings.Join(slices.Compact(list), ", ")
}

func given(value string) string {
	if value == "" {
		return "not set"
	}
	return value
}
