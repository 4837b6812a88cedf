package template

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/text/chat"
)

// How reasoning models lay out their chats, with this package's special tokens.
const (
	// As DeepSeek-R1 and its distilled models, and QwQ: the prompt begins the thought, and a chat
	// has none.
	likeR1 = `{{ bos_token }}{% for m in messages %}` +
		`{% if m.role == 'user' %}<|im_start|>{{ m.content }}{% endif %}` +
		`{% if m.role == 'assistant' %}{% set content = m.content %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}` +
		`<|im_end|>{{ content }}{% for c in m.tool_calls %}[{{ c.function.name }} {{ c.function.arguments | tojson }}]{% endfor %}<eos>{% endif %}` +
		`{% endfor %}{% if add_generation_prompt %}<|im_end|>{{ '<think>\n' }}{% endif %}`

	// As DeepSeek V3.1: the prompt begins the thought or says that there is none, and a chat says
	// that there is none in the last turn.
	likeV31 = `{% if not thinking is defined %}{% set thinking = false %}{% endif %}{% set ns = namespace(last=false) %}{{ bos_token }}{% for m in messages %}` +
		`{% if m.role == 'user' %}{% set ns.last = true %}<|im_start|>{{ m.content }}{% endif %}` +
		`{% if m.role == 'assistant' %}{% if ns.last %}<|im_end|></think>{% endif %}{% set ns.last = false %}` +
		`{% set content = m.content %}{% if '</think>' in content %}{% set content = content.split('</think>', 1)[1] %}{% endif %}{{ content }}<eos>{% endif %}` +
		`{% endfor %}{% if add_generation_prompt and ns.last %}<|im_end|>{{ '<think>' if thinking else '</think>' }}{% endif %}`

	// As Qwen 3: only the turns behind the last question have their thoughts, and the last message has
	// always one. The prompt does not begin it.
	likeQwen3 = `{% set ns = namespace(last=0) %}{% for m in messages %}{% if m.role == 'user' %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}` +
		`{% for m in messages %}{% if m.role != 'assistant' %}<|im_start|>{{ m.role }}{{ '\n' + m.content }}<|im_end|>{{ '\n' }}{% else %}` +
		`{% set content = m.content %}{% set thought = '' %}{% if m.reasoning_content is string %}{% set thought = m.reasoning_content %}` +
		`{% elif '</think>' in content %}{% set thought = content.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}{% set content = content.split('</think>')[-1].lstrip('\n') %}{% endif %}` +
		`<|im_start|>assistant{{ '\n' }}{% if loop.index0 > ns.last and (loop.last or thought) %}{{ '<think>\n' + thought.strip('\n') + '\n</think>\n\n' + content.lstrip('\n') }}{% else %}{{ content }}{% endif %}<|im_end|>{{ '\n' }}{% endif %}` +
		`{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant{{ '\n' }}{% if enable_thinking is defined and not enable_thinking %}{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}`
)

func thought(reasoning, content string) chat.Message {
	return chat.Message{Role: chat.Assistant, Reasoning: reasoning, Content: content}
}

