package world

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// largest is the greatest number of the world. The documents then show every pair of numbers
// below it about a hundred times, which a tiny model needs before it can calculate with pairs
// that it has not seen.
const largest = 20

var adds = frame{
	class: Maths, task: "add", exercise: true,
	reply: "The sum is {V}.",
	questions: []string{
		"What is {A} + {B}?", "How much is {A} plus {B}?", "What is the sum of {A} and {B}?", "Add {A} and {B}.",
	},
	statements: []string{
		"{A} + {B} = {V}.", "{A} + {B} = {V}.", "{A} plus {B} is {V}.", "The sum of {A} and {B} is {V}.",
		"Add {A} and {B}. The sum is {V}.", "What is {A} + {B}? The sum is {V}.",
	},
}

var subtracts = frame{
	class: Maths, task: "subtract", exercise: true,
	reply: "The difference is {V}.",
	questions: []string{
		"What is {A} - {B}?", "How much is {A} minus {B}?", "What is the difference of {A} and {B}?", "Take {B} from {A}.",
	},
	statements: []string{
		"{A} - {B} = {V}.", "{A} - {B} = {V}.", "{A} minus {B} is {V}.", "The difference of {A} and {B} is {V}.",
		"Take {B} from {A}. The difference is {V}.", "What is {A} - {B}? The difference is {V}.",
	},
}

var greater = frame{
	class: Maths, task: "greater", exercise: true,
	reply: "The greater number is {V}.",
	questions: []string{
		"Which is greater, {A} or {B}?", "Which number is greater, {A} or {B}?", "Tell me which is greater, {A} or {B}.",
	},
	statements: []string{
		"{V} is greater than {W}.", "Of {A} and {B}, the greater number is {V}.",
		"Which is greater, {A} or {B}? The greater number is {V}.",
	},
}

var smaller = frame{
	class: Maths, task: "smaller", exercise: true,
	reply: "The smaller number is {V}.",
	questions: []string{
		"Which is smaller, {A} or {B}?", "Which number is smaller, {A} or {B}?", "Tell me which is smaller, {A} or {B}.",
	},
	statements: []string{
		"{V} is smaller than {W}.", "Of {A} and {B}, the smaller number is {V}.",
		"Which is smaller, {A} or {B}? The smaller number is {V}.",
	},
}

var gains = frame{
	class: Maths, task: "gains", exercise: true,
	reply: "{N} has {A} + {B} = {V} {G}.",
	questions: []string{
		"{N} has {A} {G} and gets {B} more. How many {G} does {N} have now?",
		"{N} had {A} {G} and then found {B} {G}. How many {G} does {N} have?",
	},
	statements: []string{
		"{N} has {A} {G} and gets {B} more. Now {N} has {A} + {B} = {V} {G}.",
		"{N} had {A} {G} and then found {B} {G}. Now {N} has {A} + {B} = {V} {G}.",
	},
}

var loses = frame{
	class: Maths, task: "loses", exercise: true,
	reply: "{N} has {A} - {B} = {V} {G}.",
	questions: []string{
		"{N} has {A} {G} and gives {B} away. How many {G} does {N} have now?",
		"{N} had {A} {G} and then lost {B} {G}. How many {G} does {N} have?",
	},
	statements: []string{
		"{N} has {A} {G} and gives {B} away. Now {N} has {A} - {B} = {V} {G}.",
		"{N} had {A} {G} and then lost {B} {G}. Now {N} has {A} - {B} = {V} {G}.",
	},
}

// sumFact and differenceFact return the facts that sums, stories and programs share. The order
// of two summands makes no new fact.
func sumFact(a, b int) string        { return fmt.Sprintf("add %d %d", min(a, b), max(a, b)) }
func differenceFact(a, b int) string { return fmt.Sprintf("subtract %d %d", a, b) }
func orderFact(a, b int) string      { return fmt.Sprintf("compare %d %d", min(a, b), max(a, b)) }

// arithmetic returns all exercises on numbers. The random source only chooses the people in the
// word problems.
func arithmetic(r *rand.Rand) []Item {
	var items []Item
	for a := 1; a < largest; a++ {
		for b := 1; a+b <= largest; b++ {
			items = append(items, sums(r, a, b)...)
			items = append(items, differences(r, a+b, b)...)
		}
	}
	for a := 1; a <= largest; a++ {
		for b := 1; b <= largest; b++ {
			if a != b {
				items = append(items, comparisons(a, b)...)
			}
		}
	}
	return items
}

