//go:build !amd64

package main

var loops map[string]loop
