package pack_test

import (
	"fmt"
	"log"

	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
)

// A prompt with two responses becomes three segments. The batch holds the prompt once.
func Example() {
	response := func(ids ...token.ID) pack.Run {
		weights := make([]float32, len(ids))
		for i := range weights {
			weights[i] = 1
		}
		return pack.Run{IDs: ids, SeqWeight: weights}
	}
	pair := pack.Example{
		Row:       "a preference",
		Prompt:    pack.Run{IDs: []token.ID{1, 2, 3}},
		Responses: []pack.Run{response(4, 5), response(6, 7, 8)},
		Pairs:     []token.Pair{{Chosen: 0, Rejected: 1, Weight: 1}},
		Norm:      1,
	}
	plan, err := pack.NewPlan([]pack.Example{pair}, pack.Limits{Rows: 1, Micro: 64}, 1)
	if err != nil {
		log.Fatal(err)
	}
	batch := plan.Step(0)[0]
	fmt.Println("segments", batch.Segments)
	fmt.Println("positions", batch.Pos)
	fmt.Println("read", batch.Read)
	fmt.Println("target", batch.Target)
	// Output:
	// segments [{0 3 -1} {3 4 0} {4 6 0}]
	// positions [0 1 2 3 3 4]
	// read [2 3 2 4 5]
	// target [4 5 6 7 8]
}
