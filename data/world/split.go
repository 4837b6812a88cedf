package world

import (
	"math/rand/v2"
)

// Split says which stage may see a fact.
type Split int

const (
	Demonstration Split = iota // in the chats for supervised fine-tuning
	Pool                       // in the prompts for rejection sampling
	HeldOut                    // in evaluation only
)

// The percentages of a task's facts that are demonstrated and held out. The rest go to the
// pool, which is large because sampling needs no human.
const (
	demonstrated = 35
	heldOut      = 15
)

// splits maps facts to splits. Code only looks facts up and never ranges over the map, whose
// order is random.
type splits map[string]Split

// deal assigns every fact of items to a split, in exact shares for each task: a task with few
// facts (twenty towns) must still have some in every split. Facts of an earlier task keep their
// split.
func deal(r *rand.Rand, items []Item) splits {
	s := splits{}
	for _, task := range byTask(items) {
		facts := s.newFacts(task)
		r.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
		shown, hidden := portion(len(facts), demonstrated), portion(len(facts), heldOut)
		for i, fact := range facts {
			switch {
			case i < shown:
				s[fact] = Demonstration
			case i < shown+hidden:
				s[fact] = HeldOut
			default:
				s[fact] = Pool
			}
		}
	}
	return s
}

// portion returns percent of n, rounded to the nearest integer.
func portion(n, percent int) int { return (n*percent + 50) / 100 }

// newFacts returns the distinct facts of items that have no split yet.
func (s splits) newFacts(items []Item) []string {
	var facts []string
	seen := map[string]bool{}
	for _, i := range items {
		if _, dealt := s[i.Fact]; !dealt && !seen[i.Fact] {
			seen[i.Fact] = true
			facts = append(facts, i.Fact)
		}
	}
	return facts
}

// open reports whether documents and training sets may use the fact as an exercise. Facts
// without a split are open.
func (s splits) open(fact string) bool {
	split, dealt := s[fact]
	return !dealt || split != HeldOut
}

// in returns the items whose fact is in one of the given splits, in order.
func (s splits) in(items []Item, wanted ...Split) []Item {
	var found []Item
	for _, i := range items {
		for _, w := range wanted {
			if s[i.Fact] == w {
				found = append(found, i)
			}
		}
	}
	return found
}

// byTask groups items by task. Tasks are in the order of their first item.
func byTask(items []Item) [][]Item {
	var groups [][]Item
	index := map[string]int{}
	for _, i := range items {
		at, seen := index[i.Task]
		if !seen {
			at = len(groups)
			index[i.Task] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], i)
	}
	return groups
}
