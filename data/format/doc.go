// Package format imports files of other programs as Arrow tables, and exports tables as JSON
// lines.
//
// Begin with Import and ExportJSONL. Import detects the format of a file from its first row.
package format