func sums(r *rand.Rand, a, b int) []Item {
	fact, answer, fill := sumFact(a, b), a+b, operands(r, a, b)
	return []Item{
		adds.item(fact, strconv.Itoa(answer), nearMisses(answer), fill...),
		gains.item(fact, strconv.Itoa(answer), nearMisses(answer), fill...),
	}
}

// differences returns the exercises on a-b. Stories omit those whose answer is b: their worked
// step names the answer even if the response is wrong.
func differences(r *rand.Rand, a, b int) []Item {
	fact, answer, fill := differenceFact(a, b), a-b, operands(r, a, b)
	items := []Item{subtracts.item(fact, strconv.Itoa(answer), nearMisses(answer), fill...)}
	if answer != b {
		items = append(items, loses.item(fact, strconv.Itoa(answer), nearMisses(answer), fill...))
	}
	return items
}

func comparisons(a, b int) []Item {
	fact, low, high := orderFact(a, b), strconv.Itoa(min(a, b)), strconv.Itoa(max(a, b))
	fill := []string{"{A}", strconv.Itoa(a), "{B}", strconv.Itoa(b)}
	return []Item{
		greater.item(fact, high, []string{low}, append(fill, "{W}", low)...),
		smaller.item(fact, low, []string{high}, append(fill, "{W}", high)...),
	}
}

func operands(r *rand.Rand, a, b int) []string {
	return []string{
		"{A}", strconv.Itoa(a), "{B}", strconv.Itoa(b),
		"{N}", pick(r, pick(r, [][]string{women, men})), "{G}", pick(r, goods),
	}
}

// table is a page that counts one operand up. Neighbouring sums differ by one, which lets a
// model interpolate.
func (l *lore) table(r *rand.Rand) string {
	a, sum := 1+r.IntN(largest-2), r.IntN(2) == 0
	var lines []string
	for b := 1; a+b <= largest; b++ {
		switch {
		case sum && l.splits.open(sumFact(a, b)):
			lines = append(lines, fmt.Sprintf("%d + %d = %d", a, b, a+b))
		case !sum && l.splits.open(differenceFact(a+b, a)):
			lines = append(lines, fmt.Sprintf("%d - %d = %d", a+b, a, b))
		}
	}
	if from := max(0, len(lines)-8); from > 0 {
		lines = lines[r.IntN(from+1):]
	}
	return strings.Join(lines[:min(len(lines), 8)], "\n")
}

// counting is a page that counts up or down in equal steps.
func (l *lore) counting(r *rand.Rand) string {
	step, n := 1+r.IntN(3), 4+r.IntN(4)
	numbers := make([]string, n)
	start := 1 + r.IntN(largest-step*(n-1))
	for i := range numbers {
		numbers[i] = strconv.Itoa(start + i*step)
	}
	if r.IntN(3) == 0 {
		for i, j := 0, n-1; i < j; i, j = i+1, j-1 {
			numbers[i], numbers[j] = numbers[j], numbers[i]
		}
	}
	return strings.Join(numbers, ", ") + "."
}

// worked is a page that adds by way of the next ten: 17 + 8 is 17 + 3 + 5.
func (l *lore) worked(r *rand.Rand) string {
	var lines []string
	for range 4 {
		a, b := l.summands(r)
		toTen := 10 - a%10
		rest := b - toTen
		if rest > 0 && l.splits.open(sumFact(a, toTen)) && l.splits.open(sumFact(a+toTen, rest)) {
			lines = append(lines, fmt.Sprintf("%d + %d = %d and %d + %d = %d, so %d + %d = %d.",
				a, toTen, a+toTen, a+toTen, rest, a+b, a, b, a+b))
		} else {
			lines = append(lines, fmt.Sprintf("%d + %d = %d.", a, b, a+b))
		}
	}
	return strings.Join(lines, "\n")
}

// summands draws a sum that documents may show.
func (l *lore) summands(r *rand.Rand) (a, b int) {
	for {
		a = 1 + r.IntN(largest-1)
		b = 1 + r.IntN(largest-a)
		if l.splits.open(sumFact(a, b)) {
			return a, b
		}
	}
}
