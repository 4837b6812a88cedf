package constrain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/internal/testmodel"
)

// accepts reports whether a text is in a grammar, by its states alone.
func accepts(g *Grammar, text string) bool {
	s := newStates(g)
	at := s.begin()
	for i := range len(text) {
		at = s.step(at, text[i])
	}
	return at.ends
}

func schemaOf(t testing.TB, source string) *Grammar {
	t.Helper()
	g, err := Schema([]byte(source))
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return g
}

// texts are schemas with texts that they accept and refuse.
var texts = []struct {
	schema string
	yes    []string
	no     []string
}{
	{`{"type":"object"}`, []string{`{}`, `{"a":1}`, ` { "a" : [1, {"b":null}], "c":"" }`, "{\n  \"a\": 1\n}"}, []string{``, `[]`, `1`, `{"a"}`, `{"a":1,}`, `{,}`, `{"a":1 "b":2}`, `{"a":1}}`, `{"a":1}  `}},
	{`true`, []string{`[1,"a"]`, `{}`, `-0.5e-7`, `true`}, []string{`01`, `.5`, `1.`, `+1`, `nan`, `'a'`, `[1,]`, `[,1]`, `tru`}},
	{`{"type":"string"}`, []string{`""`, `"é 中 🙂"`, `"\u00e9\n\"\\\/"`, `"\ud83d\ude42"`, "\"\x7f\""}, []string{`"`, "\"\n\"", `"\x"`, `"\ud83d"`, `"\ude42"`, `"\ud83da"`, `"\ud83d\u0041"`, "\"\xff\"", "\"\xed\xa0\x80\"", "\"\xc0\x80\"", `"\u00g0"`}},
	{`{"type":"string","minLength":2,"maxLength":3}`, []string{`"ab"`, `"中🙂é"`, `"\n\ud83d\ude42"`}, []string{`"a"`, `"abcd"`, `""`}},
	{`{"type":["integer","null"]}`, []string{`0`, `-12`, `null`}, []string{`1.0`, `1e2`, `00`, `-`, `true`}},
	{`{"type":"integer","minimum":-5,"exclusiveMaximum":123}`, []string{`-5`, `0`, `9`, `10`, `99`, `100`, `122`}, []string{`-6`, `-10`, `123`, `200`, `1000`, `01`, `-0`, `-`}},
	{`{"type":"integer","exclusiveMinimum":8,"maximum":12}`, []string{`9`, `12`}, []string{`8`, `13`}},
	{`{"type":"integer","minimum":0}`, []string{`0`, `7`, `99999999999999999`}, []string{`-1`, `-0`}},
	{`{"type":"integer","minimum":990,"maximum":1010}`, []string{`990`, `999`, `1000`, `1010`}, []string{`989`, `1011`, `99`, `10000`}},
	{`{"type":"number"}`, []string{`0`, `-1.25`, `1e5`, `1E-05`}, []string{`1e999`, `1.`, `--1`}},
	{`{"enum":["a","b c",1,null,{"x":[1]},true]}`, []string{`"a"`, `"b c"`, `1`, `null`, `{"x": [1]}`, `true`}, []string{`"b"`, `2`, `{"x":[2]}`, `{}`, `false`}},
	{`{"type":"string","enum":["a",1]}`, []string{`"a"`}, []string{`1`}},
	{`{"const":"x<&\"y"}`, []string{`"x<&\"y"`}, []string{`"x"`}},
	{`{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"},"c":{"type":"null"}},"required":["b"]}`,
		[]string{`{"b":""}`, `{"a":1,"b":""}`, `{"b":"","c":null}`, `{"a":1, "b":"", "c":null}`}, []string{`{}`, `{"a":1}`, `{"b":"","a":1}`, `{"b":"","b":""}`, `{"b":"","d":1}`, `{"a":1 ,,"b":""}`, `{,"b":""}`}},
	{`{"properties":{"a":true},"additionalProperties":{"type":"integer"}}`, []string{`{}`, `{"a":"x"}`, `{"a":[],"b":1,"ab":2}`, `{"b":1}`, `{"":3}`, `{"é":1}`}, []string{`{"b":"x"}`, `{"b":1,"a":1}`, `{"\u0061":1}`}},
	{`{"properties":{"ab":true,"abc":true,"b\"":true},"additionalProperties":{"type":"integer"}}`, []string{`{"a":1}`, `{"abd":1}`, `{"abcd":1}`, `{"b":1}`}, []string{`{"abc":1,"ab":2}`, `{"abc":"","abc":2}`}},
	{`{"properties":{"a":true},"additionalProperties":false}`, []string{`{}`, `{"a":1}`}, []string{`{"b":1}`}},
	{`{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3}`, []string{`[1]`, `[1, 2,3]`}, []string{`[]`, `[1,2,3,4]`, `["a"]`, `[1,]`}},
	{`{"type":"array","items":{"type":"integer"},"minItems":2}`, []string{`[1,2]`, `[1,2,3,4]`}, []string{`[]`, `[1]`}},
	{`{"type":"array","maxItems":0}`, []string{`[]`}, []string{`[1]`}},
	{`{"prefixItems":[{"type":"integer"},{"type":"string"}],"items":{"type":"null"}}`, []string{`[]`, `[1]`, `[1,"a"]`, `[1,"a",null,null]`}, []string{`["a"]`, `[1,2]`, `[1,"a",1]`}},
	{`{"prefixItems":[{"type":"integer"},{"type":"string"}],"items":false,"minItems":2}`, []string{`[1,"a"]`}, []string{`[1]`, `[1,"a",null]`}},
	{`{"anyOf":[{"type":"integer"},{"type":"array","items":{"$ref":"#"}}]}`, []string{`1`, `[]`, `[[1],[[]],2]`}, []string{`["a"]`, `[[1]`, `[1]]`}},
	{`{"$defs":{"node":{"type":"object","properties":{"v":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},"required":["v","next"],"additionalProperties":false}},"$ref":"#/$defs/node"}`,
		[]string{`{"v":1,"next":null}`, `{"v":1,"next":{"v":2,"next":null}}`}, []string{`{"v":1}`, `{"v":1,"next":{}}`, `{"v":1,"next":{"v":2,"next":null}`}},
	{`{"oneOf":[{"type":"object","properties":{"k":{"const":"a"},"x":{"type":"integer"}},"required":["k"]},{"type":"object","properties":{"k":{"enum":["b","c"]}},"required":["k"]}]}`, []string{`{"k":"a","x":1}`, `{"k":"c"}`}, []string{`{"k":"b","x":1}`, `{}`}},
	{`{"oneOf":[{"type":"string"},{"type":"null"}]}`, []string{`""`, `null`}, []string{`1`}},
	{`{"allOf":[{"type":"string"}],"description":"d"}`, []string{`""`}, []string{`1`}},
	{`{"type":"string","pattern":"^a+b?$"}`, []string{`"a"`, `"aab"`}, []string{`"b"`, `"ab "`, `"xab"`}},
	{`{"type":"string","pattern":"[0-9]{2}"}`, []string{`"12"`, `"x123"`, `"\"12\n"`, `"é12"`}[:3:3], []string{`"1"`, `"1a2"`}},
	{`{"type":"string","pattern":"^(a|b)$"}`, []string{`"a"`, `"b"`}, []string{`"ab"`, `""`}},
	{`{"type":"string","pattern":"^\\W.$"}`, []string{`"\"x"`, `"\\中"`, `"é🙂"`}, []string{`"xx"`, `"."`, `"!"x"`}},
	{`{"type":"string","pattern":"^(?i)ok$"}`, []string{`"OK"`, `"oK"`}, []string{`"o"`}},
	{`{"type":"string","format":"date"}`, []string{`"2024-02-28"`, `"1999-12-31"`}, []string{`"2024-02-30"`, `"2024-13-01"`, `"2024-04-31"`, `"24-01-01"`}},
	{`{"type":"string","format":"date-time"}`, []string{`"2024-02-28T23:59:59Z"`, `"2024-02-28T00:00:00.5+02:00"`}, []string{`"2024-02-28"`, `"2024-02-28T24:00:00Z"`}},
	{`{"type":"string","format":"ipv4"}`, []string{`"127.0.0.1"`, `"255.255.255.255"`}, []string{`"256.0.0.1"`, `"1.2.3"`, `"01.2.3.4"`}},
	{`{"type":"string","format":"uuid"}`, []string{`"123e4567-e89b-12d3-a456-426614174000"`}, []string{`"123e4567"`}},
	{`{"type":"string","format":"email"}`, []string{`"a.b@c.de"`}, []string{`"a@b"`, `"a"`, `"@c.de"`}},
}

