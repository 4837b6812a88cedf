package judge

import (
	"fmt"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
)

// Question is what an answer responds to.
type Question struct {
	ID        string            // id of the prompt, for errors and commands
	Prompt    []chat.Message    // messages before the answer
	Tools     chat.JSON         // functions that the answer may call, or ""
	Meta      map[string]string // meta of the prompt's row: rules look here for the reference first
	Reference string            // reference answer; empty: none
}

// Answer is one answer to a question.
type Answer struct {
	Text      string
	Truncated bool // it reached the token limit
}

// Item is a question with the answers to judge.
type Item struct {
	Question
	Answers []Answer
}

// stop is a candidate's Finish if the model ended the answer.
const stop = "stop"

// Sample returns the question and the answers of a row of samples. The question has the id and the
// reference of the prompt.
func Sample(row table.Sample) Item {
	item := Item{Question: Question{ID: row.ID, Prompt: row.Prompt, Tools: row.Tools, Meta: row.Meta, Reference: row.Reference}}
	if len(row.Parents) > 0 {
		item.ID = row.Parents[0]
	}
	for _, c := range row.Candidates {
		item.Answers = append(item.Answers, Answer{Text: c.Text, Truncated: c.Finish != stop})
	}
	return item
}

// Chat returns the question and the answer of a chat: the answer is the final assistant message.
func Chat(row table.Chat) (Item, error) {
	before, answer, ok := closingTurn(row)
	if !ok {
		return Item{}, fmt.Errorf("row %s does not end with a turn of the assistant: there is nothing to check", row.ID)
	}
	return Item{Question{ID: row.ID, Prompt: before, Tools: row.Tools, Meta: row.Meta}, []Answer{{Text: answer}}}, nil
}

// Prompt returns the question of a chat that the model will answer. A final assistant message is
// the reference, not part of the prompt.
func Prompt(row table.Chat) Question {
	q := Question{ID: row.ID, Tools: row.Tools, Meta: row.Meta}
	q.Prompt, q.Reference, _ = closingTurn(row)
	return q
}

// closingTurn splits a chat into the messages before its final assistant message and that message.
func closingTurn(row table.Chat) (before []chat.Message, text string, ok bool) {
	last := len(row.Messages) - 1
	if last < 0 || row.Messages[last].Role != chat.Assistant {
		return row.Messages, "", false
	}
	return row.Messages[:last], row.Messages[last].Content, true
}
