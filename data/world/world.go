// Package world generates the quickstart's data from a seed, without network access: a small
// invented world of people, towns and animals, with sums, programs and a few words of other
// languages. In it a Llama of a few million parameters can go from random weights to a
// preference-tuned chat model. Each stage has something of its own to learn:
//
//   - The documents state every fact in many wordings, and exercises of all kinds: pretraining
//     learns the facts.
//   - The chats demonstrate how to answer, on some of the facts. Like human demonstrations
//     they differ in style and are sometimes wrong: the tuned model answers in a mixture of
//     styles.
//   - The preferences say which of two responses is better: right before wrong, well-formed
//     before sloppy, concise before verbose. The reward model learns these standards.
//   - The prompts are many more questions without answers, for rejection sampling and direct
//     preference optimisation.
//
// The held-out questions are about facts on which no stage has a question. Facts to look up
// (where Mira lives) are in the documents; exercises (17 + 8) are not.
//
// Begin with Generate, or Write for tables on disk.
package world

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
)

// Source is the source column of every row.
const Source = "world"

// Settings says how many rows of each table to generate.
type Settings struct {
	Seed               uint64 `yaml:"seed"`                 // random seed for facts and rows; 0 in a recipe: the recipe's seed
	Documents          int    `yaml:"documents"`            // number of documents to pretrain on
	HeldOutDocuments   int    `yaml:"held_out_documents"`   // number of documents to measure the loss on
	Chats              int    `yaml:"chats"`                // number of demonstrations to fine-tune on
	Preferences        int    `yaml:"preferences"`          // number of pairs for the reward model
	HeldOutPreferences int    `yaml:"held_out_preferences"` // number of pairs to measure the reward model on
	Prompts            int    `yaml:"prompts"`              // number of questions without answers, for sampling
	HeldOut            int    `yaml:"held_out"`             // number of questions to measure chat models on

	Demonstrations Rates `yaml:"demonstrations"` // flaws of the chats
	Policy         Rates `yaml:"policy"`         // flaws of the responses that preferences compare
}

// Defaults returns the settings of the quickstart: about 8 MB of documents.
func Defaults() Settings {
	return Settings{
		Seed:      1,
		Documents: 44_000, HeldOutDocuments: 600,
		Chats: 1_200, Preferences: 2_400, HeldOutPreferences: 400,
		Prompts: 3_200, HeldOut: 500,
		Demonstrations: Rates{Wrong: 0.10, Verbose: 0.20, Informal: 0.15},
		Policy:         Rates{Wrong: 0.40, Verbose: 0.35, Informal: 0.30},
	}
}

// Validate returns an error for the first invalid setting.
func (s Settings) Validate() error {
	for _, n := range []struct {
		name  string
		value int
	}{
		{"documents", s.Documents}, {"held-out documents", s.HeldOutDocuments}, {"chats", s.Chats},
		{"preferences", s.Preferences}, {"held-out preferences", s.HeldOutPreferences},
		{"prompts", s.Prompts}, {"held-out prompts", s.HeldOut},
	} {
		if n.value < 0 {
			return fmt.Errorf("world: %d %s asked for, it must be 0 or more", n.value, n.name)
		}
	}
	if err := s.Demonstrations.validate("demonstrations"); err != nil {
		return err
	}
	if err := s.Policy.validate("policy"); err != nil {
		return err
	}
	if s.Preferences+s.HeldOutPreferences > 0 && !s.Policy.vary() {
		return fmt.Errorf("world: preferences asked for, but the policy's rates make all responses alike: set one between 0 and 1")
	}
	return nil
}

func (rates Rates) validate(whose string) error {
	for _, rate := range []float64{rates.Wrong, rates.Verbose, rates.Informal} {
		if !(rate >= 0 && rate <= 1) {
			return fmt.Errorf("world: a rate of the %s is %v, it must be from 0 to 1", whose, rate)
		}
	}
	return nil
}

// vary reports whether two responses can differ in quality.
func (rates Rates) vary() bool {
	between := func(rate float64) bool { return rate > 0 && rate < 1 }
	return between(rates.Wrong) || between(rates.Verbose) || between(rates.Informal)
}

// World holds all generated rows. Equal settings give equal worlds, byte for byte, on every
// platform.
type World struct {
	Documents, HeldOutDocuments     []table.Document
	Chats                           []table.Chat
	Preferences, HeldOutPreferences []table.Preference
	Prompts, HeldOut                []table.Chat // end with the user's message; Meta has what the grade needs
}

// lore holds the facts of the world, and their splits.
type lore struct {
	people []person
	towns  []town
	items  []Item
	splits splits
	open   map[string][]Item   // by task: items that documents may state
	shown  map[string][][]Item // by class, then by task: items that quizzes may ask
}

// Generate makes a world. It returns an error if the settings ask for more questions or
// documents than the world has.
func Generate(s Settings) (*World, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	l, w := invent(s.Seed), &World{}
	if err := l.writeDocuments(s, w); err != nil {
		return nil, err
	}
	if err := l.ask(s, w); err != nil {
		return nil, err
	}
	return w, nil
}

// writeDocuments fills in the documents, the held-out ones first: no training document may
// repeat one of them.
func (l *lore) writeDocuments(s Settings, w *World) (err error) {
	seen := map[string]bool{}
	w.HeldOutDocuments, err = l.documents(stream(s.Seed, "held-out documents"), s.HeldOutDocuments, seen)
	if err != nil {
		return fmt.Errorf("world: held-out documents: %w", err)
	}
	if w.Documents, err = l.documents(stream(s.Seed, "documents"), s.Documents, seen); err != nil {
		return fmt.Errorf("world: documents: %w", err)
	}
	return nil
}

// invent makes up the facts of the world and assigns their splits.
func invent(seed uint64) *lore {
	l := &lore{people: settle(stream(seed, "people")), towns: build(stream(seed, "towns"))}
	for i := range l.people {
		l.items = append(l.items, l.people[i].items()...)
	}
	for i := range l.towns {
		l.items = append(l.items, l.towns[i].items()...)
	}
	for i := range animals {
		l.items = append(l.items, animals[i].items()...)
	}
	l.items = append(l.items, arithmetic(stream(seed, "arithmetic"))...)
	l.items = append(l.items, snippets(stream(seed, "snippets"))...)
	l.items = append(l.items, translations()...)
	l.splits = deal(stream(seed, "splits"), l.items)
	l.index()
	return l
}

// index sorts the items for the writers of documents. Documents state all facts to look up,
// whatever their split, but exercises only if they are open.
func (l *lore) index() {
	l.open, l.shown = map[string][]Item{}, map[string][][]Item{}
	for _, task := range byTask(l.items) {
		name := task[0].Task
		l.open[name] = task
		if task[0].Exercise {
			l.open[name] = l.splits.in(task, Demonstration, Pool)
		}
		class := task[0].Class
		l.shown[class] = append(l.shown[class], l.splits.in(task, Demonstration, Pool))
	}
}

// stream derives an independent random source for each section, so that a change to one section
// leaves the others unchanged.
func stream(seed uint64, section string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(section))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func user(question string) chat.Message { return chat.Message{Role: chat.User, Content: question} }

func assistant(response string) chat.Message {
	return chat.Message{Role: chat.Assistant, Content: response}
}
