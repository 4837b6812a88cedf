package world

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

var printsSum = frame{
	class: Code, task: "print_sum", exercise: true,
	reply: "It prints {V}.",
	questions: []string{
		"What does print({A} + {B}) print?", "What does x = {A}; print(x + {B}) print?",
		"What is printed by print({A} + {B})?",
	},
	statements: []string{
		"print({A} + {B})  # {V}", ">>> print({A} + {B})\n{V}", "x = {A}\nprint(x + {B})  # {V}",
		"# What does print({A} + {B}) print? It prints {V}.",
	},
}

var printsLength = frame{
	class: Code, task: "len",
	reply: "It prints {V}.",
	questions: []string{
		"What does print(len(\"{W}\")) print?", "What is printed by print(len(\"{W}\"))?",
		"What does x = \"{W}\"; print(len(x)) print?",
	},
	statements: []string{
		"print(len(\"{W}\"))  # {V}", ">>> print(len(\"{W}\"))\n{V}", "x = \"{W}\"\nprint(len(x))  # {V}",
		"# The word {W} has {V} letters: {L}.", "# {W} has {V} letters, so len(\"{W}\") is {V}.",
	},
}

var printsElement = frame{
	class: Code, task: "index", exercise: true,
	reply: "It prints {V}.",
	questions: []string{
		"What does print([{L}][{I}]) print?", "What is printed by print([{L}][{I}])?",
		"What does x = [{L}]; print(x[{I}]) print?",
	},
	statements: []string{
		"print([{L}][{I}])  # {V}", ">>> print([{L}][{I}])\n{V}", "x = [{L}]\nprint(x[{I}])  # {V}",
		"# What does print([{L}][{I}]) print? It prints {V}.",
	},
}

var printsExtreme = frame{
	class: Code, task: "{F}", exercise: true, // max or min
	reply: "It prints {V}.",
	questions: []string{
		"What does print({F}({L})) print?", "What is printed by print({F}({L}))?",
		"What does x = [{L}]; print({F}(x)) print?",
	},
	statements: []string{
		"print({F}({L}))  # {V}", ">>> print({F}({L}))\n{V}", "x = [{L}]\nprint({F}(x))  # {V}",
		"# What does print({F}({L})) print? It prints {V}.",
	},
}

// lists is the number of lists of words, and of lists of numbers, in the programs.
const lists = 400

// snippets returns all questions about programs.
func snippets(r *rand.Rand) []Item {
	var items []Item
	for a := 1; a < largest; a++ {
		for b := 1; a+b <= largest; b++ {
			items = append(items, printsSum.item(sumFact(a, b), strconv.Itoa(a+b), nearMisses(a+b),
				"{A}", strconv.Itoa(a), "{B}", strconv.Itoa(b)))
		}
	}
	for _, w := range words() {
		items = append(items, length(w))
	}
	items = append(items, distinct(lists, func() []Item { return elements(r) })...)
	return append(items, distinct(lists, func() []Item { return extremes(r) })...)
}

// distinct draws until it has n different facts, and returns all their items.
func distinct(n int, draw func() []Item) []Item {
	var items []Item
	for seen := map[string]bool{}; len(seen) < n; {
		if drawn := draw(); !seen[drawn[0].Fact] {
			seen[drawn[0].Fact] = true
			items = append(items, drawn...)
		}
	}
	return items
}

// words returns the plain words that programs handle.
func words() []string {
	all := append([]string{}, colours...)
	for _, a := range animals {
		all = append(all, a.name)
	}
	return append(append(all, foods...), jobs...)
}

func length(w string) Item {
	n := len(w) // the words are ASCII, so bytes are letters
	return printsLength.item("letters "+w, strconv.Itoa(n), nearMisses(n)[:3],
		"{W}", w, "{L}", strings.Join(strings.Split(w, ""), ", "))
}

// elements asks for each element of a list of three distinct words.
func elements(r *rand.Rand) []Item {
	all := words()
	var list []string
	for _, at := range r.Perm(len(all))[:3] {
		list = append(list, all[at])
	}
	quoted := `"` + strings.Join(list, `", "`) + `"`
	var items []Item
	for i, w := range list {
		others := append(append([]string{}, list[:i]...), list[i+1:]...)
		items = append(items, printsElement.item("list "+strings.Join(list, " "), w, others,
			"{L}", quoted, "{I}", strconv.Itoa(i)))
	}
	return items
}

// extremes asks for the greatest and the least of three distinct numbers. The order of the
// numbers makes no new fact.
func extremes(r *rand.Rand) []Item {
	n := r.Perm(largest)[:3]
	a, b, c := n[0]+1, n[1]+1, n[2]+1
	low, high := min(a, b, c), max(a, b, c)
	middle := a + b + c - low - high
	fact := fmt.Sprintf("extremes %d %d %d", low, middle, high)
	list := fmt.Sprintf("%d, %d, %d", a, b, c)
	ask := func(name string, answer int, wrong ...int) Item {
		return printsExtreme.item(fact, strconv.Itoa(answer), []string{strconv.Itoa(wrong[0]), strconv.Itoa(wrong[1])},
			"{F}", name, "{L}", list)
	}
	return []Item{ask("max", high, middle, low), ask("min", low, middle, high)}
}

// function is a page that defines a function and calls it.
func (l *lore) function(r *rand.Rand) string {
	a, b := l.summands(r)
	name := pick(r, []string{"add", "plus", "total"})
	return fmt.Sprintf("def %s(x, y):\n    return x + y\n\nprint(%s(%d, %d))  # %d", name, name, a, b, a+b)
}
