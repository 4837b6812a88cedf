// Package run holds what every piece of work that writes a directory needs: the Manifest
// in herd.json that says what made the directory, the digests that identify a run, the
// Claim that decides whether a run may begin, continue or replace what is there, the Lock
// that keeps other processes away, and Interrupted, which reports that a run can be
// resumed. It knows no stage.
//
// Start with NewManifest and ClaimDir.
package run
