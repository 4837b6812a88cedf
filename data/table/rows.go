// Package table holds the tables that pass from stage to stage: documents,
// chats, preferences and samples, as Arrow IPC files, read and written row by
// row in bounded memory.
//
// A table is written by [Create] and read by [Open] or [Scan]. Package format makes
// tables out of files of other programs.
package table

import (
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/token"
)

// Kind says which of the four tables a file holds.
type Kind string

// The kinds of table.
const (
	Documents   Kind = "documents"
	Chats       Kind = "chats"
	Preferences Kind = "preferences"
	Samples     Kind = "samples"
)

// Row is a row of one of the four tables.
type Row interface {
	Document | Chat | Preference | Sample
}

// Origin is what every row has, whatever its kind.
type Origin struct {
	ID      string            `json:"id"`                // content hash unless the source has one
	Source  string            `json:"source,omitempty"`  // file, dataset or stage that the row came from
	Parents []string          `json:"parents,omitempty"` // ids of the rows that this one was made from
	Meta    map[string]string `json:"meta,omitempty"`    // free columns: class, answer, accept, split, ...
	Extra   Extra             `json:"extra,omitzero"`    // columns that herd does not know; not part of what a row says
}

// Document is a row of text to pretrain on.
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
}

// Preference is a prompt with a better and a worse response to it. Strength is
// 1 (marginally better) to 4 (much better), 0 if unknown.
type Preference struct {
	Origin
	Prompt    []chat.Message `json:"prompt"`
	Chosen    []chat.Message `json:"chosen"`
	Rejected  []chat.Message `json:"rejected"`
	Edited    []chat.Message `json:"edited,omitempty"` // the chosen response after a human edit, if any
	Strength  int            `json:"strength,omitempty"`
	Annotator string         `json:"annotator,omitempty"`

	ChosenScore   *float64 `json:"chosen_score,omitempty"` // reward model's or annotator's
	RejectedScore *float64 `json:"rejected_score,omitempty"`

	RefChosenLogP   *float64 `json:"ref_chosen_logp,omitempty"` // under the model whose digest is RefDigest
	RefRejectedLogP *float64 `json:"ref_rejected_logp,omitempty"`
	RefDigest       string   `json:"ref_digest,omitempty"`
}

// Sample is a prompt with the responses drawn for it.
type Sample struct {
	Origin
	Prompt     []chat.Message `json:"prompt"`
	Reference  string         `json:"reference,omitempty"` // the answer that the prompt came with, if any
	Candidates []Candidate    `json:"candidates"`
}

// Candidate is one response drawn for a prompt.
type Candidate struct {
	Text    string     `json:"text"`
	IDs     []token.ID `json:"ids,omitempty"`
	LogProb *float64   `json:"logprob,omitempty"` // under the sampling policy at temperature 1; nil if it did not tell
	Finish  string     `json:"finish"`            // "stop" or "length"
	Seed    uint64     `json:"seed"`              // of this candidate's random stream
	K       int        `json:"k,omitempty"`       // its number among the responses to the prompt, from 0
	Score   *float64   `json:"score,omitempty"`   // what it is worth, once scored: of two the higher is better
	Reward  *float64   `json:"reward,omitempty"`  // the reward model's part in the score, if it had one
	Correct *bool      `json:"correct,omitempty"` // what a checker said, if it was asked
	Note    string     `json:"note,omitempty"`    // why, in the checker's words
}

// Record is what code that does not care for the kind of a row knows of it:
// *Document, *Chat, *Preference and *Sample.
type Record interface {
	RowOrigin() *Origin
	RowKind() Kind
	Check() error  // the first thing that a table must not hold
	hash(*content) // what the row says, without who says so
	size() int     // bytes of text, roughly
	columns() any  // []field of the row's type
}

func (o *Origin) RowOrigin() *Origin { return o }

func (*Document) RowKind() Kind   { return Documents }
func (*Chat) RowKind() Kind       { return Chats }
func (*Preference) RowKind() Kind { return Preferences }
func (*Sample) RowKind() Kind     { return Samples }

func RecordOf[T Row](row *T) Record { return any(row).(Record) }

// OriginOf returns the columns that all kinds share.
func OriginOf[T Row](row *T) *Origin { return RecordOf(row).RowOrigin() }