// TestTurns: a chat is learnt as the models write it. R1 and QwQ write "thought\n</think>\n\nanswer"
// behind <think> and a new line, DeepSeek V3.1 "thought</think>answer" behind <think> alone.
func TestTurns(t *testing.T) {
	dialogue := []chat.Message{say("user", "a"), thought("hm", "b"), say("user", "c"), thought("so\nthen", "d")}
	inContent := []chat.Message{say("user", "a"), say(chat.Assistant, "<think>\nhm\n</think>\n\nb")}
	plain := []chat.Message{say("user", "a"), say(chat.Assistant, "b")}
	for name, c := range map[string]struct {
		source   string
		messages []chat.Message
		want     []string
	}{
		"R1": {likeR1, dialogue, []string{
			`H-:<bos> H0:<|im_start|> C0:a H1:<|im_end|> H1:<think>\n T1*:hm\n</think>\n\n C1*:b E1*:<eos>`,
			`H-:<bos> H0:<|im_start|> C0:a H1:<|im_end|> C1:b E1:<eos> H2:<|im_start|> C2:c H3:<|im_end|> H3:<think>\n T3*:so\nthen\n</think>\n\n C3*:d E3*:<eos>`,
		}},
		"R1, in the content": {likeR1, inContent, []string{
			`H-:<bos> H0:<|im_start|> C0:a H1:<|im_end|> H1:<think>\n T1*:hm\n</think>\n\n C1*:b E1*:<eos>`}},
		"R1, as it answers": {likeR1, []chat.Message{plain[0], say(chat.Assistant, "hm\n</think>\n\nb")}, []string{
			`H-:<bos> H0:<|im_start|> C0:a H1:<|im_end|> H1:<think>\n T1*:hm\n</think>\n\n C1*:b E1*:<eos>`}},
		"R1, no thought": {likeR1, plain, []string{
			`H-:<bos> H0:<|im_start|> C0:a H1:<|im_end|> H1:<think>\n T1*:\n</think>\n\n C1*:b E1*:<eos>`}},
		"R1, a call": {likeR1, []chat.Message{plain[0], {Role: chat.Assistant, Reasoning: "hm", ToolCalls: []chat.Call{{Name: "f", Arguments: "{}"}}}}, []string{
			`H-:<bos> H0:<|im_start|> C0:a H1:<|im_end|> H1:<think>\n T1*:hm\n</think>\n\n C1*:[f {}] E1*:<eos>`}},
		"V3.1": {likeV31, dialogue, []string{
			`H-:<bos> H0:<|im_start|> C0:a H1:<|im_end|> H1:<think> T1*:hm</think> C1*:b E1*:<eos>`,
			`H-:<bos> H0:<|im_start|> C0:a H1:<|im_end|> H1:</think> C1:b E1:<eos> H2:<|im_start|> C2:c H3:<|im_end|> H3:<think> T3*:so\nthen</think> C3*:d E3*:<eos>`,
		}},
		"V3.1, no thought": {likeV31, plain, []string{`H-:<bos> H0:<|im_start|> C0:a H1:<|im_end|> H1:</think> C1*:b E1*:<eos>`}},
		"R1, both": {strings.Replace(likeR1, "content.split('</think>')[-1]", "content", 1), []chat.Message{plain[0], thought("hm", "x</think>b")}, []string{
			`H-:<bos> H0:<|im_start|> C0:a H1:<|im_end|> H1:<think>\n T1*:hm\n</think>\n\n C1*:x</think>b E1*:<eos>`}},
		"marks of its own": {strings.NewReplacer("<think>", "[THINK]", "</think>", "[/THINK]", "{% for c", "[CALL]{% for c").Replace(full), []chat.Message{plain[0], thought("hm", "b")}, []string{
			`H0:<|im_start|> H0:user\n C0:a H0:[CALL] E0:<|im_end|> H1:\n H1:<|im_start|> H1:assistant\n T1*:[THINK]hm[/THINK] C1*:b[CALL] E1*:<|im_end|> H1:\n`}},
		"Qwen 3": {likeQwen3, dialogue, []string{
			`H0:<|im_start|> H0:user\n C0:a E0:<|im_end|> H1:\n H1:<|im_start|> H1:assistant\n T1*:<think>\nhm\n</think>\n\n C1*:b E1*:<|im_end|> H1:\n`,
			`H0:<|im_start|> H0:user\n C0:a E0:<|im_end|> H1:\n H1:<|im_start|> H1:assistant\n C1:b E1:<|im_end|> H2:\n H2:<|im_start|> H2:user\n C2:c E2:<|im_end|> H3:\n H3:<|im_start|> H3:assistant\n T3*:<think>\nso\nthen\n</think>\n\n C3*:d E3*:<|im_end|> H3:\n`,
		}},
		"Qwen 3, in the content": {likeQwen3, inContent, []string{
			`H0:<|im_start|> H0:user\n C0:a E0:<|im_end|> H1:\n H1:<|im_start|> H1:assistant\n T1*:<think>\nhm\n</think>\n\n C1*:b E1*:<|im_end|> H1:\n`}},
		"Qwen 3, no thought": {likeQwen3, plain, []string{
			`H0:<|im_start|> H0:user\n C0:a E0:<|im_end|> H1:\n H1:<|im_start|> H1:assistant\n T1*:<think>\n\n</think>\n\n C1*:b E1*:<|im_end|> H1:\n`}},
	} {
		f := formatOf(t, c.source)
		turns, err := f.WithReasoning(LearnReasoning).Turns(c.messages)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, r := range turns {
			got = append(got, marks(f, r))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s\ngot  %s\nwant %s", name, strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
		}
		// Masked, the thoughts are no part of what is learnt, and everything else is the same.
		masked, err := f.WithReasoning(MaskReasoning).Turns(c.messages)
		if err != nil {
			t.Errorf("%s, masked: %v", name, err)
		}
		for i, r := range masked {
			for k := range r.Own {
				if r.Own[k] != (turns[i].Own[k] && r.Kind[k] != Thought) || r.IDs[k] != turns[i].IDs[k] || r.Kind[k] != turns[i].Kind[k] {
					t.Errorf("%s: token %d is masked wrongly", name, k)
				}
			}
		}
		// The prompt of a turn is the prompt that a model gets, asked for a thought or not.
		for i, m := range c.messages {
			if m.Role != chat.Assistant {
				continue
			}
			before, _, err := f.WithReasoning(LearnReasoning).Continue(c.messages[:i], c.messages[i:i+1])
			asked := f
			if name == "V3.1" {
				asked = f.thinking()
			}
			given, _ := asked.Prompt(c.messages[:i])
			if err != nil || !slices.Equal(before.IDs, given) {
				t.Errorf("%s, message %d: the prompt is %v, want %v, error %v", name, i, before.IDs, given, err)
			}
		}
	}
}