// validator returns an independent judge of a schema.
func validator(t testing.TB, source string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("s.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("s.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestTexts: a grammar accepts what it should. What it accepts is valid by another program.
func TestTexts(t *testing.T) {
	for _, c := range texts {
		g := schemaOf(t, c.schema)
		v := validator(t, c.schema)
		for _, text := range c.yes {
			if !accepts(g, text) {
				t.Errorf("%s refuses %q", c.schema, text)
			}
			doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
			if err == nil {
				err = v.Validate(doc)
			}
			if err != nil {
				t.Errorf("%s: %q is not valid: %v", c.schema, text, err)
			}
		}
		for _, text := range c.no {
			if accepts(g, text) {
				t.Errorf("%s accepts %q", c.schema, text)
			}
		}
	}
	for text, want := range map[string]bool{`{}`: true, ` {"a": [true]}`: true, `{} `: false, `[]`: false, `1`: false, `{"a":}`: false, `{"a":1`: false} {
		if accepts(JSON(), text) != want {
			t.Errorf("JSON mode: %q is %t", text, !want)
		}
	}
}

// TestRefused: what herd does not enforce is refused with its place, and a schema that asks for too
// much work is refused at once.
func TestRefused(t *testing.T) {
	deep := strings.Repeat(`{"items":`, 5000) + "true" + strings.Repeat("}", 5000)
	var forks strings.Builder
	for i := range 60 {
		fmt.Fprintf(&forks, `"d%d":{"anyOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]},`, i, i+1, i+1)
	}
	for schema, want := range map[string]string{
		``:                                "the schema: not JSON",
		`{"type":"string"} {}`:            "more than one JSON value",
		`[]`:                              "the schema: is no schema",
		`false`:                           "allows no value",
		`{"type":"strin"}`:                `/type: is "strin"`,
		`{"type":[]}`:                     "/type: is an empty list",
		`{"type":3}`:                      "/type: is 3",
		`{"type":"string","a":1}`:         "/a: herd cannot enforce",
		`{"not":{}}`:                      "/not: herd cannot enforce",
		`{"type":"string","type":"null"}`: `has the key "type" twice`,
		`{"properties":{"x":{"items":{"uniqueItems":true}}}}`:                               "/properties/x/items/uniqueItems: herd cannot enforce",
		`{"properties":{"a/b":{"x~":1}}}`:                                                   "/properties/a~1b/x~0: herd",
		`{"type":"object","minLength":1}`:                                                   "has minLength, but its type is object",
		`{"type":"object","required":["a"]}`:                                                "names a, which properties lacks",
		`{"type":"number","minimum":0}`:                                                     "/minimum: herd can enforce this keyword for integers only",
		`{"type":"integer","minimum":0.5}`:                                                  "/minimum: is 0.5, expected a whole number",
		`{"type":"integer","minimum":5,"maximum":4}`:                                        "allows no integer",
		`{"type":"string","minLength":3,"maxLength":2}`:                                     "/minLength: is 3, more than maxLength",
		`{"type":"string","maxLength":-1}`:                                                  "/maxLength: is -1",
		`{"type":"string","maxLength":200000}`:                                              "too large",
		`{"type":"array","items":{"maxItems":9999,"items":{"maxLength":9999}}}`:             "too large",
		`{"type":"string","pattern":"(?=a)"}`:                                               "/pattern: herd does not understand it",
		`{"type":"string","pattern":"a^b"}`:                                                 "can anchor a pattern only at its ends",
		`{"type":"string","pattern":"a","maxLength":3}`:                                     "has a length and a pattern",
		`{"type":"string","format":"iri"}`:                                                  "/format: is iri, expected one of date, ",
		`{"enum":[]}`:                                                                       "/enum: expected a list",
		`{"enum":["a"],"maxLength":1}`:                                                      "has enum and maxLength",
		`{"type":"null","enum":[1]}`:                                                        "/enum: no value is of the type",
		`{"anyOf":[]}`:                                                                      "/anyOf: expected a list",
		`{"anyOf":[{}],"type":"string"}`:                                                    "has anyOf and type",
		`{"allOf":[{},{}]}`:                                                                 "/allOf: has 2 schemas",
		`{"oneOf":[{"type":"integer"},{"type":"number"}]}`:                                  "/oneOf: schemas 0 and 1 may both allow",
		`{"oneOf":[{"const":"a"},{"enum":["b","a"]}]}`:                                      "may both allow",
		`{"oneOf":[{"type":"object"},{"type":"object"}]}`:                                   "may both allow",
		`{"$ref":"#"}`:                                                                      "leads back",
		`{"anyOf":[{"type":"null"},{"$ref":"#"}]}`:                                          "leads back",
		`{"$ref":"#/nowhere"}`:                                                              "not in this schema",
		`{"$ref":"https://example.org/x"}`:                                                  "expected a place in this schema",
		`{"$ref":"#/$defs/d0","$defs":{` + forks.String() + `"d60":{"$ref":"#/$defs/d0"}}}`: "leads back",
		`{"prefixItems":[true],"items":false,"minItems":2}`:                                 "/minItems: is 2, but there are 1",
		deep: "nests deeper than 64",
	} {
		began := time.Now()
		_, err := Schema([]byte(schema))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: error %v, want %q", schema, err, want)
		}
		if time.Since(began) > 20*time.Second {
			t.Errorf("%.80s takes %v", schema, time.Since(began))
		}
	}
	if _, err := Schema([]byte(`{"$ref":"#/$defs/d0","$defs":{` + forks.String() + `"d60":{"type":"null"}}}`)); err != nil {
		t.Errorf("many ways to one value: %v", err)
	}
}

// vocabularies are byte-level BPE, and one of SentencePiece's with a byte for each character that it
// lacks.
func vocabularies(t testing.TB) map[string]*tokenizer.Tokenizer {
	t.Helper()
	list := []tokenizer.Piece{{Text: "<unk>", Kind: tokenizer.PieceUnknown}, {Text: "<s>", Kind: tokenizer.PieceControl}, {Text: "</s>", Kind: tokenizer.PieceControl}}
	for i := range 256 {
		list = append(list, tokenizer.Piece{Text: fmt.Sprintf("<0x%02X>", i), Kind: tokenizer.PieceByte})
	}
	for i, text := range strings.Split("▁ a b c x { } [ ] : , \" \\ n u 0 1 2 3 9 - . \"a \": ▁\" ▁{ ▁1 {} [] ], null true é 中 \\n 12 20 -0", " ") {
		list = append(list, tokenizer.Piece{Text: text, Kind: tokenizer.PieceNormal, Score: float32(-i)})
	}
	pieces, err := tokenizer.FromPieces(tokenizer.Pieces{List: list, BOS: 1, EOS: 2, Unknown: 0, AddDummyPrefix: true})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*tokenizer.Tokenizer{
		"bytes":  testmodel.Tokenizer(t, 300, `{"name": "Ann", "age": 31, "tags": ["a", "b"]}`, `[{"x": null}, true, false, "é🙂"]`, "2024-01-01T"),
		"pieces": pieces,
	}
}

// TestWalk: the tokens that may follow are those whose bytes the states accept, one by one.
func TestWalk(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, tok := range vocabularies(t) {
		v := NewVocabulary(tok)
		spelt := v.texts
		for _, c := range texts {
			s := newStates(schemaOf(t, c.schema))
			at := s.begin()
			for range 12 {
				var got, want []token.ID
				v.walk(s, at, func(id token.ID) { got = append(got, id) })
				for id := range token.ID(tok.VocabSize()) {
					to := at
					for i := range len(spelt[id]) {
						to = s.step(to, spelt[id][i])
					}
					if to != dead && spelt[id] != "" {
						want = append(want, id)
					}
				}
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Fatalf("%s, %s: %d tokens follow, want %d", name, c.schema, len(got), len(want))
				}
				if len(got) == 0 {
					break
				}
				for _, b := range []byte(spelt[got[r.IntN(len(got))]]) {
					at = s.step(at, b)
				}
			}
		}
		for id := range token.ID(tok.VocabSize()) {
			if tok.IsSpecial(id) == (spelt[id] != "") {
				t.Errorf("%s: token %d is spelt %q", name, id, spelt[id])
			}
		}
	}
}

