package disk

// What the tests from outside look into: they write with packages that stand on this one.
var (
	WriteDirBy = writeDir
	Exchange   = exchange
	SwapInTwo  = swapInTwo
	Sibling    = sibling
	Exists     = exists
)
