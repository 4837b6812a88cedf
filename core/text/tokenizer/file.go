package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/herd-lm/herd/core/token"
)

// file is tokenizer.json, version 1.0, of Hugging Face tokenizers.
type file struct {
	Version       string          `json:"version"`
	Truncation    json.RawMessage `json:"truncation"`
	Padding       json.RawMessage `json:"padding"`
	AddedTokens   []addedJSON     `json:"added_tokens"`
	Normalizer    *component      `json:"normalizer"`
	PreTokenizer  *component      `json:"pre_tokenizer"`
	PostProcessor *component      `json:"post_processor"`
	Decoder       *component      `json:"decoder"`
	Model         modelJSON       `json:"model"`
}

type addedJSON struct {
	ID         token.ID `json:"id"`
	Content    string   `json:"content"`
	SingleWord bool     `json:"single_word"`
	LStrip     bool     `json:"lstrip"`
	RStrip     bool     `json:"rstrip"`
	Normalized bool     `json:"normalized"`
	Special    bool     `json:"special"`
}

func (a addedJSON) added() Added {
	return Added{ID: a.ID, Text: a.Content, Special: a.Special, Normalized: a.Normalized, SingleWord: a.SingleWord, LStrip: a.LStrip, RStrip: a.RStrip}
}

func (a Added) json() addedJSON {
	return addedJSON{ID: a.ID, Content: a.Text, Special: a.Special, Normalized: a.Normalized, SingleWord: a.SingleWord, LStrip: a.LStrip, RStrip: a.RStrip}
}

type modelJSON struct {
	Type                    string      `json:"type"`
	Dropout                 *float64    `json:"dropout"`
	UnkToken                *string     `json:"unk_token"`
	ContinuingSubwordPrefix *string     `json:"continuing_subword_prefix"`
	EndOfWordSuffix         *string     `json:"end_of_word_suffix"`
	FuseUnk                 bool        `json:"fuse_unk"`
	ByteFallback            bool        `json:"byte_fallback"`
	IgnoreMerges            bool        `json:"ignore_merges"`
	Vocab                   vocabJSON   `json:"vocab"`
	Merges                  []mergeJSON `json:"merges"`
}

// component is a pre-tokenizer, a post-processor, a decoder or a normalizer, with the fields of
// the types that herd supports.
type component struct {
	Type string `json:"type"`

	// ByteLevel
	AddPrefixSpace *bool `json:"add_prefix_space,omitempty"`
	TrimOffsets    *bool `json:"trim_offsets,omitempty"`
	UseRegex       *bool `json:"use_regex,omitempty"`

	// Sequence
	Normalizers   []*component `json:"normalizers,omitempty"`
	Pretokenizers []*component `json:"pretokenizers,omitempty"`
	Processors    []*component `json:"processors,omitempty"`
	Decoders      []*component `json:"decoders,omitempty"`

	// Split, Replace, Prepend, Strip
	Pattern  *patternJSON `json:"pattern,omitempty"`
	Behavior string       `json:"behavior,omitempty"`
	Invert   *bool        `json:"invert,omitempty"`
	Content  string       `json:"content,omitempty"`
	Prepend  string       `json:"prepend,omitempty"`
	Start    *int         `json:"start,omitempty"`
	Stop     *int         `json:"stop,omitempty"`

	// Metaspace, Digits
	Replacement      string `json:"replacement,omitempty"`
	PrependScheme    string `json:"prepend_scheme,omitempty"`
	Split            *bool  `json:"split,omitempty"`
	IndividualDigits *bool  `json:"individual_digits,omitempty"`

	// TemplateProcessing
	Single        []templatePart         `json:"single,omitempty"`
	Pair          []templatePart         `json:"pair,omitempty"`
	SpecialTokens map[string]specialJSON `json:"special_tokens,omitempty"`
}

// UnmarshalJSON implements json.Unmarshaler. It ignores other fields, so that an error about an
// unsupported component names its type, not its first field.
func (c *component) UnmarshalJSON(text []byte) error {
	type plain component
	if err := json.Unmarshal(text, (*plain)(c)); err != nil {
		return fmt.Errorf("component %q: %v", c.Type, err)
	}
	return nil
}

type patternJSON struct {
	Regex  string `json:"Regex,omitempty"`
	String string `json:"String,omitempty"`
}

type templatePart struct {
	SpecialToken *partJSON `json:"SpecialToken,omitempty"`
	Sequence     *partJSON `json:"Sequence,omitempty"`
}

type partJSON struct {
	ID     string `json:"id"`
	TypeID int    `json:"type_id"`
}

type specialJSON struct {
	ID     string   `json:"id"`
	IDs    []int64  `json:"ids"`
	Tokens []string `json:"tokens"`
}

func byteLevel(useRegex bool) *component {
	return &component{Type: "ByteLevel", AddPrefixSpace: new(false), TrimOffsets: new(true), UseRegex: new(useRegex)}
}

// vocabJSON is an object of ids by token, in the order of the file.
type vocabJSON []vocabEntry

type vocabEntry struct {
	text string // in the characters of vocabulary files; see SpellBytes
	id   int64
}

// MarshalJSON implements json.Marshaler.
func (v vocabJSON) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	for i, entry := range v {
		key, err := encodeJSON(entry.text, "")
		if err != nil {
			return nil, err
		}
		out.WriteByte("{,"[min(i, 1)])
		fmt.Fprintf(&out, "%s:%d", key, entry.id)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// UnmarshalJSON implements json.Unmarshaler. It keeps duplicates, for the caller to refuse.
// Errors name the token, because their offsets would count from the object, not from the file.
func (v *vocabJSON) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return fmt.Errorf("model.vocab is not an object")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return fmt.Errorf("model.vocab: %v", err)
		}
		entry := vocabEntry{text: key.(string)}
		if err := d.Decode(&entry.id); err != nil {
			return fmt.Errorf("model.vocab[%q]: %v", entry.text, err)
		}
		*v = append(*v, entry)
	}
	return nil
}

// mergeJSON is "left right" or, since version 0.20 of tokenizers, a list of the two. Tokens in
// files have no blanks. Old and new programs read the first form, so herd writes it.
type mergeJSON [2]string

// MarshalJSON implements json.Marshaler.
func (m mergeJSON) MarshalJSON() ([]byte, error) { return encodeJSON(m[0]+" "+m[1], "") }

// UnmarshalJSON implements json.Unmarshaler.
func (m *mergeJSON) UnmarshalJSON(text []byte) error {
	var sides []string
	var line string
	if json.Unmarshal(text, &line) == nil {
		sides = strings.Split(line, " ")
	} else if json.Unmarshal(text, &sides) != nil {
		sides = nil
	}
	if len(sides) != 2 {
		return fmt.Errorf("model.merges: %.80s is not two tokens", text)
	}
	*m = mergeJSON(sides)
	return nil
}
