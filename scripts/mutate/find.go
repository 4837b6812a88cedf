package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
)

// mutant is one change of the bytes [from, to) of a file.
type mutant struct {
	file     string
	line     int
	from, to int
	old, new string
}

func (m mutant) String() string { return fmt.Sprintf("%s:%d: %q -> %q", m.file, m.line, m.old, m.new) }

// find lists all mutants of a package, in the order of its source.
func find(dir string) ([]mutant, error) {
	files, err := sources(dir)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no Go source", dir)
	}
	var mutants []mutant
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		of, err := inFile(file, src)
		if err != nil {
			return nil, err
		}
		mutants = append(mutants, of...)
	}
	return mutants, nil
}

// flips pairs each operator with the one that takes its place.
var flips = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.EQL: token.NEQ, token.NEQ: token.EQL, token.LAND: token.LOR, token.LOR: token.LAND,
	token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL,
	token.ADD_ASSIGN: token.SUB_ASSIGN, token.SUB_ASSIGN: token.ADD_ASSIGN,
	token.MUL_ASSIGN: token.QUO_ASSIGN, token.QUO_ASSIGN: token.MUL_ASSIGN,
	token.INC: token.DEC, token.DEC: token.INC,
}

// inFile lists the mutants of one file.
func inFile(file string, src []byte) ([]mutant, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var found []mutant
	at := func(p token.Pos) int { return fset.Position(p).Offset }
	text := func(n ast.Node) string { return string(src[at(n.Pos()):at(n.End())]) }
	replace := func(from, to token.Pos, with string) {
		found = append(found, mutant{file, fset.Position(from).Line, at(from), at(to), string(src[at(from):at(to)]), with})
	}
	operator := func(p token.Pos, op token.Token) {
		if other, ok := flips[op]; ok {
			replace(p, p+token.Pos(len(op.String())), other.String())
		}
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.BinaryExpr:
			operator(n.OpPos, n.Op)
		case *ast.IncDecStmt:
			operator(n.TokPos, n.Tok)
		case *ast.AssignStmt:
			operator(n.TokPos, n.Tok)
			if n.Tok != token.DEFINE {
				replace(n.Pos(), n.End(), "")
			}
		case *ast.ExprStmt:
			replace(n.Pos(), n.End(), "")
		case *ast.IfStmt:
			replace(n.Cond.Pos(), n.Cond.End(), "!("+text(n.Cond)+")")
		case *ast.BasicLit:
			if i, err := strconv.ParseInt(n.Value, 0, 64); n.Kind == token.INT && err == nil {
				replace(n.Pos(), n.End(), strconv.FormatInt(i+1, 10))
			}
		case *ast.CallExpr:
			for i := 1; i < len(n.Args); i++ {
				if a, b := text(n.Args[i-1]), text(n.Args[i]); a != b {
					replace(n.Args[i-1].Pos(), n.Args[i].End(), b+", "+a)
				}
			}
		}
		return true
	})
	return found, nil
}
