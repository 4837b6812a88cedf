package report

import (
	"slices"
	"sort"

	"github.com/herd-lm/herd/eval/stat"
)

// centred is the length and the score of a sample minus the means of its prompt.
type centred struct{ length, score float64 }

// centre returns the scored samples of each prompt.
func (s *survey) centre() [][]centred {
	all := make([][]centred, len(s.prompts))
	for i, p := range s.prompts {
		draws := judged(p.draws, score, s.unit.of)
		if len(draws) < 2 {
			continue
		}
		length, worth := meanOf(draws, s.unit.of), meanOf(draws, score)
		for _, d := range draws {
			all[i] = append(all[i], centred{s.unit.of(d) - length, d.score - worth})
		}
	}
	return all
}

// lengthBins returns bins with about the same number of samples each, or nil if all lengths are
// equal.
func (s *survey) lengthBins() []LengthBin {
	all := s.centre()
	edges := binEdges(all)
	if len(edges) < 3 {
		return nil
	}
	bins := make([]LengthBin, len(edges)-1)
	scores, counts := make([][]float64, len(bins)), make([][]float64, len(bins))
	for k := range bins {
		scores[k], counts[k] = make([]float64, len(all)), make([]float64, len(all))
	}
	for i, samples := range all {
		for _, c := range samples {
			k := min(sort.SearchFloat64s(edges[1:], c.length), len(bins)-1) // an edge belongs to the lower bin
			scores[k][i] += c.score
			counts[k][i]++
			bins[k].Length += c.length
			bins[k].Samples++
		}
	}
	for k := range bins {
		bins[k].From, bins[k].To = rounded(edges[k]), rounded(edges[k+1])
		bins[k].Length = rounded(bins[k].Length / float64(bins[k].Samples))
		bins[k].Score = s.ratio(scores[k], counts[k])
	}
	return bins
}

// binEdges returns the minimum, the deciles and the maximum of the lengths, without duplicates.
func binEdges(all [][]centred) []float64 {
	var lengths []float64
	for _, samples := range all {
		for _, c := range samples {
			lengths = append(lengths, c.length)
		}
	}
	if len(lengths) == 0 {
		return nil
	}
	slices.Sort(lengths)
	edges := []float64{lengths[0]}
	for i := 1; i <= mostLengthBins; i++ {
		edges = append(edges, stat.Quantile(lengths, float64(i)/mostLengthBins))
	}
	return slices.Compact(edges)
}
