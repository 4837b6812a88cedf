// Package eval measures models on data that no stage has seen. It changes nothing.
//
// Each function takes a model and rows and returns named [Measures]: [Texts] and [Chats] the
// loss, [Rewards] and [Preferences] how well a model tells the better response, [Answers] with
// [Quality] how many answers are correct. [Results] gathers them for a whole recipe. Package
// stat has the intervals; package report describes a table of samples.
package eval
