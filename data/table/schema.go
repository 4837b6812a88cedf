package table

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/token"
)

// field is one column of a table of S, or one field of an Arrow struct.
type field[S any] struct {
	arrow.Field
	required bool // for reading; Writer writes all fields
	append   func(to array.Builder, s *S)
	reader   func(from arrow.Array) (func(i int, s *S), error)
}

// column returns a column that stores the value at points to.
func column[S, V any](name string, c codec[V], at func(*S) *V) field[S] {
	return field[S]{
		Field:  arrow.Field{Name: name, Type: c.typ, Nullable: c.nullable},
		append: func(to array.Builder, s *S) { c.append(to, *at(s)) },
		reader: func(from arrow.Array) (func(int, *S), error) {
			read, err := c.reader(from)
			return func(i int, s *S) { *at(s) = read(i) }, err
		},
	}
}

// must marks a field as required for reading.
func (f field[S]) must() field[S] {
	f.required = true
	return f
}

func structOf[S any](fields ...field[S]) codec[S] {
	return codec[S]{
		typ: arrow.StructOf(arrowFields(fields)...),
		append: func(to array.Builder, s S) {
			b := to.(*array.StructBuilder)
			b.Append(true)
			for i, f := range fields {
				f.append(b.FieldBuilder(i), &s)
			}
		},
		reader: func(from arrow.Array) (func(int) S, error) {
			a, ok := from.(*array.Struct)
			if !ok {
				return nil, fmt.Errorf("is %v, expected a struct", from.DataType())
			}
			read, err := bind(fields, a.DataType().(*arrow.StructType).Fields(), a.Field)
			return func(i int) (s S) {
				read(i, &s)
				return s
			}, err
		},
	}
}

func arrowFields[S any](fields []field[S]) []arrow.Field {
	out := make([]arrow.Field, len(fields))
	for i, f := range fields {
		out[i] = f.Field
	}
	return out
}

// bind finds the fields by name among the columns and returns a function that reads row i of
// all of them. It ignores unknown columns, which go into Extra. Missing columns keep their zero
// value.
func bind[S any](fields []field[S], columns []arrow.Field, at func(int) arrow.Array) (func(i int, s *S), error) {
	index := make(map[string]int, len(columns))
	for i, c := range columns {
		index[c.Name] = i
	}
	var readers []func(int, *S)
	for _, f := range fields {
		i, ok := index[f.Name]
		if !ok && f.required {
			return nil, fmt.Errorf("column %s is missing", f.Name)
		}
		if !ok {
			continue
		}
		read, err := f.reader(at(i))
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", f.Name, err)
		}
		readers = append(readers, read)
	}
	return func(i int, s *S) {
		for _, read := range readers {
			read(i, s)
		}
	}, nil
}

// columnsOf returns the columns of the table of T.
func columnsOf[T Row]() []field[T] { return RecordOf(new(T)).columns().([]field[T]) }

func (*Document) columns() any   { return documentColumns }
func (*Chat) columns() any       { return chatColumns }
func (*Preference) columns() any { return preferenceColumns }
func (*Sample) columns() any     { return sampleColumns }

func (*UnpairedPreference) columns() any { return unpairedColumns }

func originColumns[T Row](own ...field[T]) []field[T] {
	return append([]field[T]{
		column("id", text, func(r *T) *string { return &OriginOf(r).ID }),
		column("source", text, func(r *T) *string { return &OriginOf(r).Source }),
		column("parents", listOf(text), func(r *T) *[]string { return &OriginOf(r).Parents }),
		column("meta", texts, func(r *T) *map[string]string { return &OriginOf(r).Meta }),
	}, own...)
}

var (
	float    = primitive(arrow.PrimitiveTypes.Float64, same[float64], same[float64])
	seed     = primitive(arrow.PrimitiveTypes.Uint64, same[uint64], same[uint64])
	number   = primitive(arrow.PrimitiveTypes.Int32, func(n int) int32 { return int32(n) }, func(n int32) int { return int(n) })
	truth    = primitive(arrow.FixedWidthTypes.Boolean, same[bool], same[bool])
	strength = primitive(arrow.PrimitiveTypes.Int8, func(n int) int8 { return int8(n) }, func(n int8) int { return int(n) })
	tokenID  = primitive(arrow.PrimitiveTypes.Int32, func(id token.ID) int32 { return int32(id) }, func(n int32) token.ID { return token.ID(n) })
)

