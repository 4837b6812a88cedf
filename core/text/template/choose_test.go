package template

import "testing"

// TestChooseReplaces: a name counts even if the tokenizer has a template of its own; without a
// name the own one counts.
func TestChooseReplaces(t *testing.T) {
	own, err := Named("llama3")
	if err != nil {
		t.Fatal(err)
	}
	tok := newTokenizer(t).WithTemplate(own)
	named, err := Choose(tok, "chatml")
	if err != nil || NameOf(named.Template()) != "chatml" || NameOf(tok.Template()) != "llama3" {
		t.Errorf("by name: %s, error %v; before it was %s", NameOf(named.Template()), err, NameOf(tok.Template()))
	}
	if same, err := Choose(tok, ""); err != nil || same != tok {
		t.Errorf("without a name: another tokenizer, error %v", err)
	}
	if _, err := Choose(tok, "nope"); err == nil {
		t.Error("an unknown name is no error")
	}
}
