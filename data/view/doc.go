// Package view presents a table to a person: Show prints rows, Stats summarises columns. Memory
// does not grow with the table.
package view
