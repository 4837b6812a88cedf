package sample

// Stats is what an engine does, and what it did since it was made.
type Stats struct {
	Running, Waiting       int   // completions and prompts being computed; requests that wait for room
	CacheBytes, CacheLimit int64 // keys and values in use by those that run; what all may take

	PromptTokens uint64 // of all prompts, once for each request
	SharedTokens uint64 // of them and of what was set back, those found computed
	DrawnTokens  uint64
	Preempted    uint64 // how often a completion was set back to make room
}