var messages = listOf(structOf(
	column("role", text, func(m *chat.Message) *string { return &m.Role }).must(),
	column("content", text, func(m *chat.Message) *string { return &m.Content }).must(),
	column("reasoning_content", emptyAsNull(text), func(m *chat.Message) *string { return &m.Reasoning }),
	column("tool_calls", absentAsNull(listOf(call)), func(m *chat.Message) *[]chat.Call { return &m.ToolCalls }),
	column("tool_call_id", emptyAsNull(text), func(m *chat.Message) *string { return &m.ToolCallID }),
	column("name", emptyAsNull(text), func(m *chat.Message) *string { return &m.Name }),
	column("weight", optional(float), func(m *chat.Message) **float64 { return &m.Weight }),
))

var call = structOf(
	column("id", emptyAsNull(text), func(c *chat.Call) *string { return &c.ID }),
	column("name", text, func(c *chat.Call) *string { return &c.Name }).must(),
	column("arguments", rawJSON, func(c *chat.Call) *chat.JSON { return &c.Arguments }).must(),
)

// tools is a column with a JSON list of functions.
func tools[T Row](at func(*T) *chat.JSON) field[T] { return column("tools", rawJSON, at) }

var candidates = listOf(structOf(
	column("text", text, func(c *Candidate) *string { return &c.Text }).must(),
	column("ids", listOf(tokenID), func(c *Candidate) *[]token.ID { return &c.IDs }),
	column("logprob", optional(float), func(c *Candidate) **float64 { return &c.LogProb }),
	column("finish", text, func(c *Candidate) *string { return &c.Finish }),
	column("seed", seed, func(c *Candidate) *uint64 { return &c.Seed }),
	column("k", number, func(c *Candidate) *int { return &c.K }),
	column("score", optional(float), func(c *Candidate) **float64 { return &c.Score }),
	column("reward", optional(float), func(c *Candidate) **float64 { return &c.Reward }),
	column("correct", optional(truth), func(c *Candidate) **bool { return &c.Correct }),
	column("note", text, func(c *Candidate) *string { return &c.Note }),
))

var documentColumns = originColumns(
	column("text", text, func(d *Document) *string { return &d.Text }).must(),
	column("url", text, func(d *Document) *string { return &d.URL }),
	column("lang", text, func(d *Document) *string { return &d.Lang }),
)

var chatColumns = originColumns(
	column("messages", messages, func(c *Chat) *[]chat.Message { return &c.Messages }).must(),
	tools(func(c *Chat) *chat.JSON { return &c.Tools }),
)

var preferenceColumns = originColumns(
	column("prompt", messages, func(p *Preference) *[]chat.Message { return &p.Prompt }).must(),
	column("chosen", messages, func(p *Preference) *[]chat.Message { return &p.Chosen }).must(),
	column("rejected", messages, func(p *Preference) *[]chat.Message { return &p.Rejected }).must(),
	column("edited", absentAsNull(messages), func(p *Preference) *[]chat.Message { return &p.Edited }),
	tools(func(p *Preference) *chat.JSON { return &p.Tools }),
	column("strength", strength, func(p *Preference) *int { return &p.Strength }),
	column("annotator", text, func(p *Preference) *string { return &p.Annotator }),
	column("chosen_score", optional(float), func(p *Preference) **float64 { return &p.ChosenScore }),
	column("rejected_score", optional(float), func(p *Preference) **float64 { return &p.RejectedScore }),
	column("ref_chosen_logp", optional(float), func(p *Preference) **float64 { return &p.RefChosenLogP }),
	column("ref_rejected_logp", optional(float), func(p *Preference) **float64 { return &p.RefRejectedLogP }),
	column("ref_digest", text, func(p *Preference) *string { return &p.RefDigest }),
)

var unpairedColumns = originColumns(
	column("prompt", messages, func(u *UnpairedPreference) *[]chat.Message { return &u.Prompt }).must(),
	column("completion", messages, func(u *UnpairedPreference) *[]chat.Message { return &u.Completion }).must(),
	column("label", truth, func(u *UnpairedPreference) *bool { return &u.Label }).must(),
	tools(func(u *UnpairedPreference) *chat.JSON { return &u.Tools }),
)

var sampleColumns = originColumns(
	column("prompt", messages, func(s *Sample) *[]chat.Message { return &s.Prompt }).must(),
	tools(func(s *Sample) *chat.JSON { return &s.Tools }),
	column("reference", text, func(s *Sample) *string { return &s.Reference }),
	column("candidates", candidates, func(s *Sample) *[]Candidate { return &s.Candidates }).must(),
)
