package main

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/chat"
)

func tinyConversation(t *testing.T, s sample.Settings) *conversation {
	return &conversation{answerer: tinyPolicy(t), Settings: s}
}

// say lets c answer lines and returns the roles of what it then remembers.
func say(t *testing.T, c *conversation, lines ...string) (roles []string) {
	t.Helper()
	in := newPrompter(strings.NewReader(strings.Join(lines, "\n")), nil)
	if err := c.run(context.Background(), in, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	for _, m := range c.messages {
		roles = append(roles, m.Role)
	}
	return roles
}

func TestConversationRemembers(t *testing.T) {
	c := tinyConversation(t, sample.Settings{MaxTokens: 2})
	roles := say(t, c, "hi", "you")
	if want := []string{"user", "assistant", "user", "assistant"}; !slices.Equal(roles, want) {
		t.Fatalf("roles %v, want %v", roles, want)
	}
	if c.messages[0].Content != "hi" || c.messages[2].Content != "you" || c.seed != 2 {
		t.Errorf("messages %+v, next seed %d", c.messages, c.seed)
	}
	if roles := say(t, c, "/reset"); len(roles) != 0 {
		t.Errorf("after /reset %v is remembered", roles)
	}
}

// TestConversationForgetsTheOldest talks for longer than 64 tokens.
func TestConversationForgetsTheOldest(t *testing.T) {
	c := tinyConversation(t, sample.Settings{MaxTokens: 4})
	c.system = []chat.Message{{Role: chat.System, Content: "be"}}
	roles := say(t, c, "a", "b", "c", "d", "e", "f")
	last := c.messages[len(c.messages)-2]
	if len(roles) < 2 || len(roles) >= 12 || last.Content != "f" {
		t.Errorf("remembers %d messages, the last question is %q", len(roles), last.Content)
	}
	if c.messages[0].Role != "user" {
		t.Errorf("begins with a message of the %s", c.messages[0].Role)
	}
	ids, err := c.prompt(piped{})
	if err != nil || !strings.Contains(c.Tokenizer().Decode(ids), "system<|end_header_id|>\n\nbe<|eot_id|>") {
		t.Errorf("the system message is gone: %q, %v", c.Tokenizer().Decode(ids), err)
	}
}

func TestPipedLines(t *testing.T) {
	in := newPrompter(strings.NewReader("one\r\n\ntwo"), nil)
	for _, want := range []string{"one", "", "two"} {
		if got, err := in.ReadLine(); got != want || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if got, err := in.ReadLine(); err == nil {
		t.Errorf("got %q after the end", got)
	}
}
