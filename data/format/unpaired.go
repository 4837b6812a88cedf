package format

import (
	"errors"
	"fmt"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
)

// verdict finds the judgement on an answer in rows for KTO: label (TRL) or kto_tag
// (LLaMA-Factory), true for a desirable answer. Labels of other types are classes of rows.
func (o *object) verdict() (key string, good, ok bool) {
	for _, key := range []string{"label", "kto_tag"} {
		if !o.has(key) {
			continue
		}
		text := strings.ToLower(strings.Trim(string(o.keys[key]), `"`))
		if key == "kto_tag" || o.reading != nil && o.reading.kind == table.Unpaired {
			text = map[string]string{"1": "true", "0": "false"}[plainNumber(o.keys[key])]
		}
		switch text {
		case "true":
			return key, true, true
		case "false":
			return key, false, true
		}
		if key == "kto_tag" {
			o.fail(key, fmt.Errorf("is %s, expected true or false", brief(o.keys[key])))
		}
	}
	return "", false, false
}

// unpaired makes the converter of a format for chats into one for unpaired preferences: rows
// whose answer has a verdict (https://huggingface.co/docs/trl/dataset_formats).
func unpaired(c converter) converter {
	return converter{
		format: c.format,
		kind:   table.Unpaired,
		matches: func(o *object, forced bool) bool {
			_, _, judged := o.verdict()
			return judged && c.matches(o, forced) && o.endsWithAnswer(c)
		},
		convert: func(o *object) table.Record {
			key, good, ok := o.verdict()
			if !ok {
				o.fail("label", errors.New("is missing, but the rows before it are unpaired preferences"))
				return &table.UnpairedPreference{}
			}
			o.used[key] = true
			delete(o.keys, key) // the converter of chats refuses it
			row := c.convert(o).(*table.Chat)
			last := len(row.Messages) - 1
			if last < 0 || row.Messages[last].Role != chat.Assistant {
				o.fail(key, errors.New("judges an answer, but the row has none"))
				return &table.UnpairedPreference{}
			}
			return &table.UnpairedPreference{Prompt: row.Messages[:last], Completion: row.Messages[last:], Label: good, Tools: row.Tools}
		},
	}
}

// endsWithAnswer reports whether the row, as a chat, ends with the assistant's answer. It leaves
// o as it was.
func (o *object) endsWithAnswer(c converter) bool {
	again, err := (*reading)(nil).parseObject(o.raw)
	if err != nil {
		return false
	}
	delete(again.keys, "label")
	delete(again.keys, "kto_tag")
	row := c.convert(again).(*table.Chat)
	return again.err != nil || len(row.Messages) > 0 && row.Messages[len(row.Messages)-1].Role == chat.Assistant
}
