package world

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"

	"github.com/herd-lm/herd/data/table"
)

// The classes of the data mix.
const (
	General      = "general"
	Maths        = "maths"
	Code         = "code"
	Multilingual = "multilingual"
)

// Classes lists the classes with their shares of the training tokens, as in Llama 3 (arXiv
// 2407.21783, section 3.1.2).
var Classes = []struct {
	Name  string
	Share float64
}{
	{General, 0.50}, {Maths, 0.25}, {Code, 0.17}, {Multilingual, 0.08},
}

// page writes one document. Its language is "en" unless it sets another.
type page struct {
	weight int // relative frequency among the pages of its class
	write  func(*lore, *rand.Rand) (text, lang string)
}

func english(write func(*lore, *rand.Rand) string) func(*lore, *rand.Rand) (string, string) {
	return func(l *lore, r *rand.Rand) (string, string) { return write(l, r), "en" }
}

// pages lists the kinds of page of a class.
func pages(class string) []page {
	switch class {
	case General:
		return []page{
			{8, english((*lore).portrait)}, {3, english((*lore).couple)}, {3, english((*lore).story)},
			{3, english((*lore).guide)}, {2, english((*lore).nature)}, {5, quiz(class)},
		}
	case Maths:
		return []page{
			{10, sheet("\n", "add", "subtract")}, {3, sheet("\n", "gains", "loses")}, {2, sheet("\n", "greater", "smaller")},
			{3, english((*lore).table)}, {3, english((*lore).worked)}, {1, english((*lore).counting)}, {4, quiz(class)},
		}
	case Code:
		return []page{
			{3, sheet("\n", "print_sum")}, {2, sheet("\n", "len")}, {3, sheet("\n", "index")},
			{3, sheet("\n", "max", "min")}, {3, sheet("\n", "print_sum", "len", "index", "max", "min")},
			{1, english((*lore).function)}, {4, quiz(class)},
		}
	default:
		return []page{
			{5, sheet("\n", "translate")}, {5, sheet("\n", "means")}, {3, sheet("\n", "sentence")},
			{3, english((*lore).glossary)}, {1, (*lore).monologue}, {3, quiz(class)},
		}
	}
}

// sheet writes pages that state a handful of facts of the given tasks.
func sheet(separator string, tasks ...string) func(*lore, *rand.Rand) (string, string) {
	return english(func(l *lore, r *rand.Rand) string {
		lines := make([]string, 4+r.IntN(5))
		for i := range lines {
			item := pick(r, l.open[pick(r, tasks)])
			lines[i] = pick(r, item.Statements)
		}
		return strings.Join(lines, separator)
	})
}

// exchanges are layouts of questions with answers. They differ in the text between the two, so
// that a model learns to find the question by its content and not by its position: a chat has
// yet another layout.
var exchanges = []string{
	"Question: {Q}\nAnswer: {A}", "Q: {Q} A: {A}", "{Q}\n{A}", "{Q}\n\n{A}\n", "\"{Q}\" \"{A}\"",
	"* {Q}\n  - {A}", "{N} asks: {Q}\n{M} answers: {A}", "The question was: {Q}\nThe right answer is this: {A}",
}

// quiz writes pages of questions with answers. The chats and prompts may ask the same
// questions, but no page has a held-out one. Real corpora have such pages. They teach that an
// answer follows a question, not the layout of a chat. The more people the questions are about,
// the better a model can recall facts about the others (Physics of Language Models 3.1, arXiv
// 2309.14316).
func quiz(class string) func(*lore, *rand.Rand) (string, string) {
	return english(func(l *lore, r *rand.Rand) string {
		layout, lines := pick(r, exchanges), make([]string, 3+r.IntN(2))
		for i := range lines {
			item := pick(r, pick(r, l.shown[class]))
			fill := strings.NewReplacer("{Q}", pick(r, item.Questions), "{A}", item.Reply(item.Answer),
				"{N}", pick(r, women), "{M}", pick(r, men))
			lines[i] = fill.Replace(layout)
		}
		return strings.Join(lines, "\n")
	})
}

// write writes one page of the class.
func (l *lore) write(class string, r *rand.Rand) (text, lang string) {
	all := pages(class)
	total := 0
	for _, p := range all {
		total += p.weight
	}
	at := r.IntN(total)
	for _, p := range all {
		if at -= p.weight; at < 0 {
			return p.write(l, r)
		}
	}
	panic("unreachable: the weights sum to total")
}

// patience is how many documents in a row may repeat earlier ones before the world counts as
// exhausted.
const patience = 10_000

// documents writes n documents that are not in seen, and adds them to it. The class of the next
// document is always the one furthest behind its share, so that every stretch of the file has
// the mix.
func (l *lore) documents(r *rand.Rand, n int, seen map[string]bool) ([]table.Document, error) {
	docs := make([]table.Document, 0, n)
	had := make([]float64, len(Classes))
	for missed := 0; len(docs) < n; {
		c := furthestBehind(had)
		text, lang := l.write(Classes[c].Name, r)
		if text == "" || seen[text] {
			if missed++; missed == patience {
				return nil, fmt.Errorf("expected %d, but after %d there are no new ones of class %s: lower the setting",
					n, len(docs), Classes[c].Name)
			}
			continue
		}
		missed, seen[text] = 0, true
		had[c] += float64(pieces(text))
		meta := map[string]string{"class": Classes[c].Name}
		docs = append(docs, table.Document{Origin: table.Origin{Source: Source, Meta: meta}, Text: text, Lang: lang})
	}
	return docs, nil
}

func furthestBehind(had []float64) int {
	least := 0
	for c := range had {
		if had[c]/Classes[c].Share < had[least]/Classes[least].Share {
			least = c
		}
	}
	return least
}

// piece matches the units that Llama 3's pre-tokenisation keeps whole, except for runs of
// spaces: RE2 cannot look ahead, but their number is the same.
var piece = regexp.MustCompile(`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\pL\pN]?\pL+|\pN{1,3}| ?[^\s\pL\pN]+[\r\n]*|\s*[\r\n]+|\s+`)

// pieces estimates the number of tokens in text. Nearly every piece is one token under a
// vocabulary trained on so small a world.
func pieces(text string) int { return len(piece.FindAllStringIndex(text, -1)) }
