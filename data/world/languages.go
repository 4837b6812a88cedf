package world

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

var says = frame{
	class: Multilingual, task: "translate",
	reply: "In {L}, {E} is {V}.",
	questions: []string{
		"How do you say '{E}' in {L}?", "What is '{E}' in {L}?",
		"What is the {L} word for '{E}'?", "Translate '{E}' into {L}.",
	},
	statements: []string{
		"In {L}, {E} is {V}.", "The {L} word for {E} is {V}.", "{E} in {L}: {V}.", "{V} is {L} for {E}.",
	},
}

var means = frame{
	class: Multilingual, task: "means",
	reply: "In English, {F} is {V}.",
	questions: []string{
		"What does the {L} word '{F}' mean?", "What is the {L} '{F}' in English?",
		"What is the English word for the {L} '{F}'?", "Translate the {L} '{F}' into English.",
	},
	statements: []string{
		"In English, {F} is {V}.", "The {L} word {F} means {V}.", "{F} in English: {V}.",
	},
}

var counts = frame{
	class: Multilingual, task: "sentence", exercise: true,
	reply: "In {L}, you say: {V}.",
	questions: []string{
		"How do you say 'I have {E}' in {L}?", "Translate 'I have {E}' into {L}.", "What is 'I have {E}' in {L}?",
	},
	statements: []string{
		"I have {E}. {V}.", "I have {E} in {L}: {V}.", "In {L}, 'I have {E}' is '{V}'.",
	},
}

// translations returns all questions about other languages. It omits words that are the same in
// both languages.
func translations() []Item {
	var items []Item
	for _, l := range languages {
		for _, category := range categories() {
			for _, w := range category {
				if !strings.EqualFold(w.english, w.foreign[l.index]) {
					items = append(items, l.word(w, category)...)
				}
			}
		}
		items = append(items, l.sentences()...)
	}
	return items
}

// categories returns the dictionary by category: a wrong translation is another word of the
// same category.
func categories() [][]word {
	names := make([]word, len(animalWords))
	for i, a := range animalWords {
		names[i] = a.word
	}
	return [][]word{numberWords, colourWords, foodWords, names}
}

func (l language) word(w word, category []word) []Item {
	var foreign, english []string
	for _, other := range category {
		foreign = append(foreign, other.foreign[l.index])
		english = append(english, other.english)
	}
	fact, f := l.name+" "+w.english, w.foreign[l.index]
	return []Item{
		says.item(fact, f, foreign, "{L}", l.name, "{E}", w.english),
		means.item(fact, w.english, english, "{L}", l.name, "{F}", f),
	}
}

// sentences asks for "I have three goats": every number with every animal. A wrong answer has
// the wrong number or the wrong animal.
func (l language) sentences() []Item {
	var items []Item
	for n := range numberWords {
		for a := range animalWords {
			english := numberWords[n].english + " " + plural(animalWords[a].english)
			wrong := []string{
				l.having((n+1)%len(numberWords), a), l.having((n+5)%len(numberWords), a),
				l.having(n, (a+1)%len(animalWords)), l.having(n, (a+7)%len(animalWords)),
			}
			items = append(items, counts.item(l.name+" "+english, l.having(n, a), wrong, "{L}", l.name, "{E}", english))
		}
	}
	return items
}

// having returns "I have N animals" in l, without a full stop.
func (l language) having(n, a int) string {
	return strings.NewReplacer("{N}", numberWords[n].foreign[l.index], "{A}", animalWords[a].plurals[l.index]).Replace(l.have)
}

// plural returns the plural of an animal in the dictionary.
func plural(name string) string {
	for _, a := range animals {
		if a.name == name {
			return a.plural
		}
	}
	return name + "s"
}

// monologue is a page in one language.
func (l *lore) monologue(r *rand.Rand) (text, lang string) {
	speech := pick(r, languages)
	var said []string
	for range 4 + r.IntN(4) {
		said = append(said, speech.describe(r))
	}
	return strings.Join(said, " "), speech.code
}

// describe states the colour of an animal.
func (l language) describe(r *rand.Rand) string {
	a, c := r.IntN(len(animalWords)), r.IntN(len(colourWords))
	colour := colourWords[c].foreign[l.index]
	if animalWords[a].article[l.index] == "La" {
		colour = feminine[c][l.index]
	}
	return strings.NewReplacer("{T}", animalWords[a].article[l.index], "{A}", animalWords[a].foreign[l.index],
		"{C}", colour).Replace(l.is)
}

// glossary is a page of words of one category with their translations.
func (l *lore) glossary(r *rand.Rand) string {
	speech, category := pick(r, languages), pick(r, categories())
	lines := []string{fmt.Sprintf("%s words:", speech.name)}
	for _, at := range r.Perm(len(category))[:6] {
		lines = append(lines, category[at].english+": "+category[at].foreign[speech.index])
	}
	return strings.Join(lines, "\n")
}
