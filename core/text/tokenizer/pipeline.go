package tokenizer

import (
	"fmt"
	"slices"
	"strings"
)

// This file converts the normalizer, the pre-tokenizer and the decoder of tokenizer.json to a
// Vocabulary and back.

// readPipeline sets the processing of text in v. It refuses components for which ids or text would
// differ from those of Hugging Face's reader.
func (f *file) readPipeline(v *Vocabulary) (err error) {
	steps := f.Normalizer.flat(func(c *component) []*component { return c.Normalizers })
	if len(steps) > 0 && slices.Contains(forms, Form(steps[0].Type)) {
		v.Form, steps = Form(steps[0].Type), steps[1:]
	}
	if f.PreTokenizer.hasByteLevel() {
		v.Pattern, err = f.readByteLevel(steps)
	} else {
		v.SentencePiece, err = f.readSentencePiece(steps)
	}
	return err
}

// readByteLevel returns the pattern of byte-level BPE. normalizers are the steps after the Unicode
// normalizer.
func (f *file) readByteLevel(normalizers []*component) (Pattern, error) {
	if len(normalizers) > 0 {
		return "", fmt.Errorf("normalizer %s is not supported with ByteLevel: expected null, NFC, NFD, NFKC or NFKD", normalizers[0].Type)
	}
	if f.Decoder != nil && f.Decoder.Type != "ByteLevel" {
		return "", fmt.Errorf("decoder %s is not supported: expected ByteLevel", f.Decoder.Type)
	}
	return f.pattern()
}

func (f *file) readSentencePiece(normalizers []*component) (_ *SentencePiece, err error) {
	s := &SentencePiece{ByteFallback: f.Model.ByteFallback, FuseUnknown: f.Model.FuseUnk}
	if f.Model.UnkToken != nil {
		s.Unknown = *f.Model.UnkToken
	}
	if s.Blanks, err = normalizerBlanks(normalizers); err != nil {
		return nil, err
	}
	if s.Blanks, s.Words, err = f.PreTokenizer.metaspace(s.Blanks); err != nil {
		return nil, err
	}
	s.Strip, err = f.Decoder.stripsBlank()
	return s, err
}

// flat returns the components of a Sequence, which parts selects, or else c alone.
func (c *component) flat(parts func(*component) []*component) []*component {
	if c == nil {
		return nil
	}
	if c.Type != "Sequence" {
		return []*component{c}
	}
	var all []*component
	for _, part := range parts(c) {
		all = append(all, part.flat(parts)...)
	}
	return all
}

func (c *component) pretokenizers() []*component {
	return c.flat(func(c *component) []*component { return c.Pretokenizers })
}

func (c *component) hasByteLevel() bool {
	return slices.ContainsFunc(c.pretokenizers(), func(c *component) bool { return c.Type == "ByteLevel" })
}

// noBlanks means that the normalizer does not change blanks.
const noBlanks = BlanksNever

// normalizerBlanks returns how the steps of a normalizer treat blanks: Prepend and Replace,
// Replace, or nothing.
func normalizerBlanks(steps []*component) (Blanks, error) {
	var kinds []string
	for _, c := range steps {
		switch {
		case c.Type == "Prepend" && c.Prepend == blank, c.replaces(" ", blank):
			kinds = append(kinds, c.Type)
		default:
			return 0, fmt.Errorf("normalizer %s is not supported: expected Prepend of ▁, and Replace of a blank by ▁", c.Type)
		}
	}
	switch strings.Join(kinds, " ") {
	case "Prepend Replace":
		return BlanksSections, nil
	case "Replace":
		return BlanksKept, nil
	case "":
		return noBlanks, nil
	}
	return 0, fmt.Errorf("normalizer %s is not supported: expected Prepend and then Replace", strings.Join(kinds, " "))
}

// replaces reports whether c replaces the text old by new.
func (c *component) replaces(old, new string) bool {
	return c.Type == "Replace" && c.Pattern != nil && c.Pattern.Regex == "" && c.Pattern.String == old && c.Content == new
}

