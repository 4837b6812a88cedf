// Package run knows what every piece of work that writes a directory has in common:
// the Manifest in herd.json that says what made it, the digests that identify it, the
// Lock that keeps a second process away, and Interrupted, which says that it can be
// resumed. It knows no stage.
//
// Begin with NewManifest.
package run
