package table_test

import (
	"testing"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
)

// TestIDOfEveryField: rows that differ in any part of what is said have different ids.
func TestIDOfEveryField(t *testing.T) {
	half := 0.5
	seen := map[string]string{}
	for name, change := range map[string]func(*table.Chat){
		"nothing":   func(*table.Chat) {},
		"content":   func(c *table.Chat) { c.Messages[0].Content = "x" },
		"reasoning": func(c *table.Chat) { c.Messages[0].Reasoning = "x" },
		"id":        func(c *table.Chat) { c.Messages[0].ToolCallID = "x" },
		"name":      func(c *table.Chat) { c.Messages[0].Name = "x" },
		"weight":    func(c *table.Chat) { c.Messages[0].Weight = &half },
		"call":      func(c *table.Chat) { c.Messages[0].ToolCalls = []chat.Call{{Name: "f", Arguments: "{}"}} },
		"arguments": func(c *table.Chat) { c.Messages[0].ToolCalls = []chat.Call{{Name: "f", Arguments: `{"a":1}`}} },
		"tools":     func(c *table.Chat) { c.Tools = `[{"name":"f"}]` },
	} {
		row := table.Chat{Messages: []chat.Message{{Role: "assistant", Content: "a"}}}
		change(&row)
		id := table.ContentID(row)
		if other, ok := seen[id]; ok {
			t.Errorf("rows that differ in %s and %s have one id", name, other)
		}
		seen[id] = name
	}
}