// TestRandomAnswers: whatever is drawn from the tokens that are allowed is valid by another program,
// as soon as it may end.
func TestRandomAnswers(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	ended := 0
	for _, tok := range vocabularies(t) {
		v := NewVocabulary(tok)
		spelt := v.texts
		for _, c := range texts {
			valid := validator(t, c.schema)
			constraint := schemaOf(t, c.schema).Over(v)
			for range 20 {
				var text bytes.Buffer
				for state, n := constraint.Begin(), 0; n < 200; n++ {
					words, ends, err := state.Allowed()
					if err != nil {
						t.Fatalf("%s: behind %q: %v", c.schema, &text, err)
					}
					if ends {
						ended++
						doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text.Bytes()))
						if err == nil {
							err = valid.Validate(doc)
						}
						if err != nil || !utf8.Valid(text.Bytes()) || !json.Valid(text.Bytes()) {
							t.Fatalf("%s: %q: %v", c.schema, &text, err)
						}
					}
					if words == nil {
						break
					}
					ids := listed(words)
					id := ids[r.IntN(len(ids))]
					text.WriteString(spelt[id])
					state = state.Next(id)
				}
			}
		}
	}
	if ended < 500 {
		t.Errorf("only %d answers could end", ended)
	}
}

func listed(words []uint64) (ids []token.ID) {
	for w, word := range words {
		for bit := range 64 {
			if word>>bit&1 == 1 {
				ids = append(ids, token.ID(64*w+bit))
			}
		}
	}
	return ids
}

