// Package table reads and writes the tables that pass from stage to stage: documents, chats,
// preferences and samples. They are Arrow IPC files. It reads and writes them row by row in
// bounded memory.
//
// Begin with [Create] to write a table, and with [Open] or [Scan] to read one. Columns that
// herd does not know travel with their rows in [Extra]. Package format makes tables out of
// files of other programs.
package table

import (
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/token"
)

// Kind is the kind of rows in a table.
type Kind string

// The kinds of table.
const (
	Documents   Kind = "documents"
	Chats       Kind = "chats"
	Preferences Kind = "preferences"
	Samples     Kind = "samples"
	Unpaired    Kind = "unpaired" // preferences without a pair: an answer, and whether it is desirable
)

// Row is a row of one of the kinds of table.
type Row interface {
	Document | Chat | Preference | Sample | UnpairedPreference
}

// Origin holds the columns that rows of every kind have.
type Origin struct {
	ID      string            `json:"id"`                // content hash unless the source gives an id
	Source  string            `json:"source,omitempty"`  // file, dataset or stage that the row came from
	Parents []string          `json:"parents,omitempty"` // ids of the rows from which this one was made
	Meta    map[string]string `json:"meta,omitempty"`    // free columns: class, answer, accept, split, ...
	Extra   Extra             `json:"extra,omitzero"`    // columns that herd does not know; no part of the content id
}

// Document is a text for pretraining.
type Document struct {
	Origin
	Text string `json:"text"`
	URL  string `json:"url,omitempty"`
	Lang string `json:"lang,omitempty"` // ISO 639-1, or ""
}

// Chat is a conversation. A prompt is a chat whose last message is not the
// assistant's.
type Chat struct {
	Origin
	Messages []chat.Message `json:"messages"`
	Tools    chat.JSON      `json:"tools,omitempty"` // list of the functions that the assistant may call, or ""
}

// Preference is a prompt with a better and a worse response. Strength is 1 (marginally better)
// to 4 (much better), 0 if unknown.
type Preference struct {
	Origin
	Prompt    []chat.Message `json:"prompt"`
	Chosen    []chat.Message `json:"chosen"`
	Rejected  []chat.Message `json:"rejected"`
	Edited    []chat.Message `json:"edited,omitempty"` // the chosen response after a human edit, if any
	Tools     chat.JSON      `json:"tools,omitempty"`  // list of the functions that the assistant may call, or ""
	Strength  int            `json:"strength,omitempty"`
	Annotator string         `json:"annotator,omitempty"`

	ChosenScore   *float64 `json:"chosen_score,omitempty"` // by a reward model or an annotator
	RejectedScore *float64 `json:"rejected_score,omitempty"`

	RefChosenLogP   *float64 `json:"ref_chosen_logp,omitempty"` // under the model whose digest is RefDigest
	RefRejectedLogP *float64 `json:"ref_rejected_logp,omitempty"`
	RefDigest       string   `json:"ref_digest,omitempty"`
}

// UnpairedPreference is a prompt with one answer and the verdict on it, as KTO (arXiv 2402.01306)
// learns from it: true for a desirable answer.
type UnpairedPreference struct {
	Origin
	Prompt     []chat.Message `json:"prompt"`
	Completion []chat.Message `json:"completion"`
	Label      bool           `json:"label"`
	Tools      chat.JSON      `json:"tools,omitempty"` // list of the functions that the assistant may call, or ""
}

// Sample is a prompt with the responses that a policy drew for it.
type Sample struct {
	Origin
	Prompt     []chat.Message `json:"prompt"`
	Tools      chat.JSON      `json:"tools,omitempty"`     // list of the functions that the assistant may call, or ""
	Reference  string         `json:"reference,omitempty"` // the reference answer of the prompt, if any
	Candidates []Candidate    `json:"candidates"`
}

// Candidate is one response drawn for a prompt.
type Candidate struct {
	Text    string     `json:"text"`
	IDs     []token.ID `json:"ids,omitempty"`
	LogProb *float64   `json:"logprob,omitempty"` // under the sampling policy at temperature 1; nil if a server did not return it
	Finish  string     `json:"finish"`            // "stop" or "length"
	Seed    uint64     `json:"seed"`              // of this candidate's random stream
	K       int        `json:"k,omitempty"`       // number among the responses to the prompt, from 0
	Score   *float64   `json:"score,omitempty"`   // higher is better; nil until scored
	Reward  *float64   `json:"reward,omitempty"`  // the reward model's part in the score, if any
	Correct *bool      `json:"correct,omitempty"` // verdict of the checker, if any
	Note    string     `json:"note,omitempty"`    // the checker's reason
}

// Record is a row of any kind, for code that does not depend on the kind: *Document, *Chat,
// *Preference, *Sample and *UnpairedPreference implement it.
type Record interface {
	RowOrigin() *Origin
	RowKind() Kind
	Check() error  // returns an error if a table cannot hold the row
	hash(*content) // hashes the content, without its origin
	size() int     // approximate bytes of text
	columns() any  // returns []field of the row type
}

// RowOrigin returns the columns that rows of every kind have.
func (o *Origin) RowOrigin() *Origin { return o }

func (*Document) RowKind() Kind   { return Documents }
func (*Chat) RowKind() Kind       { return Chats }
func (*Preference) RowKind() Kind { return Preferences }
func (*Sample) RowKind() Kind     { return Samples }

func (*UnpairedPreference) RowKind() Kind { return Unpaired }

// RecordOf returns the row as a Record.
func RecordOf[T Row](row *T) Record { return any(row).(Record) }

// OriginOf returns the columns that rows of every kind have.
func OriginOf[T Row](row *T) *Origin { return RecordOf(row).RowOrigin() }
