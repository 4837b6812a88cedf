// Package disk replaces files and directories completely or not at all. If the process dies
// at any moment, the disk holds the old content or the new content, and nothing in between.
//
// Start with WriteFile and WriteDir. Create is for files that are written piece by piece.
// ReadJSON and WriteJSON handle herd's own small files. CheckSpace checks for free space
// before a large write.
package disk
