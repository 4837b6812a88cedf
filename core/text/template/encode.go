package template

import (
	"slices"
	"sort"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/jinja"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// encode returns the tokens of a rendered text. It recognises reserved tokens only in text of
// the template itself, so that no message can forge them. No token spans a cut.
func (f *Format) encode(text jinja.Text, cuts ...int) (tokenizer.Placed, error) {
	runs := text.Runs()
	return f.tok.EncodePlaced(text.String(), func(start, end int, id token.ID) bool {
		return !f.isReserved(id) || fromTemplate(text.String(), runs, start, end)
	}, cuts...)
}

func (f *Format) isReserved(id token.ID) bool { return f.tok.IsSpecial(id) || f.reserved[id] }

// fromTemplate reports whether the template itself wrote all bytes [start, end), perhaps with the
// name of a role: some templates build '<|' + message['role'] + '|>', which is a special token in
// the generation prompt and has to be the same token in a chat.
func fromTemplate(text string, runs []jinja.Run, start, end int) bool {
	for i := runAt(runs, start); i < len(runs); i++ {
		from := 0
		if i > 0 {
			from = runs[i-1].End
		}
		if o := runs[i].Mark.Origin; o != ofTemplate && !isRole(o, text[from:runs[i].End]) {
			return false
		}
		if runs[i].End >= end {
			return true
		}
	}
	return false
}

// isRole reports whether text is the name of a role that herd knows, written for a role.
func isRole(o jinja.Origin, text string) bool {
	m, p := messageOf(o)
	_, known := chat.RoleOf(text)
	return m >= 0 && p == partRole && known
}

// runAt returns the index of the run that holds the byte at.
func runAt(runs []jinja.Run, at int) int {
	return sort.Search(len(runs), func(i int) bool { return runs[i].End > at })
}

// encodeTurns is encode with a token border wherever a turn begins, so that the text before
// the turn has the same tokens as it has alone, as a prompt.
func (f *Format) encodeTurns(text jinja.Text, turns []turn) (tokenizer.Placed, error) {
	whole, err := f.encode(text)
	if err != nil {
		return whole, err
	}
	var cuts []int
	for _, t := range turns {
		agrees, err := f.agree(text, whole, t.start)
		if err != nil {
			return whole, err
		}
		if !agrees {
			cuts = append(cuts, t.start)
		}
	}
	if cuts == nil {
		return whole, nil
	}
	return f.encode(text, cuts...)
}

// agree reports whether the tokens before the byte at equal the tokens of the text up to there
// alone. It compares from the last reserved token on, because no merge crosses one.
func (f *Format) agree(text jinja.Text, whole tokenizer.Placed, at int) (bool, error) {
	border, found := slices.BinarySearch(whole.Ends, at)
	if at > 0 && !found {
		return false, nil
	}
	last := border // first token of the comparison
	for last > 0 && !f.isReserved(whole.IDs[last]) {
		last--
	}
	from := 0
	if last > 0 {
		from = whole.Ends[last-1]
	}
	part, err := f.encode(text.Slice(from, at))
	return slices.Equal(part.IDs, whole.IDs[last:min(border+1, len(whole.IDs))]), err
}
