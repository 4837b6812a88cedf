// Package report summarises a run of rejection sampling: pass@k, best of n, the distribution of
// scores, whether scores reward length, and some examples. It writes JSON and one page of HTML
// that needs no network.
//
// Start with [New], add rows to the [Builder], then ask it for the [Report].
//
// A Builder reads samples row by row and keeps numbers instead of texts, except for six example
// prompts. It takes the first six in an order given by a hash of the seed and the prompt's id,
// so the order of rows changes no byte of the output.
//
// Prompts are the unit of every interval, because responses to one prompt are not independent.
// Intervals are percentile bootstraps, or Wilson's where all prompts score 0 or 1. One exact
// estimator gives pass@k and best of n: the expected value of the best of n responses drawn
// without replacement.
//
// The page is a template with plots drawn as SVG. It has no script, and a test lists all the
// elements and attributes that it may have.
package report