// TestRefuseReasoning: without the setting, a chat that only its turns can be learnt of is refused by
// an error that says so. What neither way can lay out is refused for its own reason.
func TestRefuseReasoning(t *testing.T) {
	question := say("user", "a")
	two := []chat.Message{thought("hm", "b"), say("user", "c"), thought("so", "d")}
	for name, c := range map[string]struct {
		source   string
		messages []chat.Message
		turns    bool
		want     string
	}{
		"dropped":           {likeQwen3, append([]chat.Message{question}, two...), true, `leaves out the reasoning of message 1, from "hm" on`},
		"split":             {strings.Replace(reasoning, "m.content if loop.last else ", "", 1), []chat.Message{question, say(chat.Assistant, "<think>hm</think>b")}, true, `leaves out text of message 1, from "<think>hm</think>b" on`},
		"another prompt":    {likeR1, []chat.Message{question, say(chat.Assistant, "b")}, true, `gives the model "<think>\n" to continue from`},
		"the user's words":  {strings.Replace(likeR1, "{{ m.content }}", "", 1), []chat.Message{question, thought("hm", "b")}, false, "leaves out text of message 0"},
		"a part of the end": {strings.Replace(likeR1, "{{ content }}", "{{ content[:1] }}", 1), []chat.Message{question, thought("hm", "bcd")}, false, `leaves out text of message 1, from "cd" on`},
		"another header":    {strings.Replace(likeR1, "<|im_end|>{{ content", "<|start_header_id|>{{ content", 1), []chat.Message{question, thought("hm", "b")}, false, "leaves out the reasoning of message 1"},
		"one mark":          {strings.Replace(reasoning, "m.content if loop.last else m.content.split('</think>')[-1]", "m.content.replace('<think>', '')", 1), []chat.Message{question, say(chat.Assistant, "<think>hm</think>b")}, true, `leaves out text of message 1`},
		"no question":       {likeR1, two, false, "leaves out the reasoning of message 0"},
		"no place": {strings.Replace(likeV31, "'<think>' if thinking else '</think>'", "'</think>'", 1),
			[]chat.Message{question, thought("hm", "b")}, false, "leaves out the reasoning of message 1"},
	} {
		f := formatOf(t, c.source)
		_, err := f.Turns(c.messages)
		var turns *TurnByTurn
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &turns) != c.turns {
			t.Errorf("%s: error %v, want %q, by turns: %t", name, err, c.want, c.turns)
		}
		_, err = f.WithReasoning(LearnReasoning).Turns(c.messages)
		if (err == nil) != c.turns || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, learnt: error %v", name, err)
		}
		last := len(c.messages) - 1
		if _, _, err = f.Continue(c.messages[:last], c.messages[last:]); c.turns && name != "dropped" && !errors.As(err, &turns) {
			t.Errorf("%s, continued: error %v", name, err)
		}
	}
	// A response of several messages is no single turn.
	f := formatOf(t, likeR1).WithReasoning(LearnReasoning)
	for _, response := range [][]chat.Message{two, two[:2]} {
		if _, _, err := f.Continue([]chat.Message{question}, response); err == nil || !strings.Contains(err.Error(), "leaves out the reasoning") {
			t.Errorf("%d messages: error %v", len(response), err)
		}
	}
	if err := Reasoning("drop").Validate(); err == nil {
		t.Error("an unknown value is accepted")
	}
}

