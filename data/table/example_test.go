package table_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
)

func Example() {
	dir, err := os.MkdirTemp("", "table")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	row := table.Chat{Messages: []chat.Message{
		{Role: chat.User, Content: "Where is the herd?"},
		{Role: chat.Assistant, Content: "Over the hills."},
	}}
	row.Extra.SetNumber("quality", 0.9) // a column of your own
	path := filepath.Join(dir, "chats.arrow")
	if err := table.WriteAll(path, table.Header{Stage: "example"}, []table.Chat{row}); err != nil {
		log.Fatal(err)
	}
	for row, err := range table.Scan[table.Chat](path) {
		if err != nil {
			log.Fatal(err)
		}
		quality, _ := row.Extra.Number("quality")
		fmt.Println(row.Messages[1].Content, quality)
	}
	// Output:
	// Over the hills. 0.9
}
