package tokenizer

import "fmt"

func (f *file) checkVersion() error {
	if f.Version != "1.0" {
		return fmt.Errorf("version is %q, expected \"1.0\"", f.Version)
	}
	return nil
}

// checkSurroundings refuses what would change text before, or ids after, the
// model.
func (f *file) checkSurroundings() error {
	if f.Normalizer != nil {
		return fmt.Errorf("normalizer %s is not supported: expected null", f.Normalizer.Type)
	}
	if f.Decoder != nil && f.Decoder.Type != "ByteLevel" {
		return fmt.Errorf("decoder %s is not supported: expected ByteLevel", f.Decoder.Type)
	}
	return f.PostProcessor.checkPost()
}

// checkPost accepts what adds at most special tokens to the ids of a text:
// which of them begins a text is tokenizer_config.json's to say.
func (c *component) checkPost() error {
	if c == nil {
		return nil
	}
	switch c.Type {
	case "ByteLevel", "TemplateProcessing":
		return nil
	case "Sequence":
		for _, p := range c.Processors {
			if err := p.checkPost(); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("post_processor %s is not supported: expected ByteLevel or TemplateProcessing", c.Type)
}

func (m *modelJSON) check() error {
	set := func(s *string) bool { return s != nil && *s != "" }
	switch {
	case m.Type != "BPE" && m.Type != "":
		return fmt.Errorf("model.type %s is not supported: expected BPE", m.Type)
	case m.Dropout != nil && *m.Dropout != 0:
		return fmt.Errorf("model.dropout %v is not supported: expected null", *m.Dropout)
	case set(m.ContinuingSubwordPrefix) || set(m.EndOfWordSuffix):
		return fmt.Errorf("model: continuing_subword_prefix and end_of_word_suffix are not supported")
	case m.ByteFallback:
		return fmt.Errorf("model.byte_fallback is not supported: expected byte-level BPE")
	case len(m.Vocab) == 0:
		return fmt.Errorf("model.vocab is empty")
	}
	return nil
}

// pattern finds the Pattern in the pre-tokenizer, which must be ByteLevel by
// itself (GPT-2) or behind one Split.
func (f *file) pattern() (Pattern, error) {
	p := f.PreTokenizer
	if p == nil {
		return 0, fmt.Errorf("pre_tokenizer is missing: expected ByteLevel, or a Sequence of Split and ByteLevel")
	}
	if p.isByteLevel(true) {
		return GPT2, nil
	}
	if p.Type != "Sequence" || len(p.Pretokenizers) != 2 || !p.Pretokenizers[1].isByteLevel(false) {
		return 0, fmt.Errorf("pre_tokenizer %s is not supported: expected ByteLevel without prefix space, or a Sequence of Split and ByteLevel", p.Type)
	}
	split := p.Pretokenizers[0]
	if split == nil || split.Type != "Split" || split.Pattern == nil || split.Behavior != "Isolated" || isTrue(split.Invert, false) {
		return 0, fmt.Errorf("pre_tokenizer.pretokenizers[0]: expected a Split by a pattern with behavior Isolated")
	}
	found, err := parsePattern(split.Pattern.Regex)
	if err != nil {
		return 0, fmt.Errorf("pre_tokenizer.pretokenizers[0]: %w", err)
	}
	return found, nil
}

// isByteLevel reports whether c only spells bytes, after splitting by GPT-2's
// pattern if regex is set. Missing fields have the defaults of tokenizers.
func (c *component) isByteLevel(regex bool) bool {
	return c != nil && c.Type == "ByteLevel" && !isTrue(c.AddPrefixSpace, true) && isTrue(c.UseRegex, true) == regex
}

func isTrue(b *bool, missing bool) bool {
	if b == nil {
		return missing
	}
	return *b
}