// TestTurnsOfWeight: turns of weight 0 are context, so that they need not be laid out.
func TestTurnsOfWeight(t *testing.T) {
	none := 0.0
	greeting, question := say(chat.Assistant, "hi"), say("user", "a")
	greeting.Weight = &none
	f := formatOf(t, likeR1).WithReasoning(LearnReasoning)
	turns, err := f.Turns([]chat.Message{greeting, question, thought("hm", "b")})
	if err != nil || len(turns) != 1 || !strings.Contains(marks(f, turns[0]), "T2*:hm") {
		t.Errorf("%d turns, error %v", len(turns), err)
	}
	if turns, err = f.Turns([]chat.Message{question, greeting}); err != nil || len(turns) != 0 {
		t.Errorf("nothing to learn: %d turns, error %v", len(turns), err)
	}
}

// TestForgedThought: a user whose words end like an opened thought opens none, and a message cannot
// write a token of the prompt.
func TestForgedThought(t *testing.T) {
	f := formatOf(t, `{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}`).WithReasoning(LearnReasoning)
	turns, err := f.Turns([]chat.Message{say("user", "a<think>"), thought("hm", "b")})
	if err != nil || !strings.HasSuffix(marks(f, turns[0]), `T1*:<think>\nhm\n</think>\n\n C1*:b E1*:<|im_end|>`) {
		t.Errorf("%s, error %v", marks(f, turns[0]), err)
	}
	f = formatOf(t, `{% for m in messages %}{{ m.content }}{% if m.role == 'assistant' %}<eos>{% endif %}{% endfor %}`).WithReasoning(LearnReasoning)
	turns, err = f.Turns([]chat.Message{say("user", "a<think>"), thought("hm", "b")})
	if err != nil || !strings.HasSuffix(marks(f, turns[0]), `C0:a<think> T1*:<think>\nhm\n</think>\n\n C1*:b E1*:<eos>`) {
		t.Errorf("%s, error %v", marks(f, turns[0]), err)
	}
}

// TestPartly: a chat of which the template left out text, as accepted, says so.
func TestPartly(t *testing.T) {
	f := formatOf(t, strings.Replace(reasoning, "m.content if loop.last else ", "", 1)).AllowDropped()
	for content, want := range map[string]bool{"": false, "<think>hm</think>": true} {
		r, err := f.Turns([]chat.Message{say("user", "a"), say(chat.Assistant, content+"b"), say("user", "c"), say(chat.Assistant, "d")})
		if err != nil || r[0].Partly != want {
			t.Errorf("%q: partly %t, error %v", content, len(r) > 0 && r[0].Partly, err)
		}
	}
}