// TestRunes compares ranges of characters with a test of each.
func TestRunes(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	edges := []rune{0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xd800, 0xdfff, 0xe000, 0xffff, 0x10000, utf8.MaxRune}
	for range 300 {
		low := edges[r.IntN(len(edges))] + rune(r.IntN(200)) - 100
		high := edges[r.IntN(len(edges))] + rune(r.IntN(200)) - 100
		low, high = max(0, min(low, high)), min(utf8.MaxRune, max(low, high))
		b := &builder{}
		b.define(b.rule(), runes(low, high))
		s := newStates(&b.Grammar)
		for range 200 {
			c := []rune{low, high, low - 1, high + 1, rune(r.IntN(utf8.MaxRune + 1)), edges[r.IntN(len(edges))]}[r.IntN(6)]
			if c < 0 || !utf8.ValidRune(c) {
				continue
			}
			at := s.begin()
			for _, x := range []byte(string(c)) {
				at = s.step(at, x)
			}
			if at.ends != (low <= c && c <= high) {
				t.Fatalf("%x to %x: %x is %t", low, high, c, at.ends)
			}
		}
	}
}

// TestIntegers compares ranges of integers with a test of each.
func TestIntegers(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		low := int64(r.IntN(4000) - 2000)
		high := low + int64(r.IntN(1500))
		b := &builder{}
		b.define(b.rule(), between(low, high))
		for range 100 {
			n := low - 20 + int64(r.IntN(int(high-low)+40))
			if accepts(&b.Grammar, fmt.Sprint(n)) != (low <= n && n <= high) {
				t.Fatalf("%d to %d: %d", low, high, n)
			}
		}
	}
}

