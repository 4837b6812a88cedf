package run

import (
	"fmt"
	"os"
	"path/filepath"
)

// Mode says what a run does with an output directory that is in use already. The zero
// Mode begins a run and refuses a directory that holds anything of a run.
type Mode struct {
	Resume    bool // continue the run in the directory, if there is one
	Overwrite bool // replace what the directory holds
}

// Contents is what an output directory holds, as the stage that owns it reads it. The
// zero Contents is nothing that a new run would replace.
type Contents struct {
	Holds     string // in words, for errors: "a run that stopped after step 7"; "": nothing
	Resumable bool   // a run can continue from it,
	Differs   bool   // but not this one: the settings or inputs are not the same
	Changes   string // what differs: "seed was 3 and is 4"; "" if unknown
}

// Same reports whether a run can continue from the contents with the same outcome.
func (c Contents) Same() bool { return c.Holds != "" && c.Resumable && !c.Differs }

// Occupied reports that an output directory holds something and that the run's Mode does
// not allow the run to continue or to replace it.
type Occupied struct {
	Dir string
	Contents
}

const useSame = "use the same ones, choose another directory, or overwrite it"

func (e *Occupied) Error() string {
	switch {
	case e.Differs && e.Changes != "":
		return fmt.Sprintf("%s holds %s; it was made with other settings or data (%s): %s", e.Dir, e.Holds, e.Changes, useSame)
	case e.Differs:
		return fmt.Sprintf("%s holds %s; it was made with other settings or data: %s", e.Dir, e.Holds, useSame)
	case e.Resumable:
		return fmt.Sprintf("%s holds %s: resume it, overwrite it, or choose another directory", e.Dir, e.Holds)
	}
	return fmt.Sprintf("%s already holds %s: choose another directory, or overwrite it", e.Dir, e.Holds)
}

// Claim is the exclusive right to write an output directory. The holder must Release or Discard it.
type Claim struct {
	Resumed bool // the run continues from what the directory holds
	lock    *Lock
	made    []string // folders that ClaimDir made, the innermost first
}

// ClaimDir makes the directory if it does not exist, locks it, and decides whether the run
// may begin in it, continue the run there, or replace what is there. inspect reads what the
// directory holds; ClaimDir does not call it if the directory is to be replaced in any case,
// so that damaged contents can be replaced too.
//
// The error is an *InUse if another process holds the directory, and an *Occupied if the
// mode does not allow what would have to be done. ClaimDir removes nothing: replacing is
// up to the caller.
func ClaimDir(dir string, mode Mode, inspect func() (Contents, error)) (*Claim, error) {
	made := missing(dir)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	lock, err := LockDir(dir)
	if err != nil {
		return nil, err
	}
	c := &Claim{lock: lock, made: made}
	if mode.Overwrite && !mode.Resume {
		return c, nil
	}
	contents, err := inspect()
	if err == nil {
		c.Resumed, err = mode.decide(dir, contents)
	}
	if err != nil {
		c.Release()
		return nil, err
	}
	return c, nil
}

// decide reports whether a run continues from the contents of dir.
func (m Mode) decide(dir string, c Contents) (resumed bool, err error) {
	switch {
	case c.Holds == "":
		return false, nil
	case m.Resume && c.Resumable:
		if !c.Same() {
			return false, &Occupied{dir, c}
		}
		return true, nil
	case m.Overwrite:
		return false, nil
	}
	return false, &Occupied{dir, Contents{Holds: c.Holds, Resumable: c.Resumable}}
}

// Release lets the next process write the directory.
func (c *Claim) Release() { c.lock.Release() }

// Discard is Release for a run that was refused before it began. It removes the folders that
// ClaimDir made, as far as they are empty.
func (c *Claim) Discard() {
	c.Release()
	for _, dir := range c.made {
		if os.Remove(dir) != nil { // it is not empty
			return
		}
	}
}

// missing lists dir and its parents that do not exist, the innermost first.
func missing(dir string) (list []string) {
	for dir = filepath.Clean(dir); ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); err == nil || dir == filepath.Dir(dir) {
			return list
		}
		list = append(list, dir)
	}
}
