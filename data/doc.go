// Package data is the folder of everything about rows. It holds no code itself:
//
//   - table: the four kinds of Arrow table, their rows, reader and writer
//   - format: import of files of other programs, and export
//   - view: rows and statistics for a person
//   - example: rows as the tokens on which a model computes
//   - world: the generated world of the quickstart
package data