// metaspace returns how the normalizer, which gives b, and the pre-tokenizer c together treat
// blanks in a SentencePiece vocabulary. words reports whether a ▁ begins a piece.
func (c *component) metaspace(b Blanks) (_ Blanks, words bool, err error) {
	switch {
	case c == nil && b == noBlanks:
		return b, false, fmt.Errorf("pre_tokenizer is missing: expected ByteLevel or Metaspace, or a normalizer that replaces blanks by ▁")
	case c == nil, b != noBlanks && c.splitsAtBlank():
		return b, false, nil
	case c.Type != "Metaspace":
		return b, false, fmt.Errorf("pre_tokenizer %s is not supported: expected ByteLevel, or Split and Digits before it, or Metaspace", c.Type)
	case b != noBlanks || c.Replacement != blank:
		return b, false, fmt.Errorf("pre_tokenizer Metaspace: expected the replacement ▁, and no normalizer that inserts it")
	}
	scheme := c.PrependScheme
	if scheme == "" || c.AddPrefixSpace != nil && !*c.AddPrefixSpace {
		scheme = map[bool]string{true: "always", false: "never"}[isTrue(c.AddPrefixSpace, true)]
	}
	b, ok := schemes[scheme]
	if !ok {
		return b, false, fmt.Errorf("pre_tokenizer.prepend_scheme is %q, expected first, always or never", scheme)
	}
	return b, isTrue(c.Split, true), nil
}

var schemes = map[string]Blanks{"first": BlanksFirst, "always": BlanksAlways, "never": BlanksNever}

// splitsAtBlank reports whether c is Gemma's pre-tokenizer, which never matches because normalised
// text has no blanks.
func (c *component) splitsAtBlank() bool {
	return c.Type == "Split" && c.Pattern != nil && c.Pattern.String == " " && c.Pattern.Regex == ""
}

// stripsBlank checks the decoder of a SentencePiece vocabulary. It reports whether the decoder
// removes a blank at the start.
func (c *component) stripsBlank() (bool, error) {
	steps := c.flat(func(c *component) []*component { return c.Decoders })
	if n := len(steps); n != 3 && n != 4 || !steps[0].replaces(blank, " ") || steps[1].Type != "ByteFallback" || steps[2].Type != "Fuse" {
		return false, fmt.Errorf("decoder is not supported: expected a Sequence of Replace (▁ by a blank), ByteFallback, Fuse and optionally Strip")
	}
	if len(steps) == 3 {
		return false, nil
	}
	last := steps[3]
	if last.Type != "Strip" || last.Content != " " || last.Start == nil || *last.Start != 1 || last.Stop == nil || *last.Stop != 0 {
		return false, fmt.Errorf("decoder.decoders[3] is %s: expected Strip of one blank at the start", last.Type)
	}
	return true, nil
}

// writePipeline is the inverse of readPipeline.
func (f *file) writePipeline(v *Vocabulary) {
	var normal []*component
	if v.Form != "" {
		normal = append(normal, &component{Type: string(v.Form)})
	}
	s := v.SentencePiece
	if s == nil {
		f.Normalizer, f.PreTokenizer, f.Decoder = sequence(normal), v.Pattern.preTokenizer(), byteLevel(true)
		if v.Unknown != "" {
			f.Model.UnkToken = &v.Unknown
		}
		return
	}
	switch s.Blanks {
	case BlanksSections:
		normal = append(normal, &component{Type: "Prepend", Prepend: blank}, replace(" ", blank))
	case BlanksKept:
		normal = append(normal, replace(" ", blank))
	default:
		f.PreTokenizer = s.metaspace()
	}
	f.Normalizer = sequence(normal)
	f.Model.ByteFallback, f.Model.FuseUnk = s.ByteFallback, s.FuseUnknown
	if s.Unknown != "" {
		f.Model.UnkToken = &s.Unknown
	}
	decoders := []*component{replace(blank, " "), {Type: "ByteFallback"}, {Type: "Fuse"}}
	if s.Strip {
		decoders = append(decoders, &component{Type: "Strip", Content: " ", Start: new(1), Stop: new(0)})
	}
	f.Decoder = &component{Type: "Sequence", Decoders: decoders}
}

// sequence returns a normalizer with the given steps, or nil for none.
func sequence(normal []*component) *component {
	switch len(normal) {
	case 0:
		return nil
	case 1:
		return normal[0]
	}
	return &component{Type: "Sequence", Normalizers: normal}
}

func replace(old, new string) *component {
	return &component{Type: "Replace", Pattern: &patternJSON{String: old}, Content: new}
}

func (s *SentencePiece) metaspace() *component {
	c := &component{Type: "Metaspace", Replacement: blank, Split: &s.Words}
	for scheme, blanks := range schemes {
		if blanks == s.Blanks {
			c.PrependScheme = scheme
		}
	}
	return c
}
