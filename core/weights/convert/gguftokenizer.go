package convert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/weights/gguf"
)

// GGUF's keys for a tokenizer (gguf-py, constants.py).
const (
	keyTokenizer   = "tokenizer.ggml.model" // "gpt2" is byte-level BPE, "llama" SentencePiece
	keyPre         = "tokenizer.ggml.pre"   // how to split text before byte-level BPE
	keyTokens      = "tokenizer.ggml.tokens"
	keyScores      = "tokenizer.ggml.scores"
	keyKinds       = "tokenizer.ggml.token_type" // in SentencePiece's numbers
	keyMerges      = "tokenizer.ggml.merges"
	keyUnknown     = "tokenizer.ggml.unknown_token_id"
	keyPadding     = "tokenizer.ggml.padding_token_id"
	keyAddBOS      = "tokenizer.ggml.add_bos_token"
	keyAddEOS      = "tokenizer.ggml.add_eos_token"
	keySpacePrefix = "tokenizer.ggml.add_space_prefix"
	keyTemplate    = "tokenizer.chat_template"  // the default; others have their name behind it
	keyTemplates   = "tokenizer.chat_templates" // names of the others
)

// namedKeys are the keys for fields of tokenizer_config.json that herd itself does not use.
var namedKeys = [][2]string{{"pad_token", keyPadding}, {"unk_token", keyUnknown}}

// padding is the name that converters give to rows of the embedding without a token.
func padding(id int) string { return fmt.Sprintf("[PAD%d]", id) }

// tokenizerFromGGUF returns the tokenizer that the metadata describe, nil if they describe none.
// It leaves out tokens that only pad the vocabulary.
func tokenizerFromGGUF(m *gguf.Metadata) (*tokenizer.Tokenizer, error) {
	f := &fields{Metadata: m}
	read := map[string]func(*fields) (*tokenizer.Tokenizer, error){"gpt2": byteLevelFromGGUF, "llama": piecesFromGGUF}
	kind := get(f, keyTokenizer, "no_vocab")
	if kind == "no_vocab" && f.err == nil {
		return nil, nil
	}
	if read[kind] == nil && f.err == nil {
		return nil, fmt.Errorf("%s is %q: herd reads only gpt2 (byte-level BPE) and llama (SentencePiece BPE)", keyTokenizer, kind)
	}
	if f.err != nil {
		return nil, f.err
	}
	tok, err := read[kind](f)
	if err != nil {
		return nil, fmt.Errorf("its tokenizer: %w", err)
	}
	chat := tokenizer.Template{Source: get(f, keyTemplate, "")}
	if eos := token.ID(field(f, keyEOS, f.Int, -1)); eos >= 0 && int(eos) < tok.VocabSize() {
		chat.Stop = tok.Token(eos)
	}
	tok = tok.WithTemplate(chat)
	for _, k := range namedKeys {
		if id := token.ID(field(f, k[1], f.Int, -1)); id >= 0 && int(id) < tok.VocabSize() {
			tok = tok.WithNamed(k[0], id)
		}
	}
	var more []tokenizer.NamedTemplate
	for _, name := range get[[]string](f, keyTemplates, nil) {
		more = append(more, tokenizer.NamedTemplate{Name: name, Template: get(f, keyTemplate+"."+name, "")})
	}
	if more != nil {
		tok = tok.WithTemplates(more)
	}
	return tok, f.err
}

// tokens are the tokens of a GGUF file with the properties of each.
type tokens struct {
	text     []string
	kinds    []int32
	scores   []float32
	bos, eos token.ID
	unknown  token.ID
}

// tokens reads the lists of tokens. kinds and scores have an entry for each.
func (f *fields) tokens() (tokens, error) {
	t := tokens{
		text:    get[[]string](f, keyTokens, nil),
		kinds:   get[[]int32](f, keyKinds, nil),
		scores:  get[[]float32](f, keyScores, nil),
		bos:     token.ID(field(f, keyBOS, f.Int, -1)),
		eos:     token.ID(field(f, keyEOS, f.Int, -1)),
		unknown: token.ID(field(f, keyUnknown, f.Int, -1)),
	}
	if t.kinds == nil {
		t.kinds = make([]int32, len(t.text))
		for i := range t.kinds {
			t.kinds[i] = int32(tokenizer.PieceNormal)
		}
	}
	if t.scores == nil {
		t.scores = make([]float32, len(t.text))
	}
	switch n := len(t.text); {
	case f.err != nil:
		return t, f.err
	case len(t.kinds) != n || len(t.scores) != n:
		return t, fmt.Errorf("%d tokens, %d types and %d scores, expected the same number of each", n, len(t.kinds), len(t.scores))
	case max(int(t.bos), int(t.eos), int(t.unknown)) >= n:
		return t, fmt.Errorf("%s, %s or %s is outside the %d tokens", keyBOS, keyEOS, keyUnknown, n)
	}
	for n := len(t.text) - 1; n >= 0 && t.kinds[n] == int32(tokenizer.PieceUnused) && t.text[n] == padding(n); n-- {
		t.text, t.kinds, t.scores = t.text[:n], t.kinds[:n], t.scores[:n]
	}
	return t, nil
}

