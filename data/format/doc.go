// Package format turns files that other programs wrote into Arrow tables, and tables
// into JSON lines: Import and ExportJSONL. It detects the layout of a file from its
// first row.
package format
