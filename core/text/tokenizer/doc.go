// Package tokenizer turns text into token ids and back, and trains vocabularies. Ids and text
// equal those of Hugging Face's tokenizers.
//
// Begin with [Load] for a directory, or [Train] for a new vocabulary; then Encode and Decode.
//
// It implements byte-pair encoding (BPE) of both kinds: byte-level as in GPT-2, Llama 3 and
// Qwen2, and of characters as in SentencePiece's vocabularies of Llama 2 and Mistral. Any bytes
// can be encoded and decode to exactly themselves, unless a vocabulary normalises Unicode or
// lacks bytes.
//
// # Files
//
// Load reads Hugging Face's tokenizer.json and tokenizer_config.json. Where there is no
// tokenizer.json, it reads a tokenizer.model of Llama 3 (tiktoken) or of SentencePiece.
// [FromPieces] derives the merges of a SentencePiece vocabulary from its scores.
//
// # How a text is encoded
//
// The order follows Hugging Face's library. First come the added tokens that match text as
// it is. The text between them is normalised ([Form], by Unicode 9 as there; blanks to ▁). In
// it come the added tokens that match normalised text. The rest is split into pieces, and
// merges join the bytes or characters of a piece.
//
// Byte-level BPE splits text by a [Pattern], one regular expression a line. The patterns of
// known models have splitters written by hand, which tests compare with regexp2; regexp2 runs
// all other patterns. SentencePiece vocabularies have no pieces. herd splits their text between
// two characters that no token has side by side. This changes no id and lets the cache serve
// them.
//
// EncodePlaced also returns the place of each token in the text, even where the text is
// normalised first or blanks become ▁: the normalised text remembers where every byte came
// from.
package tokenizer
