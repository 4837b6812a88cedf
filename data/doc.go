// Package data is the folder of everything that has to do with rows. It holds no code
// itself:
//
//   - table: the four kinds of Arrow table, their rows, reader and writer
//   - format: import of other programs' files, export
//   - view: rows and statistics for a person
//   - example: rows to the tokens that a model computes on
//   - world: the generated world of the quickstart
package data
