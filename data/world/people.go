package world

import (
	"math/rand/v2"
	"strings"
)

// person is an inhabitant. The seed decides everything about people, so that only the documents
// can teach it.
type person struct {
	name, they, their             string
	town, job, pets, food, colour string
}

var lives = frame{
	class: General, task: "lives",
	reply: "{N} lives in {V}.",
	questions: []string{
		"Where does {N} live?", "In which town does {N} live?",
		"Which town is the home of {N}?", "Tell me where {N} lives.",
	},
	statements: []string{
		"{N} lives in {V}.", "{N} has a house in {V}.", "{N}'s home is in {V}.",
		"{N} comes from the town of {V}.", "The town where {N} lives is {V}.",
		"{N} has always lived in {V}.", "Whoever looks for {N} must go to {V}.",
	},
}

var works = frame{
	class: General, task: "works",
	reply: "{N} is a {V}.",
	questions: []string{
		"What is {N}'s job?", "What does {N} do for a living?",
		"What kind of work does {N} do?", "Tell me what {N}'s job is.",
	},
	statements: []string{
		"{N} is a {V}.", "{N} works as a {V}.", "{N}'s job is that of a {V}.",
		"{N} has long been a {V}.", "{N} earns a living as a {V}.",
		"{N} learned to be a {V}.", "Everybody knows {N} the {V}.",
	},
}

var keeps = frame{
	class: General, task: "keeps",
	reply: "{N} keeps {V}.",
	questions: []string{
		"Which animals does {N} keep?", "What animals does {N} have?",
		"Which animals live with {N}?", "Tell me which animals {N} keeps.",
	},
	statements: []string{
		"{N} keeps {V}.", "{N} has {V}.", "{N}'s animals are {V}.", "{N} owns {V}.",
		"{N} looks after {V}.", "{N} feeds {V} every day.", "In the yard of {N} there are {V}.",
	},
}

var eats = frame{
	class: General, task: "eats",
	reply: "{N} likes to eat {V}.",
	questions: []string{
		"What does {N} like to eat?", "What is {N}'s favourite food?",
		"Which food does {N} like best?", "Tell me what {N} likes to eat.",
	},
	statements: []string{
		"{N} likes to eat {V}.", "{N}'s favourite food is {V}.", "{N} loves {V}.",
		"{N} often eats {V}.", "{N} asks for {V} at every meal.",
		"The food that {N} likes best is {V}.", "On feast days {N} eats {V}.",
	},
}

var favours = frame{
	class: General, task: "colour",
	reply: "{N} likes the colour {V}.",
	questions: []string{
		"Which colour does {N} like?", "What is {N}'s favourite colour?",
		"Which colour does {N} like best?", "Tell me which colour {N} likes.",
	},
	statements: []string{
		"{N} likes the colour {V}.", "{N}'s favourite colour is {V}.", "{N} wears a {V} coat.",
		"{N} has a {V} door.", "{N} paints everything {V}.", "{N}'s house is {V}.",
		"The colour that {N} likes best is {V}.",
	},
}

// settle invents the inhabitants. It deals every value out evenly and in random order, so that
// no value is likelier than another.
func settle(r *rand.Rand) []person {
	people := make([]person, 0, len(women)+len(men))
	for _, name := range women {
		people = append(people, person{name: name, they: "She", their: "Her"})
	}
	for _, name := range men {
		people = append(people, person{name: name, they: "He", their: "His"})
	}
	share(r, people, townNames, func(p *person, v string) { p.town = v })
	share(r, people, jobs, func(p *person, v string) { p.job = v })
	share(r, people, herds(), func(p *person, v string) { p.pets = v })
	share(r, people, foods, func(p *person, v string) { p.food = v })
	share(r, people, colours, func(p *person, v string) { p.colour = v })
	return people
}

// herds returns two to four of each pet, in words.
func herds() []string {
	var all []string
	for _, number := range numerals {
		for _, pet := range pets {
			all = append(all, number+" "+pet)
		}
	}
	return all
}

// share gives each owner a value, all values equally often.
func share[T any](r *rand.Rand, owners []T, values []string, give func(*T, string)) {
	for i, at := range r.Perm(len(owners)) {
		give(&owners[at], values[i%len(values)])
	}
}

// items returns all questions about p.
func (p *person) items() []Item {
	fact := "person " + p.name
	return []Item{
		lives.item(fact, p.town, townNames, "{N}", p.name),
		works.item(fact, p.job, jobs, "{N}", p.name),
		keeps.item(fact, p.pets, herds(), "{N}", p.name),
		eats.item(fact, p.food, foods, "{N}", p.name),
		favours.item(fact, p.colour, colours, "{N}", p.name),
	}
}

// portrait is a page with all facts about one person, in random order and wording. A model that
// has read a fact in one wording only can recite it, but cannot answer a question about it
// (Allen-Zhu and Li, Physics of Language Models, part 3.1).
func (l *lore) portrait(r *rand.Rand) string {
	p := &l.people[r.IntN(len(l.people))]
	return strings.Join(p.sentences(r), " ")
}

// sentences states all facts about p, each once, in a random order.
func (p *person) sentences(r *rand.Rand) []string {
	items := p.items()
	said := make([]string, 0, len(items))
	for i, at := range r.Perm(len(items)) {
		s := pick(r, items[at].Statements)
		if i > 0 && r.IntN(3) == 0 {
			s = p.pronoun(s)
		}
		said = append(said, s)
	}
	return said
}

// pronoun replaces the name at the beginning of a sentence.
func (p *person) pronoun(sentence string) string {
	if rest, found := strings.CutPrefix(sentence, p.name+"'s "); found {
		return p.their + " " + rest
	}
	if rest, found := strings.CutPrefix(sentence, p.name+" "); found {
		return p.they + " " + rest
	}
	return sentence
}

// couple is a page about two people side by side: only the names then connect each fact with
// its person.
func (l *lore) couple(r *rand.Rand) string {
	at := r.Perm(len(l.people))
	p, q := &l.people[at[0]], &l.people[at[1]]
	var said []string
	theirs := q.items()
	for i, mine := range p.items() {
		said = append(said, pick(r, mine.Statements), pick(r, theirs[i].Statements))
	}
	start := 2 * r.IntN(3)
	return strings.Join(said[start:start+6], " ")
}

var days = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

var mornings = []string{
	"It was {D} morning in {T}, and {N} the {J} was up early.",
	"One {D} {N} the {J} walked through {T}.",
	"On {D} the sun rose over {T}, where {N} lives.",
}

var middays = []string{
	"{They} fed {their} {P} and put on a {C} coat.",
	"{Their} {P} were hungry, so {they} gave them hay.",
	"{They} opened the {C} door and looked for {their} {P}.",
}

var evenings = []string{
	"In the evening {they} made {F}, because {N} loves {F}.",
	"At night {they} ate {F} and was happy.",
	"Then the {J} went home to {T} and ate {F}.",
}

// story is a page about a day of a person, with the person's facts.
func (l *lore) story(r *rand.Rand) string {
	p := &l.people[r.IntN(len(l.people))]
	fill := strings.NewReplacer(
		"{N}", p.name, "{T}", p.town, "{J}", p.job, "{P}", p.pets, "{F}", p.food, "{C}", p.colour,
		"{They}", p.they, "{they}", strings.ToLower(p.they),
		"{Their}", p.their, "{their}", strings.ToLower(p.their), "{D}", pick(r, days))
	return fill.Replace(strings.Join([]string{pick(r, mornings), pick(r, middays), pick(r, evenings)}, " "))
}
