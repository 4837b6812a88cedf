package table

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"regexp"
	"strconv"

	"github.com/zeebo/xxh3"

	"github.com/herd-lm/herd/core/text/chat"
)

// ContentID returns the id of a row whose source gave it none: 32 hexadecimal digits, the
// XXH3-128 of the row's kind and content. Source, meta, extra columns, scores and annotator do
// not count, so equal ids mean duplicates. The hash is fast, not cryptographic: do not rely on
// it against an adversary.
func ContentID[T Row](row T) string { return RecordID(RecordOf(&row)) }

// RecordID is ContentID for a row whose kind is known only when the program runs.
func RecordID(r Record) string {
	c := content{xxh3.New()}
	c.text(string(r.RowKind()))
	r.hash(&c)
	sum := c.Sum128().Bytes()
	return hex.EncodeToString(sum[:])
}

// content hashes the parts of a row. It hashes the length before each part, so that moving text
// from one part to the next changes the hash.
type content struct{ *xxh3.Hasher }

func (c content) number(n uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	c.Write(b[:])
}

func (c content) text(s string) {
	c.number(uint64(len(s)))
	c.WriteString(s)
}

func (c content) messages(ms []chat.Message) {
	c.number(uint64(len(ms)))
	for _, m := range ms {
		c.text(m.Role)
		c.text(m.Content)
		c.labelled("reasoning_content", m.Reasoning)
		c.labelled("tool_call_id", m.ToolCallID)
		c.labelled("name", m.Name)
		for _, call := range m.ToolCalls {
			c.text("call")
			c.text(call.ID)
			c.text(call.Name)
			c.text(string(call.Arguments))
		}
		if m.Weight != nil {
			c.text("weight")
			c.number(math.Float64bits(*m.Weight))
		}
	}
}

// labelled hashes a text with its name, and nothing for "", so that a field that herd learns
// later changes no id of rows without it.
func (c content) labelled(name, s string) {
	if s != "" {
		c.text(name)
		c.text(s)
	}
}

func (c content) tools(t chat.JSON) { c.labelled("tools", string(t)) }

func (d *Document) hash(c *content) { c.text(d.Text) }

func (ch *Chat) hash(c *content) {
	c.messages(ch.Messages)
	c.tools(ch.Tools)
}

func (p *Preference) hash(c *content) {
	for _, part := range [][]chat.Message{p.Prompt, p.Chosen, p.Rejected, p.Edited} {
		c.messages(part)
	}
	c.tools(p.Tools)
}

func (u *UnpairedPreference) hash(c *content) {
	c.messages(u.Prompt)
	c.messages(u.Completion)
	c.text(strconv.FormatBool(u.Label))
	c.tools(u.Tools)
}

func (s *Sample) hash(c *content) {
	c.messages(s.Prompt)
	c.tools(s.Tools)
	c.number(uint64(len(s.Candidates)))
	for _, k := range s.Candidates {
		c.text(k.Text)
		c.number(k.Seed)
	}
}

var contentIDs = regexp.MustCompile(`^[0-9a-f]{32}$`)

// IsContentID reports whether an id has the form of a ContentID.
func IsContentID(id string) bool { return contentIDs.MatchString(id) }
