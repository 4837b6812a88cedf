// Package memory reports how much memory there is, so that herd can refuse work that cannot fit
// instead of being killed in the middle. It also allocates large arrays and keeps scratch
// memory for reuse.
//
// Begin with [Check] before large work and [Floats] for a large array: it asks the system for
// huge pages. [Pool] keeps objects that no garbage collection drops.
package memory
