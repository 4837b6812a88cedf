// Package constrain limits what a model may say: to JSON, or to values that a JSON Schema describes.
//
// Begin with [JSON] or [Schema], which compile a grammar, and give [Grammar.Over] the vocabulary of a
// model, which [NewVocabulary] makes once. The result is a sample.Constraint for requests.
//
//	schema ──Schema──> Grammar ──Over(Vocabulary)──> Constraint ──Begin──> state ──Allowed, Next──> ...
//
// A grammar is an automaton over bytes that calls rules, as values nest in JSON. Sets of its states
// with their return addresses are the states of a deterministic automaton, which is made as far as
// texts need it. The tokens that may follow are found by a walk through the vocabulary as a trie of
// bytes, and kept for each state. This is the method of xgrammar (arXiv 2411.15100) and llama.cpp's
// grammars, without their split of tokens by context.
//
// # What is accepted
//
// The texts are a part of the values that a schema allows, never more: members come in the order of
// properties, a schema that lists properties gets no others unless additionalProperties says so, and
// white space between tokens is limited, as in llama.cpp, with no more than a blank before the value and nothing
// behind it. A keyword that is not enforced is an error
// with its place, unless it is an annotation. Work and memory are limited.
package constrain
