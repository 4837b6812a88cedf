package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/herd-lm/herd/data/table"
)

// Format names the layout of a file to import.
type Format string

// The formats, in the order in which herd tries them on a row.
const (
	Herd               Format = "herd"                // rows as ExportJSONL writes them
	OpenAIPreference   Format = "openai-preference"   // input.messages, preferred_output, non_preferred_output
	ShareGPTPreference Format = "sharegpt-preference" // conversations, chosen, rejected (LLaMA-Factory)
	AlpacaPreference   Format = "alpaca-preference"   // instruction, input, chosen, rejected
	PromptPreference   Format = "preference"          // prompt, chosen, rejected as texts or messages (TRL), or Anthropic's dialogues
	ShareGPT           Format = "sharegpt"            // conversations of from, value
	OpenAI             Format = "messages"            // messages of role, content
	Alpaca             Format = "alpaca"              // instruction, input, output, system, history
	Completion         Format = "completion"          // prompt, completion (TRL)
	JSONText           Format = "json-text"           // text
	Prompts            Format = "prompts"             // prompt, question, problem or instruction
	QA                 Format = "qa"                  // question and answer, to learn the answer (GSM8K); only if the user names it
	Ranked             Format = "ranked"              // question, response_j (better), response_k (StackExchange)
	Numbered           Format = "numbered"            // prompt, response_0, response_1, better_response_id (PKU-SafeRLHF)
	Annotation         Format = "annotation"          // instruction, output_1, output_2, preference (AlpacaEval)
	SeedTask           Format = "seed-task"           // instruction, instances (self-instruct)
	Text               Format = "text"                // not JSON: any text file
)

// converter turns JSON objects of one format into rows of one kind.
type converter struct {
	format  Format
	kind    table.Kind
	matches func(o *object, forced bool) bool // forced: the user named the format
	convert func(*object) table.Record
}

// converters lists the converters for JSON, the most specific formats first.
var converters = withUnpaired(append(herdConverters(), []converter{
	{OpenAIPreference, table.Preferences, keys("input", "preferred_output", "non_preferred_output"), openAIPreference},
	{ShareGPTPreference, table.Preferences, keys("conversations", "chosen", "rejected"), shareGPTPreference},
	{AlpacaPreference, table.Preferences, keys("instruction", "chosen", "rejected"), alpacaPreference},
	{PromptPreference, table.Preferences, keys("chosen", "rejected"), promptPreference},
	{Ranked, table.Preferences, keys("response_j", "response_k"), rankedPreference},
	{Numbered, table.Preferences, keys("response_0", "response_1", "better_response_id"), numberedPreference},
	{Annotation, table.Preferences, keys("instruction", "output_1", "output_2"), annotation},
	{ShareGPT, table.Chats, keys("conversations"), shareGPT},
	{OpenAI, table.Chats, either(keys("messages"), keys("conversation")), openAI},
	{Alpaca, table.Chats, either(keys("instruction", "output"), keys("instruction", "response")), alpaca},
	{SeedTask, table.Chats, keys("instruction", "instances"), seedTask},
	{Completion, table.Chats, isCompletion, completion},
	{QA, table.Chats, func(_ *object, forced bool) bool { return forced }, qa},
	{JSONText, table.Documents, keys("text"), jsonText},
	{Prompts, table.Chats, func(o *object, forced bool) bool {
		return forced || o.has("instruction") || o.hasAny(promptKeys[:4]...)
	}, prompts},
}...))

// withUnpaired puts before each converter for chats, except that of herd's own rows, one for
// the same rows with a verdict on the answer.
func withUnpaired(list []converter) (all []converter) {
	for _, c := range list {
		if c.kind == table.Chats && c.format != Herd && c.format != Prompts {
			all = append(all, unpaired(c))
		}
		all = append(all, c)
	}
	return all
}

func keys(names ...string) func(*object, bool) bool {
	return func(o *object, forced bool) bool { return forced || o.has(names...) }
}

func either(matches ...func(*object, bool) bool) func(*object, bool) bool {
	return func(o *object, forced bool) bool {
		for _, m := range matches {
			if m(o, forced) {
				return true
			}
		}
		return false
	}
}

// findConverter returns the first converter that fits a file's first row. format and kind,
// unless "", narrow the choice.
func findConverter(o *object, format Format, kind table.Kind) (converter, error) {
	var tried []string
	for _, c := range converters {
		if (format != "" && c.format != format) || (kind != "" && c.kind != kind) {
			continue
		}
		if c.matches(o, format != "") {
			return c, nil
		}
		tried = append(tried, string(c.format))
	}
	if len(tried) == 0 {
		return converter{}, fmt.Errorf("format %q does not make %s", format, orRows(kind))
	}
	return converter{}, fmt.Errorf("the keys %s fit none of the formats that make %s (%s)", o.keyNames(), orRows(kind), strings.Join(slices.Compact(tried), ", "))
}

func orRows(kind table.Kind) string {
	if kind == "" {
		return "rows"
	}
	return string(kind)
}

// row converts o, a row of the file named source.
func (c converter) row(o *object, source string) (table.Record, error) {
	r := c.convert(o)
	if o.err == nil && c.format != Herd {
		if c.kind != table.Documents {
			o.refuseMedia(r)
		}
		o.refuseLost(r)
		describe(o, r, source)
	}
	if o.err != nil {
		return nil, o.err
	}
	return r, r.Check()
}

// describe fills in the origin of a row. Keys that the converter did not use become meta
// columns.
func describe(o *object, r table.Record, source string) {
	origin := r.RowOrigin()
	origin.ID = o.name("id")
	if origin.Source = o.textIfAny("source"); origin.Source == "" {
		origin.Source = source
	}
	if d, ok := r.(*table.Document); ok {
		d.URL, d.Lang = o.textIfAny("url"), o.textIfAny("lang")
	}
	origin.Meta = o.rest()
}

// herdConverters returns a converter for each kind of table.
func herdConverters() (list []converter) {
	for _, kind := range table.Kinds() {
		list = append(list, herdRows(kind))
	}
	return list
}

// herdRows reads rows that ExportJSONL wrote. The kind's key decides whether a row may be of
// that kind. Unless the user named the format, the row must also have no unknown key, and a key
// or an id that no other format has.
func herdRows(kind table.Kind) converter {
	matches := func(o *object, forced bool) bool {
		if !o.has(kind.Key()) || forced {
			return o.has(kind.Key())
		}
		row := kind.NewRow()
		ours := table.IsContentID(o.name("id")) || o.has("parents") || o.has("meta") || o.has("extra") || o.has("candidates")
		return ours && strict(o.raw, row) == nil && row.Check() == nil
	}
	convert := func(o *object) table.Record {
		row := kind.NewRow()
		o.err = strict(o.raw, row)
		return row
	}
	return converter{Herd, kind, matches, convert}
}

func strict(raw []byte, row any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	return dec.Decode(row)
}

func jsonText(o *object) table.Record { return &table.Document{Text: o.text("text")} }
