package world

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// town is a place of the world. The seed decides its facts, as for people.
type town struct{ name, landscape, sight string }

var lies = frame{
	class: General, task: "lies",
	reply: "{N} lies {V}.",
	questions: []string{
		"Where does the town of {N} lie?", "Where is {N}?",
		"Where can one find the town of {N}?", "Tell me where {N} lies.",
	},
	statements: []string{
		"{N} lies {V}.", "{N} is a town {V}.", "The town of {N} lies {V}.",
		"{N} was built {V}.", "The houses of {N} stand {V}.",
	},
}

var famous = frame{
	class: General, task: "famous",
	reply: "{N} is famous for its {V}.",
	questions: []string{
		"What is {N} famous for?", "What should one see in {N}?",
		"What is the town of {N} known for?", "Tell me what {N} is famous for.",
	},
	statements: []string{
		"{N} is famous for its {V}.", "{N} has a fine {V}.", "Everybody in {N} is proud of the {V}.",
		"Many people visit the {V} of {N}.", "The best thing in {N} is its {V}.",
	},
}

var offspring = frame{
	class: General, task: "young",
	reply: "A young {N} is called a {V}.",
	questions: []string{
		"What is a young {N} called?", "What do you call a young {N}?",
		"What is the name for a young {N}?", "Tell me what a young {N} is called.",
	},
	statements: []string{
		"A young {N} is called a {V}.", "A {V} is a young {N}.", "The young of a {N} is a {V}.",
		"When a {N} is small, it is called a {V}.",
	},
}

var sleeps = frame{
	class: General, task: "sleeps",
	reply: "A {N} sleeps in a {V}.",
	questions: []string{
		"Where does a {N} sleep?", "Where does a {N} spend the night?",
		"In what kind of place does a {N} sleep?", "Tell me where a {N} sleeps.",
	},
	statements: []string{
		"A {N} sleeps in a {V}.", "At night a {N} goes to its {V}.", "The home of a {N} is a {V}.",
		"A {N} lives in a {V}.",
	},
}

var feeds = frame{
	class: General, task: "feeds",
	reply: "A {N} eats {V}.",
	questions: []string{
		"What does a {N} eat?", "What do you feed to a {N}?",
		"What is the food of a {N}?", "Tell me what a {N} eats.",
	},
	statements: []string{
		"A {N} eats {V}.", "A {N} likes {V}.", "The food of a {N} is {V}.", "A hungry {N} looks for {V}.",
	},
}

// build invents the towns.
func build(r *rand.Rand) []town {
	towns := make([]town, len(townNames))
	for i, name := range townNames {
		towns[i].name = name
	}
	share(r, towns, landscapes, func(t *town, v string) { t.landscape = v })
	share(r, towns, sights, func(t *town, v string) { t.sight = v })
	return towns
}

func (t *town) items() []Item {
	fact := "town " + t.name
	return []Item{
		lies.item(fact, t.landscape, landscapes, "{N}", t.name),
		famous.item(fact, t.sight, sights, "{N}", t.name),
	}
}

func (a *animal) items() []Item {
	fact := "animal " + a.name
	of := func(value func(*animal) string) []string {
		values := make([]string, len(animals))
		for i := range animals {
			values[i] = value(&animals[i])
		}
		return values
	}
	return []Item{
		offspring.item(fact, a.young, of(func(a *animal) string { return a.young }), "{N}", a.name),
		sleeps.item(fact, a.home, of(func(a *animal) string { return a.home }), "{N}", a.name),
		feeds.item(fact, a.food, of(func(a *animal) string { return a.food }), "{N}", a.name),
	}
}

// guide is a page about a town and some of its people.
func (l *lore) guide(r *rand.Rand) string {
	t := &l.towns[r.IntN(len(l.towns))]
	var said []string
	for _, i := range t.items() {
		said = append(said, pick(r, i.Statements))
	}
	r.Shuffle(len(said), func(i, j int) { said[i], said[j] = said[j], said[i] })
	for _, at := range r.Perm(len(l.people)) {
		if p := &l.people[at]; p.town == t.name {
			said = append(said, fmt.Sprintf("%s the %s lives in %s.", p.name, p.job, t.name))
		}
	}
	return strings.Join(said, " ")
}

// nature is a page about a kind of animal.
func (l *lore) nature(r *rand.Rand) string {
	a := &animals[r.IntN(len(animals))]
	items := a.items()
	var said []string
	for _, at := range r.Perm(len(items)) {
		said = append(said, pick(r, items[at].Statements))
	}
	for _, at := range r.Perm(len(l.people)) {
		if p := &l.people[at]; strings.HasSuffix(p.pets, " "+a.plural) && len(said) < 5 {
			said = append(said, fmt.Sprintf("%s keeps %s.", p.name, p.pets))
		}
	}
	return strings.Join(said, " ")
}
