package format

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
)

// refuseLost refuses a row with a key that no converter took and that may change what a model
// learns from the row: a mask or weight, a verdict, a part of the prompt, or another answer. As
// a meta column it would change nothing. A text that a message of the row says too is not lost.
//
// If the user names the format prompts, answers are references.
func (o *object) refuseLost(r table.Record) {
	var said *sayings
	for _, key := range slices.Sorted(maps.Keys(o.keys)) {
		v := o.keys[key]
		if o.used[key] || isEmpty(v) || o.ignores(key) {
			continue
		}
		err := changesLoss(r, key, v)
		if err == nil {
			err = judges(r, key, v)
		}
		if why := o.mayBeLost(r, key, v); err == nil && why != nil {
			if said == nil {
				said = sayingsOf(r)
			}
			if !said.all(v, slices.Contains(promptKeys, key)) {
				err = why
			}
		}
		o.fail(key, err)
	}
}

// mayBeLost returns the error for a key that is lost unless a message says its text, or nil.
func (o *object) mayBeLost(r table.Record, key string, v json.RawMessage) error {
	if o.reading != nil && o.reading.format == Prompts {
		return nil
	}
	isText := v[0] == '"'
	isList := v[0] == '[' || v[0] == '{'
	lower := strings.ToLower(key)
	switch r := r.(type) {
	case *table.Document:
		if (isText || isList) && slices.Contains(answersOfDocuments, lower) {
			return errors.New("looks like an answer, but the row would become a document of its text: name the format or map the columns, or ignore " + key)
		}
		return nil
	case *table.Chat:
		if !endsWithAssistant(r.Messages) {
			if (isText || isList) && !o.has("chosen", "rejected") && (lower == "answers" || likeAnswer(lower)) {
				return fmt.Errorf("looks like an answer, but the keys %s fit prompts only: name the columns with map (map: {%s: completion}), or ignore %s", o.keyNames(), key, key)
			}
			break
		}
		if isText && (likeAnswer(lower) || slices.Contains(thoughts, lower)) || (isText || isList) && strings.Contains(lower, "reject") && likeAnswer(lower) {
			return errors.New("looks like another answer, or a part of one, that no message of the row has: name the columns with map, or ignore " + key)
		}
	case *table.UnpairedPreference:
		if isText && (likeAnswer(lower) || slices.Contains(thoughts, lower)) {
			return errors.New("looks like another answer, or a part of one, that no message of the row has: name the columns with map, or ignore " + key)
		}
	case *table.Preference:
		if (isText || isList) && slices.Contains(answersOfPairs, lower) || isText && likeAnswer(lower) && (strings.HasPrefix(lower, "chosen") || strings.HasPrefix(lower, "reject")) {
			return errors.New("looks like another answer, or a part of one, that neither response has: herd reads one chosen and one rejected response, so ignore " + key + " if it is none")
		}
	}
	if (isText || isList) && slices.Contains(partsOfPrompts, lower) {
		return errors.New("looks like a part of the prompt that no message of the row has: name the columns with map, or ignore " + key)
	}
	return nil
}

var (
	// partsOfPrompts are names of texts that a model has to see before it answers.
	partsOfPrompts = append([]string{"instruction", "context", "passage", "history", "choices", "options", "system", "system_prompt", "system_message"}, promptKeys...)

	// thoughts are names of what was thought before an answer.
	thoughts = append([]string{"chain_of_thought", "cot", "thought", "thoughts"}, reasonings...)

	answersOfPairs     = []string{"response", "completion", "output", "edited"}
	answersOfDocuments = []string{"response", "responses", "completion", "completions", "output", "outputs"}

	// likeAnswers are parts of the names under which data sets keep answers.
	likeAnswers = []string{"response", "completion", "output", "chosen", "reject", "prefer", "generation", "instances", "winner", "reply", "replies", "candidate", "assistant"}

	// descriptions are words in the names of columns that describe an answer.
	descriptions = []string{
		"model", "models", "name", "id", "ids", "type", "format", "language", "lang", "source", "category", "style",
		"length", "len", "token", "tokens", "count", "num", "time", "date", "score", "scores", "rating", "ratings", "rank",
		"reason", "reasons", "rationale", "config", "configs", "strength", "url", "path", "file", "generator", "provider",
		"quality", "avg", "difficulty", "policy", "headers", "metadata", "meta", "status",
	}
)

// likeAnswer reports whether a key, in lower case, is the name of an answer and not of a fact
// about one, as response_model is.
func likeAnswer(key string) bool {
	words := strings.FieldsFunc(key, func(r rune) bool { return strings.ContainsRune("_-. ", r) })
	return slices.ContainsFunc(likeAnswers, func(part string) bool { return strings.Contains(key, part) }) &&
		!slices.ContainsFunc(words, func(word string) bool { return slices.Contains(descriptions, word) })
}

// lossKeys are names of columns that say how much of a row counts in the loss, with the value
// under which herd does that anyway, or "".
var lossKeys = map[string]string{
	"weight": "1", "loss_weight": "1", "sample_weight": "1", "loss_scale": "1", "weights": "", "token_weights": "",
	"train_on_input": "0", "train_on_inputs": "0", "train_on_prompt": "0", "prompt_loss_weight": "0",
	"mask_prompt": "1", "mask_prompts": "1", "mask_input": "1", "mask_inputs": "1",
	"mask": "0", "masked": "0", "loss_mask": "", "prompt_mask": "", "completion_mask": "", "assistant_mask": "", "assistant_masks": "",
	"trainable": "1",
}

