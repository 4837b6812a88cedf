package near

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestGroups: near copies are in one group, and other texts are not.
func TestGroups(t *testing.T) {
	texts := []string{
		"Give three tips for staying healthy and fit through a long and dark winter.", // 0
		"give THREE tips, for staying healthy and fit   through a long and dark winter!",
		"Describe how to bake bread without an oven, in the open air.", // 2
		"Give three tips for staying healthy and fit through a long and dark winter, please.",
		"", // 4
		"?!",
		"Wie backt man Brot ohne Ofen unter freiem Himmel?", // 6
		"!?",
		"", // 8
		"日本の首都はどこですか。詳しく教えてください。",
		"日本の首都はどこですか？ 詳しく教えてください", // 10
		"ab", "AB.", "ac",
	}
	want := []int{0, 0, 2, 0, 4, 5, 6, 7, 4, 9, 10, 11, 11, 13}
	want[10] = 9
	var g Groups
	for _, text := range texts {
		g.Add(text)
	}
	for i := range texts {
		if got := g.Of(i); got != want[i] {
			t.Errorf("%q is in the group of %q, want that of %q", texts[i], texts[got], texts[want[i]])
		}
	}
}

// TestSimilarity: the estimate is near the share of common pieces.
func TestSimilarity(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	words := func(n int) string {
		var b strings.Builder
		for range n {
			fmt.Fprintf(&b, "w%06d ", r.IntN(1e6))
		}
		return b.String()
	}
	pieces := func(text string) map[string]bool {
		all := make(map[string]bool)
		for i := range len(text) - piece + 1 {
			all[text[i:i+piece]] = true
		}
		return all
	}
	for _, shared := range []int{0, 20, 100, 400} {
		common := words(shared)
		a, b := common+words(40), common+words(40)
		pa, pb := pieces(a), pieces(b)
		both := 0
		for p := range pa {
			if pb[p] {
				both++
			}
		}
		want := float64(both) / float64(len(pa)+len(pb)-both)
		sa, sb := sign(a), sign(b)
		if got := sa.similarity(&sb); math.Abs(got-want) > 0.15 { // three standard deviations of 112 draws
			t.Errorf("%d of %d words shared: similarity %.3f, want %.3f", shared, shared+40, got, want)
		}
	}
}

// TestGroupsAgainstOneByOne: of random near copies, nearly all are found, and no group holds texts
// of two originals.
func TestGroupsAgainstOneByOne(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var g Groups
	var origin []int
	for i := range 200 {
		var words []string
		for range 60 {
			words = append(words, fmt.Sprintf("%x", r.IntN(1<<20)))
		}
		g.Add(strings.Join(words, " "))
		words[r.IntN(60)] = "other"
		g.Add(strings.Join(words, ", "))
		origin = append(origin, i, i)
	}
	found := 0
	for i := range origin {
		if first := g.Of(i); origin[first] != origin[i] {
			t.Errorf("text %d is in the group of text %d", i, first)
		}
		if i%2 == 1 && g.Of(i) == i-1 {
			found++
		}
	}
	if found < 198 {
		t.Errorf("%d of 200 near copies found", found)
	}
}
