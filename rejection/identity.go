package rejection

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/checkpoint"
)

// identity is all that a response depends on besides its prompt and its number: the
// digests of the policy, the seed, the settings of sampling, by name. It does not
// hold how many responses are drawn, nor what judges them: who changes those keeps
// what was drawn.
type identity map[string]string

// identify returns the identity of the samples that s draws; inputs are the
// digests in the manifest.
func (s Settings) identify(inputs map[string]string) identity {
	id := identity{"seed": fmt.Sprint(s.Seed), "precision": s.Precision.String()}
	for name, digest := range inputs {
		if strings.HasPrefix(name, "model[") {
			id[name] = digest
		}
	}
	sampling := reflect.ValueOf(s.Settings)
	for i := range sampling.NumField() {
		name, _, _ := strings.Cut(sampling.Type().Field(i).Tag.Get("yaml"), ",")
		if v := sampling.Field(i); !v.IsZero() {
			id[name] = fmt.Sprint(v)
			if v.Kind() == reflect.Slice {
				id[name] = fmt.Sprintf("%q", v)
			}
		}
	}
	return id
}

// digest is the same for equal identities.
func (id identity) digest() string {
	d, err := checkpoint.DigestJSON(id)
	if err != nil {
		panic(err) // texts always have JSON
	}
	return d
}

// differs says in which settings a run that samples as now is unlike one as id.
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

const identityName = "sampling.json"

// extraIdentity is the key of the identity in the manifest.
const extraIdentity = "sampling"

// write puts the identity beside the parts that have it.
func (id identity) write(dir string) error {
	return checkpoint.WriteFile(filepath.Join(partsDir(dir), identityName), func(w io.Writer) error {
		return json.NewEncoder(w).Encode(id)
	})
}

// begun returns the identity of the samples in an output directory, and nil if
// there are none: that of an unfinished run, else of a finished one.
func begun(dir string) (identity, error) {
	var id identity
	path := filepath.Join(partsDir(dir), identityName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		path = filepath.Join(dir, checkpoint.ManifestName)
		m, err := checkpoint.ReadManifest(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if text = m.Extra[extraIdentity]; text == nil {
			return nil, nil
		}
	} else if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &id); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return id, nil
}

// scoring returns the digest of all that a score depends on besides the prompt's row
// and the response.
func (s Settings) scoring(inputs map[string]string) string {
	id := identity{}
	for name, digest := range inputs {
		if strings.HasPrefix(name, "reward[") {
			id[name] = digest
		}
	}
	return id.digest()
}
