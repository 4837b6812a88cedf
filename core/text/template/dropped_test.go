package template

import (
	"errors"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/text/chat"
)

// full prints all parts of a message.
const full = `{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}{{ '\n' }}` +
	`{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content | trim }}` +
	`{% for c in m.tool_calls %}{{ c.function.name }} {{ c.function.arguments | tojson }}{% endfor %}<|im_end|>{{ '\n' }}{% endfor %}` +
	`{% if add_generation_prompt %}<|im_start|>assistant{{ '\n' }}{% endif %}`

// TestDropped: a template that leaves out a part of what was said is refused, with what is missing,
// unless the user accepts it.
func TestDropped(t *testing.T) {
	question := say("user", " what? ")
	said := chat.Message{
		Role: chat.Assistant, Content: "so \"it\" is\n", Reasoning: "let me think",
		ToolCalls: []chat.Call{{ID: "1", Name: "look", Arguments: `{"where":["here","<there>"],"n":2}`}},
	}
	messages := []chat.Message{question, said}
	for name, c := range map[string]struct{ old, new, want string }{
		"all printed":   {"", "", ""},
		"the reasoning": {"<think>{{ m.reasoning_content }}</think>", "", `leaves out the reasoning of message 1, from "let me think" on`},
		"a word":        {"{{ m.content | trim }}", "{{ m.content.split(' ')[-1] }}", `leaves out text of message 0, from "what? " on`},
		"the end":       {"{{ m.content | trim }}", "{{ m.content[:3] }}", `leaves out text of message 0, from "at? " on`},
		"the calls":     {"{% for c in m.tool_calls %}", "{% for c in [] %}", `leaves out the tool calls of message 1, from "look" on`},
		"arguments":     {"{{ c.function.arguments | tojson }}", "", "leaves out the tool calls of message 1"},
		"the tools":     {"{{ tools | tojson }}", "", "does not print the tools"},
	} {
		f, err := formatOf(t, strings.Replace(full, c.old, c.new, 1)).WithTools(`[{"name":"look"}]`)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Chat(messages)
		var dropped *Dropped
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &dropped) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
		if _, err := f.AllowDropped().Chat(messages); err != nil {
			t.Errorf("%s, accepted: %v", name, err)
		}
	}
	// Calls are told apart, and numbers count.
	two := chat.Message{Role: chat.Assistant, ToolCalls: []chat.Call{{Name: "look", Arguments: `{"x":"12"}`}, {Name: "look", Arguments: `{"x":"2"}`}}}
	for name, c := range map[string]struct {
		old, new, want string
		m              chat.Message
	}{
		"the second call": {"{% for c in m.tool_calls %}", "{% for c in (m.tool_calls or [])[:1] %}", `leaves out the tool calls of message 1, from "look" on`, two},
		"a number":        {"{{ c.function.arguments | tojson }}", "{{ c.function.arguments | list | join }}", `leaves out the tool calls of message 1, from "55" on`, calling(`{"x":55}`)},
		"a null":          {"{{ c.function.arguments | tojson }}", "{{ c.function.arguments | list | join }}", `from "null" on`, calling(`{"x":null}`)},
		"all numbers":     {"", "", "", calling(`{"x":[55,-1.50,1e30,true,null]}`)},
		"a description":   {"{{ tools | tojson }}", "{% for t in tools %}{{ t.name }}{% endfor %}", `leaves out a part of the tools, from "sees" on`, calling("{}")},
	} {
		f, err := formatOf(t, strings.Replace(full, c.old, c.new, 1)).WithTools(`[{"name":"look","description":"sees"}]`)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Chat([]chat.Message{question, c.m}); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	// In a prompt the template may drop what the assistant said earlier, and nothing else.
	f := formatOf(t, reasoning)
	if _, err := f.Prompt([]chat.Message{question, say(chat.Assistant, "<think>hm</think>yo"), question}); err != nil {
		t.Error(err)
	}
	f = formatOf(t, strings.Replace(full, "{{ m.content | trim }}", "{{ '' if m.role == 'assistant' else m.content }}", 1))
	if _, err := f.Prompt([]chat.Message{question, say(chat.Assistant, "yo"), question}); err == nil || !strings.Contains(err.Error(), "leaves out text of message 1") {
		t.Errorf("an earlier answer that is not printed: error %v", err)
	}
	f = formatOf(t, strings.Replace(full, "{{ m.content | trim }}", "{{ '' if m.role == 'system' else m.content }}", 1))
	if _, err := f.Prompt([]chat.Message{say("system", "be brief"), question}); err == nil || !strings.Contains(err.Error(), "leaves out text of message 0") {
		t.Errorf("a system message that is not printed: error %v", err)
	}
}

func calling(arguments chat.JSON) chat.Message {
	return chat.Message{Role: chat.Assistant, ToolCalls: []chat.Call{{Name: "look", Arguments: arguments}}}
}

// TestTwoEnds: if a template ends every turn with two added tokens, both are learnt.
func TestTwoEnds(t *testing.T) {
	f := formatOf(t, strings.ReplaceAll(full, "<|im_end|>", "<|im_end|><eos>"))
	r, err := f.Chat([]chat.Message{say("user", "a"), say(chat.Assistant, "b"), say("user", "c"), say(chat.Assistant, "d")})
	if err != nil {
		t.Fatal(err)
	}
	const want = "H0:<|im_start|> H0:user\\n C0:a E0:<|im_end|> H1:<eos> H1:\\n H1:<|im_start|> H1:assistant\\n C1*:b E1*:<|im_end|> E1*:<eos> " +
		"H2:\\n H2:<|im_start|> H2:user\\n C2:c E2:<|im_end|> H3:<eos> H3:\\n H3:<|im_start|> H3:assistant\\n C3*:d E3*:<|im_end|> E3*:<eos> H3:\\n"
	if got := marks(f, r); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
