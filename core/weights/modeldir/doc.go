// Package modeldir works on whole model directories, one tensor at a time, so that a model need
// not fit in memory.
//
// Begin with [Verify], which checks a directory, [Diff], which compares two, or [Averaging],
// which averages several.
package modeldir
