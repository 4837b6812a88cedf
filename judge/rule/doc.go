// Package rule judges answers that can be checked, without a model: by exact text, number,
// pattern, JSON schema, a command, or the row of the prompt.
//
// Begin with [New], which makes a judge from the settings of `check:`. [ByPrompt] needs no
// settings and grades by the prompt's own row; [GradeOf] grades one response. A rule returns an
// error if it cannot judge: that is not the same as a wrong answer.
//
// Package number reads a numeric answer exactly or not at all. An operand, a range, or one of
// several guesses is no answer, because a rule that guesses rewards wrong answers.
//
// A command runs in a process group of its own, with a time limit and few environment
// variables, because responses may be code.
//
// Notes must not depend on the order of a map: they are part of tables that must come out the
// same in every run.
package rule
