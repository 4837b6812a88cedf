package config

import (
	"fmt"
)

// Suggest returns a hint at the known name nearest to an unknown one, as the end of an error: ", did
// you mean "x"?"; "" if none is near.
func Suggest(unknown string, known []string) string {
	best, distance := "", len(unknown)/2+1
	for _, key := range known {
		if d := editDistance(unknown, key); d < distance {
			best, distance = key, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// editDistance returns the number of letters to insert, delete, replace or swap with their neighbour
// (optimal string alignment).
func editDistance(a, b string) int {
	var before []int // the row before last
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
