package template_test

import (
	"fmt"
	"log"
	"slices"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

func Example() {
	docs := []string{"the herd, the llamas, the herd", "the herders herd the llamas"}
	tok, err := tokenizer.Train(slices.Values(docs), tokenizer.TrainSettings{VocabSize: 275})
	if err != nil {
		log.Fatal(err)
	}
	format, err := template.New(tok)
	if err != nil {
		log.Fatal(err)
	}
	rendered, err := format.Chat([]chat.Message{
		{Role: "user", Content: "the llamas?"},
		{Role: chat.Assistant, Content: "the herd"},
	})
	if err != nil {
		log.Fatal(err)
	}
	var learnt []token.ID
	for i, id := range rendered.IDs {
		if rendered.Own[i] {
			learnt = append(learnt, id)
		}
	}
	fmt.Println(tok.Decode(learnt))
	// Output:
	// the herd<|eot_id|>
}
