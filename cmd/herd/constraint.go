package main

import (
	"fmt"
	"strings"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/constrain"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// maxSchema is the greatest length of a file with a schema in bytes.
const maxSchema = 1 << 20

// constraintOf returns the constraint of a JSON Schema, which is given or in a file; nil if it is "".
// A prompt that begins a thought lets the model think first.
func constraintOf(schema string, tok *tokenizer.Tokenizer, prompt []token.ID) (sample.Constraint, error) {
	if schema == "" {
		return nil, nil
	}
	source, place := []byte(schema), "--json-schema"
	if !strings.HasPrefix(strings.TrimSpace(schema), "{") {
		var err error
		if source, err = disk.ReadLimited(schema, maxSchema); err != nil {
			return nil, fmt.Errorf("--json-schema: %w", err)
		}
		place = schema
	}
	g, err := constrain.Schema(source)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place, err)
	}
	if template.OpensThought(tok, prompt) {
		g = g.Behind(template.ThinkEnd)
	}
	return g.Over(constrain.NewVocabulary(tok)), nil
}
