package disk

// Exported for the external tests, which write with packages that import this one.
var (
	WriteDirBy = writeDir
	Exchange   = exchange
	SwapInTwo  = swapInTwo
	Sibling    = sibling
	Exists     = exists
)
