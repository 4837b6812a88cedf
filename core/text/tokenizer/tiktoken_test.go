package tokenizer

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/token"
)

// tiktokenOf returns a tokenizer.model in Llama 3's format.
func tiktokenOf(tokens []string) []byte {
	var text strings.Builder
	for rank, raw := range tokens {
		fmt.Fprintf(&text, "%s %d\n", base64.StdEncoding.EncodeToString([]byte(raw)), rank)
	}
	return []byte(text.String())
}

// byRank is tiktoken's own algorithm: it merges the neighbours that form the token with the lowest
// rank.
func byRank(ids map[string]token.ID, piece string) (all []token.ID) {
	if id, ok := ids[piece]; ok {
		return []token.ID{id}
	}
	parts := strings.Split(piece, "")
	if !isASCII(piece) {
		parts = nil
		for i := range len(piece) {
			parts = append(parts, piece[i:i+1])
		}
	}
	for {
		best := -1
		for i := range len(parts) - 1 {
			if id, ok := ids[parts[i]+parts[i+1]]; ok && (best < 0 || id < ids[parts[best]+parts[best+1]]) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		parts[best] += parts[best+1]
		parts = slices.Delete(parts, best+1, best+2)
	}
	for _, p := range parts {
		all = append(all, ids[p])
	}
	return all
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 0x7f }) < 0
}

func TestLoadTiktoken(t *testing.T) {
	ordinary := trained(t).vocab.Tokens[:656]
	tok, err := Load(writeModel(t, tiktokenOf(ordinary)))
	if err != nil {
		t.Fatal(err)
	}
	if got := []token.ID{token.ID(tok.VocabSize()), tok.BOS(), tok.EOS(), tok.EOT()}; !slices.Equal(got, []token.ID{656 + 256, 656, 657, 665}) {
		t.Errorf("size, BOS, EOS, EOT are %v", got)
	}
	if id, _ := tok.Special("<|reserved_special_token_247|>"); id != 656+255 {
		t.Errorf("the last reserved token is %d", id)
	}
	ids := map[string]token.ID{}
	for i, text := range ordinary {
		ids[text] = token.ID(i)
	}
	r := rand.New(rand.NewPCG(41, 42))
	for _, text := range append(corpusLines(), randomText(r, 3000), randomPiece(r, 3000)) {
		var want []token.ID
		for piece := range repeat(splitLlama3)(text) {
			want = append(want, byRank(ids, piece)...)
		}
		if got := tok.Encode(text); !slices.Equal(got, want) {
			t.Errorf("%.80q: got %v, tiktoken's way gives %v", text, got, want)
		}
	}
}

func TestLoadTiktokenRefuses(t *testing.T) {
	good := string(tiktokenOf(trained(t).vocab.Tokens[:656]))
	for _, c := range []struct{ old, new, want string }{
		{"IQ== 0\n", "", `line 1: rank "1", expected 0`},
		{"IQ== 0\n", "IQ== x\n", `line 1: rank "x"`},
		{"IQ== 0\n", "!! 0\n", `line 1: "!! 0" is not a token`},
		{"IQ== 0\n", " 0\n", `line 1: " 0" is not a token`},
		{"IQ== 0\n", "Ig== 0\n", "tokens 0 and 1 are both"},
		{"IQ== 0\n", "IQ== 0\n\n", "line 2:"},
		{good, "", "byte 0x00 has no token"},
		{"IQ== 0\n", "{\n", "line 1:"},
	} {
		if !strings.Contains(good, c.old) {
			t.Fatalf("no %q", c.old)
		}
		_, err := Load(writeModel(t, []byte(strings.Replace(good, c.old, c.new, 1))))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), modelFile) {
			t.Errorf("%q for %.20q: got error %v, want %q and the file", c.new, c.old, err, c.want)
		}
	}
}