// changesLoss returns an error for a key that weighs or masks what is learnt from the row.
func changesLoss(r table.Record, key string, v json.RawMessage) error {
	same, known := lossKeys[key]
	if _, pair := r.(*table.Preference); pair && key == "margin" {
		same, known = "0", true
	}
	if !known || same != "" && plainNumber(v) == same {
		return nil
	}
	return fmt.Errorf("is %s: it would change how much the row, or a part of it, counts in the loss, and herd does not support that for %s; ignore %s if it means something else", brief(v), r.RowKind(), key)
}

// goodNames and badNames are columns with a verdict on the answer of a row. Only label and
// kto_tag make a row an unpaired preference without the user's word.
var (
	goodNames = []string{"desirable", "is_desirable", "accepted", "is_accepted", "approved", "liked", "thumbs_up", "upvoted", "good", "is_good", "correct", "is_correct", "preferred", "is_preferred", "chosen", "is_chosen"}
	badNames  = []string{"undesirable", "rejected", "is_rejected", "disliked", "thumbs_down", "downvoted", "bad", "is_bad"}
)

// judges returns an error for a key that says that the answer of a row is one to avoid, or that
// the better response of a pair is not the better one.
func judges(r table.Record, key string, v json.RawMessage) error {
	lower, value := strings.ToLower(key), plainNumber(v)
	switch r := r.(type) {
	case *table.Chat:
		if !endsWithAssistant(r.Messages) {
			return nil
		}
		if lower == "label" && (value == "0" || value == "1") {
			return fmt.Errorf("is %s: if it judges the answer, import the file as unpaired; if it is a class of the row, ignore it", brief(v))
		}
		if value == "0" && slices.Contains(goodNames, lower) || value == "1" && slices.Contains(badNames, lower) {
			return fmt.Errorf("is %s: if it judges the answer, map the column to label, so that the rows are unpaired preferences; if not, ignore it", brief(v))
		}
	case *table.Preference:
		undecided := value == "1" && (lower == "tie" || lower == "is_tie")
		reversed := lower == "label" && string(v) == "false" || slices.Contains([]string{"preference", "preferred", "winner", "better", "label"}, lower) && strings.Contains(strings.ToLower(string(v)), "reject")
		if undecided || reversed {
			return fmt.Errorf("is %s, but the row has a chosen and a rejected response: herd cannot tell which is better; ignore %s if it means something else", brief(v), key)
		}
	}
	return nil
}

// plainNumber returns a number as text, and 1 and 0 for true and false. It returns the text of
// other values in lower case.
func plainNumber(v json.RawMessage) string {
	text := strings.ToLower(strings.Trim(string(v), `"`))
	if x, err := strconv.ParseFloat(text, 64); err == nil {
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	switch text {
	case "true":
		return "1"
	case "false":
		return "0"
	}
	return text
}

func endsWithAssistant(ms []chat.Message) bool {
	return len(ms) > 0 && ms[len(ms)-1].Role == chat.Assistant
}

// sayings are the texts of the messages of a row, without regard to white space.
type sayings struct{ texts []string }

func sayingsOf(r table.Record) *sayings {
	s := &sayings{}
	add := func(ms []chat.Message) {
		for _, m := range ms {
			for _, text := range []string{m.Content, m.Reasoning} {
				if text = squeeze(text); text != "" {
					s.texts = append(s.texts, text)
				}
			}
		}
	}
	switch r := r.(type) {
	case *table.Chat:
		add(r.Messages)
	case *table.Preference:
		add(r.Prompt)
		add(r.Chosen)
		add(r.Rejected)
	case *table.UnpairedPreference:
		add(r.Prompt)
		add(r.Completion)
	case *table.Document:
		s.texts = append(s.texts, squeeze(r.Text))
	}
	return s
}

// all reports whether the row says every text within a JSON value. If laidOut, it is enough
// that the text contains a message: data sets keep a prompt as a template laid it out too.
func (s *sayings) all(v json.RawMessage, laidOut bool) bool {
	var value any
	if err := json.Unmarshal(v, &value); err != nil {
		return false
	}
	return leaves(value, func(leaf string) bool {
		leaf = squeeze(leaf)
		return slices.ContainsFunc(s.texts, func(text string) bool {
			return strings.Contains(text, leaf) || laidOut && strings.Contains(leaf, text)
		})
	})
}

// leaves reports whether ok holds for all texts within a value. A verdict or number alone, such
// as the number of an option, is no text.
func leaves(value any, ok func(string) bool) bool {
	switch value := value.(type) {
	case string:
		return ok(value)
	case []any:
		return !slices.ContainsFunc(value, func(v any) bool { return !leaves(v, ok) })
	case map[string]any:
		for key, v := range value {
			if key != "role" && key != "from" && !leaves(v, ok) {
				return false
			}
		}
	}
	return true
}

// squeeze replaces each run of white space by one blank, and removes it at the ends.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }
