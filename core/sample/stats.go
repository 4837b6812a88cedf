package sample

// Stats is the present load of an engine, and what it has done since it was made.
type Stats struct {
	Running, Waiting       int   // completions and prompts being computed; requests that wait for room
	CacheBytes, CacheLimit int64 // keys and values of running requests; the most that they may take

	PromptTokens uint64 // of all prompts, counted once for each request
	SharedTokens uint64 // of prompts and of preempted completions, found in the cache
	DrawnTokens  uint64
	Preempted    uint64 // how often the engine set a completion back to free memory
}
