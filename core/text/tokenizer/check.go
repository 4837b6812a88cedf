package tokenizer

import (
	"fmt"
	"strings"

	"github.com/dlclark/regexp2"
)

func (f *file) checkVersion() error {
	if f.Version != "1.0" {
		return fmt.Errorf("version is %q, expected \"1.0\"", f.Version)
	}
	return nil
}

// begins returns the special token that a post-processor puts before a text, or "".
func (c *component) begins() string {
	if c == nil {
		return ""
	}
	if len(c.Single) > 0 && c.Single[0].SpecialToken != nil {
		return c.Single[0].SpecialToken.ID
	}
	for _, p := range c.Processors {
		if first := p.begins(); first != "" {
			return first
		}
	}
	return ""
}

// checkPost accepts post-processors that add nothing but special tokens to the ids of a text.
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
	case len(m.Vocab) == 0:
		return fmt.Errorf("model.vocab is empty")
	}
	return nil
}

// pattern returns the Pattern of the pre-tokenizer: ByteLevel (with GPT-2's pattern or none),
// after any number of Split and Digits.
func (f *file) pattern() (Pattern, error) {
	steps := f.PreTokenizer.pretokenizers()
	var lines []string
	for i, c := range steps {
		line, err := c.patternLine(i == len(steps)-1)
		if err != nil {
			return "", fmt.Errorf("pre_tokenizer[%d]: %w", i, err)
		}
		if line != Whole {
			lines = append(lines, string(line))
		}
	}
	if len(lines) == 0 {
		return Whole, nil
	}
	return Pattern(strings.Join(lines, "\n")), nil
}

// patternLine returns c as a line of a Pattern. The last step must be the one that spells
// bytes.
func (c *component) patternLine(last bool) (Pattern, error) {
	if last != (c.Type == "ByteLevel") {
		return "", fmt.Errorf("%s is not supported here: expected Split or Digits, and ByteLevel last", c.Type)
	}
	switch c.Type {
	case "ByteLevel":
		if isTrue(c.AddPrefixSpace, true) {
			return "", fmt.Errorf("a ByteLevel with add_prefix_space is not supported")
		}
		return map[bool]Pattern{true: GPT2, false: Whole}[isTrue(c.UseRegex, true)], nil
	case "Digits":
		return map[bool]Pattern{true: singleDigits, false: digitRuns}[isTrue(c.IndividualDigits, false)], nil
	case "Split":
		return c.splitLine()
	}
	return "", fmt.Errorf("%s is not supported: expected Split, Digits or ByteLevel", c.Type)
}

// splitLine is patternLine for Split. A Split that removes everything but the matches equals
// one that isolates them if nothing lies between them, as in patterns that match whole texts.
func (c *component) splitLine() (Pattern, error) {
	if c.Pattern == nil {
		return "", fmt.Errorf("pre-tokenizer Split has no pattern")
	}
	line := oneLine(c.Pattern.Regex)
	if line == "" {
		line = Pattern(regexp2.Escape(c.Pattern.String))
	}
	inverted := c.Behavior == "Removed" && isTrue(c.Invert, false) && line.cutsAll()
	if !inverted && (c.Behavior != "Isolated" || isTrue(c.Invert, false)) {
		return "", fmt.Errorf("behavior %s, invert %t of Split is not supported: expected Isolated", c.Behavior, isTrue(c.Invert, false))
	}
	if line == "" {
		return "", fmt.Errorf("pre-tokenizer Split has an empty pattern")
	}
	_, err := line.step()
	return line, err
}

// oneLine writes line breaks in an expression as escapes.
func oneLine(regexp string) Pattern {
	return Pattern(strings.NewReplacer(`\\`, `\\`, "\\\r", `\r`, "\\\n", `\n`, "\r", `\r`, "\n", `\n`).Replace(regexp))
}

func isTrue(b *bool, missing bool) bool {
	if b == nil {
		return missing
	}
	return *b
}
