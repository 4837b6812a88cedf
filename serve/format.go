package serve

import (
	"encoding/json"
	"slices"
	"sync"

	"github.com/herd-lm/herd/core/sample/constrain"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
)

// format is the form that a client asks an answer to have.
type format struct {
	json   bool   // JSON; otherwise any text
	schema []byte // JSON Schema of the answer; nil: any object
}

// readFormat takes response_format: OpenAI's text, json_object and json_schema, and llama-server's
// schema beside json_object.
func readFormat(f *fields) (a format, err error) {
	raw := f.take("response_format")
	if raw == nil {
		return a, nil
	}
	o, err := parseFields(raw, "response_format.")
	if err != nil {
		return a, err
	}
	var kind string
	if !o.text("type", &kind) {
		o.fail("type", "is missing")
	}
	switch kind {
	case "text":
	case "json_object":
		a = format{true, o.take("schema")}
	case "json_schema":
		a.json = true
		a.schema, err = readSchema(o)
	default:
		o.fail("type", "is %q, expected text, json_object or json_schema", excerpt([]byte(kind)))
	}
	if err != nil {
		return a, err
	}
	return a, o.end()
}

func readSchema(f *fields) ([]byte, error) {
	o, err := parseFields(f.take("json_schema"), f.path+"json_schema.")
	if err != nil {
		return nil, err
	}
	var name, description string
	var strict bool
	o.text("name", &name)
	o.text("description", &description)
	o.flag("strict", &strict) // herd always is
	schema := o.take("schema")
	if schema == nil {
		o.fail("schema", "is missing")
	}
	return schema, o.end()
}

// maxSchema is the greatest length of a schema in bytes.
const maxSchema = 256 << 10

// limit sets the constraint of a request. A prompt that begins a thought lets the model think first.
func (m *served) limit(a format, q *request) error {
	if !a.json {
		return nil
	}
	if len(a.schema) > maxSchema {
		return invalid("response_format", "response_format: the schema has %d bytes, expected %d at most", len(a.schema), maxSchema)
	}
	for i := range q.requests {
		r := &q.requests[i]
		c, err := m.forms.constraint(m.Tokenizer, string(a.schema), template.OpensThought(m.Tokenizer, r.Prompt))
		if err != nil {
			return invalid("response_format", "response_format: %v", err)
		}
		r.Constraint = c
	}
	return nil
}

// forms makes constraints for a model, and keeps those used last: they know which tokens may follow.
type forms struct {
	mu         sync.Mutex
	vocabulary *constrain.Vocabulary
	kept       []keptForm // the last used at the end
}

type keptForm struct {
	schema     string // "" for any object
	thinks     bool   // behind a thought
	constraint *constrain.Constraint
}

// maxForms is how many constraints a model keeps, of up to about 50 MB each.
const maxForms = 4

func (k *forms) constraint(tok *tokenizer.Tokenizer, schema string, thinks bool) (*constrain.Constraint, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i := slices.IndexFunc(k.kept, func(f keptForm) bool { return f.schema == schema && f.thinks == thinks }); i >= 0 {
		found := k.kept[i]
		k.kept = append(slices.Delete(k.kept, i, i+1), found)
		return found.constraint, nil
	}
	g := constrain.JSON()
	if schema != "" {
		var err error
		if g, err = constrain.Schema(json.RawMessage(schema)); err != nil {
			return nil, err
		}
	}
	if thinks {
		g = g.Behind(template.ThinkEnd)
	}
	if k.vocabulary == nil {
		k.vocabulary = constrain.NewVocabulary(tok)
	}
	c := g.Over(k.vocabulary)
	if len(k.kept) == maxForms {
		k.kept = slices.Delete(k.kept, 0, 1)
	}
	k.kept = append(k.kept, keptForm{schema, thinks, c})
	return c, nil
}
