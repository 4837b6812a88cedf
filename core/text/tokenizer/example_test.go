package tokenizer_test

import (
	"fmt"
	"log"
	"slices"

	"github.com/herd-lm/herd/core/text/tokenizer"
)

func Example() {
	docs := []string{"the herd, the llamas, the herd", "the herders herd the llamas"}
	tok, err := tokenizer.Train(slices.Values(docs), tokenizer.TrainSettings{VocabSize: 275})
	if err != nil {
		log.Fatal(err)
	}
	var pieces []string
	for _, id := range tok.Encode("the herd's llamas") {
		pieces = append(pieces, tok.Token(id))
	}
	fmt.Printf("%q\n", pieces)
	// Output:
	// ["the" " herd" "'" "s" " llamas"]
}
