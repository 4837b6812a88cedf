// Package template lays out conversations by a model's chat template. For each token it knows
// whether it belongs to the template or to a message, and whether the assistant said it.
//
// Begin with [New], then Format.Chat for a whole conversation or Format.Continue for a prompt
// and its responses. [Named] gives the templates that herd has built in.
//
// # What the tokens are
//
// The ids are those of transformers' apply_chat_template, with two differences. No message can
// forge a special token: its name in a message is text. And text is split where the assistant
// begins to speak if a token would span that border, because the text before it is what a model
// is given. Otherwise the text is encoded as a whole, as other programs do.
//
// # What the assistant said
//
// Package jinja runs the template and marks each character of its output with the message that
// it came from, whatever the template did to it. So this package knows the origin of all text
// without searching for it.
//
// The assistant's words are those that the template marks with {% generation %}. Without these
// marks, herd renders the template three times: with the messages before a turn, with those up
// to it, and with all. Each rendering must begin the next. If it does not, herd cannot tell
// what the assistant said, and refuses the row.
//
// A template that asks for the date gets 26 July 2024 ([DefaultDate]), so that data does not
// change overnight. Templates come from outside, so work, memory and depth are limited.
package template