// piecesFromGGUF reads a vocabulary of SentencePiece.
func piecesFromGGUF(f *fields) (*tokenizer.Tokenizer, error) {
	t, err := f.tokens()
	if err != nil {
		return nil, err
	}
	p := tokenizer.Pieces{BOS: t.bos, EOS: t.eos, Unknown: t.unknown, AddDummyPrefix: get(f, keySpacePrefix, true)}
	for i, text := range t.text {
		p.List = append(p.List, tokenizer.Piece{Text: text, Score: t.scores[i], Kind: tokenizer.PieceKind(t.kinds[i])})
	}
	begins := get(f, keyAddBOS, true)
	if f.err != nil {
		return nil, f.err
	}
	tok, err := tokenizer.FromPieces(p)
	if err != nil || begins {
		return tok, err
	}
	v := tok.Vocabulary()
	v.NoBOS = true
	return tokenizer.New(v)
}

// byteLevelFromGGUF reads a vocabulary of byte-level BPE.
func byteLevelFromGGUF(f *fields) (*tokenizer.Tokenizer, error) {
	t, err := f.tokens()
	if err != nil {
		return nil, err
	}
	pre, err := preOf(get(f, keyPre, "default"))
	if err != nil {
		return nil, err
	}
	v := tokenizer.Vocabulary{Pattern: pre.pattern, WholePieces: pre.wholePieces}
	for id, text := range t.text {
		if v.Tokens, err = t.add(v.Tokens, &v.Added, token.ID(id), text); err != nil {
			return nil, err
		}
	}
	if v.Merges, err = t.merges(get[[]string](f, keyMerges, nil)); err != nil {
		return nil, err
	}
	if t.bos >= 0 {
		v.BOS, v.NoBOS = t.text[t.bos], !get(f, keyAddBOS, pre.addBOS)
	}
	v.EOS = t.endOfText()
	if f.err != nil {
		return nil, f.err
	}
	return tokenizer.New(v)
}

// endOfText returns the token that ends documents: Llama 3's if the vocabulary has it, as in
// Hugging Face's files, because chat models use the end of a turn as EOS.
func (t *tokens) endOfText() string {
	if id := slices.Index(t.text, tokenizer.NameEndOfText); id >= 0 && t.kinds[id] == int32(tokenizer.PieceControl) {
		return tokenizer.NameEndOfText
	}
	if t.eos >= 0 {
		return t.text[t.eos]
	}
	return ""
}

// add appends a token to list, in raw bytes. If no merge produces it, add also appends it to
// added.
func (t *tokens) add(list []string, added *[]tokenizer.Added, id token.ID, text string) ([]string, error) {
	if kind := tokenizer.PieceKind(t.kinds[id]); kind != tokenizer.PieceNormal || id == t.bos || id == t.eos {
		*added = append(*added, tokenizer.Added{ID: id, Text: text, Special: kind != tokenizer.PieceUserDefined})
		return append(list, text), nil
	}
	raw, err := tokenizer.UnspellBytes(text)
	return append(list, raw), err
}

// merges translates pairs of tokens, written with a blank between them.
func (t *tokens) merges(lines []string) ([][2]token.ID, error) {
	ids := make(map[string]token.ID, len(t.text))
	for id, text := range t.text {
		ids[text] = token.ID(id)
	}
	pairs := make([][2]token.ID, len(lines))
	for i, line := range lines {
		left, right, _ := strings.Cut(line, " ")
		for side, text := range []string{left, right} {
			id, ok := ids[text]
			if !ok {
				return nil, fmt.Errorf("%s[%d] is %.80q, expected two tokens", keyMerges, i, line)
			}
			pairs[i][side] = id
		}
	}
	return pairs, nil
}

