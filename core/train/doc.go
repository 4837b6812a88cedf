// Package train is the training loop, written once. It takes examples, a loss and settings, and
// knows no stage: package core/train/stage and the stages above decide what those are.
//
// Begin with [Task] and [Run].
//
// # Memory
//
// Before the first step Run adds up the memory that the process holds, touched or not, and what
// kernels, the batches of a step and 4 MB of garbage will add. It reports this sum, refuses a
// run that does not fit, and keeps to the plan: the garbage collector runs after that much
// garbage, not after as much as is in use. When a stage ends, the program drops what kernels
// keep, so a stage leaves nothing in memory for the next.
//
// # Time
//
// With a profile, a stopwatch charges the time outside the graph to the phases of a step, so
// the table sums to the time of the steps.
package train
