// Package check judges responses to prompts whose answers can be checked: by exact text,
// number, pattern, JSON schema, or a command.
//
// Begin with [New], which makes a [Checker] from settings. Check returns a verdict, or an error
// if it could not judge: that is not the same as a wrong answer.
//
// Package number reads a numeric answer exactly or not at all. An operand, a range, or one of
// several guesses is no answer, because a checker that guesses rewards wrong answers.
//
// A command runs in a process group of its own, with a time limit and few environment
// variables, because responses may be code.
//
// Notes must not depend on the order of a map: they are part of tables that must come out the
// same in every run.
package check