// tokenizerToGGUF adds the keys of a tokenizer and pads it to a vocabulary of that many tokens.
// The model stops at the tokens stops.
func tokenizerToGGUF(m *gguf.Metadata, t *tokenizer.Tokenizer, vocabulary int, stops ...token.ID) error {
	if t == nil {
		return &NoTokenizer{"it has no tokenizer, but a GGUF file needs one: add one"}
	}
	if p, ok := t.Pieces(); ok {
		piecesToGGUF(m, p, vocabulary)
	} else if err := byteLevelToGGUF(m, t.Vocabulary(), vocabulary); err != nil {
		return err
	}
	if id := t.BOS(); id != tokenizer.None {
		m.Set(keyBOS, uint32(id))
	}
	if id := endFor(t); id != tokenizer.None {
		m.Set(keyEOS, uint32(id))
	}
	if id := turnEnd(t, stops); id != tokenizer.None && id != endFor(t) {
		m.Set(keyEOT, uint32(id))
	}
	if id, ok := t.Special(nameEndOfMessage); ok && slices.Contains(stops, id) {
		m.Set(keyEOM, uint32(id))
	}
	for _, k := range namedKeys {
		if id, ok := t.Named(k[0]); ok {
			m.Set(k[1], uint32(id))
		}
	}
	m.Set(keyAddBOS, t.BOS() != tokenizer.None && !t.Vocabulary().NoBOS)
	m.Set(keyAddEOS, false)
	if source := t.Template().Source; source != "" {
		m.Set(keyTemplate, source)
	}
	var names []string
	for _, entry := range t.Templates() {
		m.Set(keyTemplate+"."+entry.Name, entry.Template)
		names = append(names, entry.Name)
	}
	if names != nil {
		m.Set(keyTemplates, names)
	}
	return nil
}

// nameEndOfMessage ends a message of Llama 3.1 that calls a tool.
const nameEndOfMessage = "<|eom_id|>"

// endFor returns the token that programs call eos.
func endFor(t *tokenizer.Tokenizer) token.ID {
	if id, ok := t.Special(t.StopName()); ok {
		return id
	}
	return t.EOS()
}

// turnEnd returns the token that ends a turn of a chat, or None: the chat template's, else the first
// of stops, where the model stops, that is not endFor's. llama.cpp stops there too.
func turnEnd(t *tokenizer.Tokenizer, stops []token.ID) token.ID {
	if ends := template.Ends(t); len(ends) > 0 {
		return ends[0]
	}
	if slices.Contains(stops, t.EOT()) {
		return t.EOT()
	}
	for _, id := range stops {
		if id != endFor(t) && id != t.EOS() {
			return id
		}
	}
	return tokenizer.None
}

func piecesToGGUF(m *gguf.Metadata, p tokenizer.Pieces, vocabulary int) {
	l := newLists(vocabulary)
	for _, piece := range p.List {
		l.add(piece.Text, piece.Kind, piece.Score)
	}
	l.fill(vocabulary)
	m.Set(keyTokenizer, "llama")
	m.Set(keyPre, "default")
	m.Set(keyTokens, l.text)
	m.Set(keyScores, l.scores)
	m.Set(keyKinds, l.kinds)
	if p.Unknown != tokenizer.None {
		m.Set(keyUnknown, uint32(p.Unknown))
	}
	m.Set(keySpacePrefix, p.AddDummyPrefix)
}

func byteLevelToGGUF(m *gguf.Metadata, v tokenizer.Vocabulary, vocabulary int) error {
	pre, err := preFor(v)
	if err != nil {
		return err
	}
	special := make(map[token.ID]tokenizer.PieceKind, len(v.Added))
	for _, a := range v.Added {
		special[a.ID] = tokenizer.PieceUserDefined
		if a.Special {
			special[a.ID] = tokenizer.PieceControl
		}
	}
	l := newLists(vocabulary)
	for id, text := range v.Tokens {
		if kind, ok := special[token.ID(id)]; ok {
			l.add(text, kind, 0)
		} else {
			l.add(tokenizer.SpellBytes(text), tokenizer.PieceNormal, 0)
		}
	}
	l.fill(vocabulary)
	merges := make([]string, len(v.Merges))
	for i, pair := range v.Merges {
		merges[i] = tokenizer.SpellBytes(v.Tokens[pair[0]]) + " " + tokenizer.SpellBytes(v.Tokens[pair[1]])
	}
	m.Set(keyTokenizer, "gpt2")
	m.Set(keyPre, pre)
	m.Set(keyTokens, l.text)
	m.Set(keyKinds, l.kinds)
	m.Set(keyMerges, merges)
	return nil
}

// lists collects the tokens of a file to write.
type lists struct {
	text   []string
	kinds  []int32
	scores []float32
}

func newLists(n int) *lists {
	return &lists{make([]string, 0, n), make([]int32, 0, n), make([]float32, 0, n)}
}

func (l *lists) add(text string, kind tokenizer.PieceKind, score float32) {
	l.text, l.kinds, l.scores = append(l.text, text), append(l.kinds, int32(kind)), append(l.scores, score)
}

// fill pads the vocabulary, as llama.cpp's converter does: llama.cpp requires as many tokens as
// the embedding has rows.
func (l *lists) fill(vocabulary int) {
	for id := len(l.text); id < vocabulary; id++ {
		l.add(padding(id), tokenizer.PieceUnused, -10000)
	}
}
