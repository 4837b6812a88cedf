package table

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
)

// Version is the version of the tables that this package writes. It reads this version and
// earlier ones.
const Version = 1

// Header describes how a table was made. The metadata of the Arrow schema stores it under keys
// that start with "herd.". All fields except Kind and Version may be empty.
type Header struct {
	Kind    Kind    // set by Create
	Version int     // set by Create; 0 if another program wrote the file
	Stage   string  // "import", "sample", "dpo", ...
	Digests Digests // of the models and settings behind the columns
	Seed    uint64  // of the stage
}

// Digests identify what a stage computed with. A column that was computed with another model or
// template is then an error, not a silent mistake.
type Digests struct {
	Model, Tokenizer, Template, Recipe string

	Sampling string // of everything that a response depends on, except its prompt and number
	Scoring  string // of everything that its score depends on
}

const (
	keyPrefix  = "herd."
	keyKind    = keyPrefix + "kind"
	keyVersion = keyPrefix + "version"
	keySeed    = keyPrefix + "seed"
)

// texts maps the metadata keys to the text fields.
func (h *Header) texts() map[string]*string {
	return map[string]*string{
		"herd.stage":            &h.Stage,
		"herd.digest.model":     &h.Digests.Model,
		"herd.digest.tokenizer": &h.Digests.Tokenizer,
		"herd.digest.template":  &h.Digests.Template,
		"herd.digest.recipe":    &h.Digests.Recipe,
		"herd.digest.sampling":  &h.Digests.Sampling,
		"herd.digest.scoring":   &h.Digests.Scoring,
	}
}

func (h Header) metadata() arrow.Metadata {
	pairs := map[string]string{
		keyKind:    string(h.Kind),
		keyVersion: strconv.Itoa(h.Version),
		keySeed:    strconv.FormatUint(h.Seed, 10),
	}
	for key, text := range h.texts() {
		if *text != "" {
			pairs[key] = *text
		}
	}
	return arrow.MetadataFrom(pairs)
}

// readHeader reads the header from a schema. A schema of another program has none: its columns
// decide the kind.
func readHeader(s *arrow.Schema) (Header, error) {
	var h Header
	get := func(key string) string {
		v, _ := s.Metadata().GetValue(key)
		return v
	}
	for key, text := range h.texts() {
		*text = get(key)
	}
	h.Kind = Kind(get(keyKind))
	if h.Kind == "" {
		h.Kind = kindByColumns(s)
	}
	var err error
	if v := get(keyVersion); v != "" {
		if h.Version, err = strconv.Atoi(v); err != nil {
			return h, fmt.Errorf("metadata %s is %q, expected a number", keyVersion, v)
		}
	}
	if v := get(keySeed); v != "" {
		if h.Seed, err = strconv.ParseUint(v, 10, 64); err != nil {
			return h, fmt.Errorf("metadata %s is %q, expected a number", keySeed, v)
		}
	}
	return h, h.validate(s)
}

func (h Header) validate(s *arrow.Schema) error {
	if h.Kind == "" {
		return fmt.Errorf("neither metadata nor columns say what the table holds; expected one of the columns %s among %s", strings.Join(keys(), ", "), columnNames(s))
	}
	if _, err := h.Kind.definition(); err != nil {
		return fmt.Errorf("holds %q, which this version of herd does not know", h.Kind)
	}
	if h.Version > Version {
		return fmt.Errorf("written by a newer herd (table version %d, this one reads up to %d)", h.Version, Version)
	}
	return nil
}

func columnNames(s *arrow.Schema) []string {
	names := make([]string, s.NumFields())
	for i, f := range s.Fields() {
		names[i] = f.Name
	}
	return names
}
