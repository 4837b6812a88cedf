package serve

import (
	"net/http"
	"unicode/utf8"

	"github.com/herd-lm/herd/core/token"
)

// tokenized is the answer of llama-server and vLLM to a text.
type tokenized struct {
	Tokens  any `json:"tokens"` // ids, or tokenPieces if with_pieces is set
	Count   int `json:"count"`
	Context int `json:"max_model_len"`
}

type tokenPiece struct {
	ID    token.ID `json:"id"`
	Piece any      `json:"piece"` // a string, or its bytes if it is not UTF-8
}

// tokenize is POST /tokenize. It accepts llama-server's content, or vLLM's prompt or
// messages.
func (s *Server) tokenize(w *reply, _ *http.Request, f *fields, m *served) error {
	ids, err := textIDs(f, m)
	if err != nil {
		return err
	}
	var pieces bool
	f.flag("with_pieces", &pieces)
	if err := f.end(); err != nil {
		return err
	}
	out := tokenized{ids, len(ids), m.Context}
	if pieces {
		out.Tokens = piecesOf(m, ids)
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

// textIDs takes a text or a chat, and returns its tokens.
func textIDs(f *fields, m *served) ([]token.ID, error) {
	if _, chats := f.raw["messages"]; chats {
		messages, err := readMessages(f)
		if err != nil {
			return nil, err
		}
		return m.layOut(messages, "messages")
	}
	var text string
	prompt := f.text("prompt", &text)
	if !f.text("content", &text) && !prompt {
		f.fail("content", "is missing: set content, prompt or messages")
	}
	special, parse := prompt, false // vLLM's default, and llama-server's
	f.flag("add_special", &special)
	f.flag("add_special_tokens", &special)
	f.flag("parse_special", &parse)
	encode := m.Tokenizer.Encode
	if parse {
		encode = m.Tokenizer.EncodeWithSpecial
	}
	ids := []token.ID{}
	if special {
		ids = append(ids, m.Tokenizer.Prompt("")...)
	}
	return append(ids, encode(text)...), nil
}

func piecesOf(m *served, ids []token.ID) []tokenPiece {
	list := make([]tokenPiece, len(ids))
	for i, id := range ids {
		list[i] = tokenPiece{ID: id}
		text := m.Tokenizer.Token(id)
		if list[i].Piece = text; utf8.ValidString(text) {
			continue
		}
		list[i].Piece = bytesOf(text)
	}
	return list
}

// detokenize is POST /detokenize.
func (s *Server) detokenize(w *reply, _ *http.Request, f *fields, m *served) error {
	ids := tokenIDs(f.take("tokens"))
	if ids == nil {
		f.fail("tokens", "is missing, or is not a list of token ids")
	}
	if err := f.end(); err != nil {
		return err
	}
	if err := m.checkIDs("tokens", ids); err != nil {
		return err
	}
	text := m.Tokenizer.Decode(ids)
	writeJSON(w, http.StatusOK, map[string]string{"content": text, "prompt": text}) // llama-server's name, and vLLM's
	return nil
}
