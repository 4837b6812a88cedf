package serve

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// Bounds of histograms, in seconds.
var (
	tookBounds  = []float64{0.01, 0.1, 0.3, 1, 3, 10, 30, 60, 120, 300, 600}
	firstBounds = []float64{0.001, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 300}
	eachBounds  = []float64{0.001, 0.003, 0.01, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 3}
)

// histogram counts values in the buckets between bounds.
type histogram struct {
	bounds []float64
	mu     sync.Mutex
	counts []uint64 // one more than bounds
	sum    float64
}

func newHistogram(bounds []float64) *histogram {
	return &histogram{bounds: bounds, counts: make([]uint64, len(bounds)+1)}
}

func (h *histogram) observe(v float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts[sort.SearchFloat64s(h.bounds, v)]++ // a bucket includes its upper bound
	h.sum += v
}

// write writes the samples of name with the given labels.
func (h *histogram) write(b *strings.Builder, name, labels string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var n uint64
	for i, c := range h.counts {
		le := "+Inf"
		if i < len(h.bounds) {
			le = strconv.FormatFloat(h.bounds[i], 'g', -1, 64)
		}
		n += c
		fmt.Fprintf(b, "%s_bucket{%s,le=%q} %d\n", name, labels, le, n)
	}
	fmt.Fprintf(b, "%s_sum{%s} %g\n%s_count{%s} %d\n", name, labels, h.sum, name, labels, n)
}