// TestOldStates: answers go on as before when the table of states is made anew.
func TestOldStates(t *testing.T) {
	s := newStates(schemaOf(t, `{"type":"array","items":{"type":"array","items":{"type":"string","maxLength":3}}}`))
	at := s.begin()
	for i, c := range []byte(`[["ab","c"],[],["de"]]`) {
		if at = s.step(at, c); i%3 == 0 {
			s.reset()
		}
		if at == dead {
			t.Fatalf("dead at %d", i)
		}
		if i%3 == 1 && at.age != s.age {
			t.Errorf("behind %d bytes the state is of an old table", i)
		}
	}
	if !at.ends {
		t.Error("the text may not end")
	}
	if at = s.step(at, ']'); at != dead {
		t.Error("the text goes on")
	}
}

// TestImpossible: a vocabulary that cannot say what is asked is an error and not an endless answer.
func TestImpossible(t *testing.T) {
	v := vocabularyOf([]string{"a", "{"})
	c := JSON().Over(v)
	state := c.Begin()
	if words, ends, err := state.Allowed(); err != nil || ends || !slices.Equal(listed(words), []token.ID{1}) {
		t.Errorf("%v %t %v", words, ends, err)
	}
	if _, _, err := state.Next(1).Allowed(); err == nil {
		t.Error("an object that cannot end goes on")
	}
}

