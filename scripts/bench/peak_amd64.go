package main

// Each turn is 12 independent operations: more than the processor has under way.
var loops = map[string]loop{
	"avx2 fp32":   {fma256, 12 * 8 * 2},
	"avx512 fp32": {fma512, 12 * 16 * 2},
	"avx512 bf16": {dot512, 12 * 32 * 2},
}

//go:noescape
func fma256(turns int)

//go:noescape
func fma512(turns int)

//go:noescape
func dot512(turns int)
