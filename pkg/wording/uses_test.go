package wording

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestUses: whoever says a kind gives exactly the fields that its sentence names, and every kind is said by somebody.
func TestUses(t *testing.T) {
	set := token.NewFileSet()
	kinds := kindsByName(t, set)
	used := map[string]bool{}
	for _, dir := range []string{"../../pkg", "../../cmd"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					checkCall(t, set, kinds, n)
				case *ast.SelectorExpr:
					if x, is := n.X.(*ast.Ident); is && x.Name == "wording" {
						used[n.Sel.Name] = true
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(used) < 100 {
		t.Fatalf("only %d uses were found", len(used))
	}
	for name := range kinds {
		if !used[name] {
			t.Errorf("nobody says %s", name)
		}
	}
}

// checkCall counts the arguments behind a kind, unless the call compares it.
func checkCall(t *testing.T, set *token.FileSet, kinds map[string]Kind, call *ast.CallExpr) {
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	if name == "Is" || name == "is" || name == "last" {
		return
	}
	for i, arg := range call.Args {
		s, is := arg.(*ast.SelectorExpr)
		if !is {
			continue
		}
		x, is := s.X.(*ast.Ident)
		kind, known := kinds[s.Sel.Name]
		if !is || x.Name != "wording" || !known || call.Ellipsis.IsValid() {
			continue
		}
		if fields, want := len(call.Args)-i-1, kind.fields(); fields != len(want) {
			t.Errorf("%s: %s has %d fields, want %v", set.Position(call.Pos()), s.Sel.Name, fields, want)
		}
	}
}

// kindsByName are the constants of this package.
func kindsByName(t *testing.T, set *token.FileSet) map[string]Kind {
	t.Helper()
	files, err := filepath.Glob("kinds_*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no kinds: %v", err)
	}
	kinds := map[string]Kind{}
	for _, path := range files {
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, is := n.(*ast.ValueSpec); is {
				kinds[spec.Names[0].Name] = Kind(literal(t, spec.Values[0]))
			}
			return true
		})
	}
	return kinds
}

// literal is the value of a text in one or more parts.
func literal(t *testing.T, e ast.Expr) string {
	t.Helper()
	switch e := e.(type) {
	case *ast.BasicLit:
		value, err := strconv.Unquote(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		return value
	case *ast.BinaryExpr:
		return literal(t, e.X) + literal(t, e.Y)
	}
	t.Fatalf("%T is no text", e)
	return ""
}
