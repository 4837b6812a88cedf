// Package disk replaces files and directories on disk: completely, or not at all. A
// process that dies at any moment leaves the old content or the new one.
//
// Begin with WriteFile and WriteDir. ReadJSON and WriteJSON are for small files of
// herd's own; CheckSpace looks for room before a large write.
package disk
