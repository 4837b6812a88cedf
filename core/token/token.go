// Package token holds token ids and the packed Batch that a model computes on. It
// imports nothing of ours.
package token

// ID is an index into a tokenizer's vocabulary.
type ID int32
