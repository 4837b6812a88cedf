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

// editDistance returns the Levenshtein distance.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