// TestAmbiguous: a schema with too many readings of one text ends with an error.
func TestAmbiguous(t *testing.T) {
	s := newStates(schemaOf(t, `{"type":"string","pattern":"(a|aa|aaa|aaaa)*(.*x){100}(.*a.{9}){30}$"}`))
	at := s.begin()
	for _, c := range []byte(`"` + strings.Repeat("ax", 3000)) {
		if at = s.step(at, c); s.err != nil {
			return
		}
	}
	if n := len(at.places); n > maxPlaces {
		t.Errorf("%d places", n)
	}
}

// TestBehind: the text begins where the mark occurs for the first time.
func TestBehind(t *testing.T) {
	g := JSON().Behind("</t>")
	for text, want := range map[string]bool{
		"</t>{}": true, "so {</</t>\n\n{\"a\":1}": true, "</t></t>{}": false, "{}": false, "x</t>": false, "x</t>1": false, "x</t >{}": false, "\xff</t>{}": true,
	} {
		if accepts(g, text) != want {
			t.Errorf("%q is %t", text, !want)
		}
	}
	if !accepts(JSON(), "{}") {
		t.Error("the grammar changed")
	}
}

func FuzzSchema(f *testing.F) {
	for _, c := range texts {
		f.Add(c.schema)
	}
	f.Fuzz(func(t *testing.T, source string) {
		g, err := Schema([]byte(source))
		if err != nil {
			return
		}
		s := newStates(g)
		at := s.begin()
		for range 50 { // the first way on
			next := dead
			for c := 0; c < 256 && next == dead; c++ {
				next = s.step(at, byte(c))
			}
			if at = next; at == dead {
				break
			}
		}
	})
}
