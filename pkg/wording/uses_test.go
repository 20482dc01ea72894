package wording

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
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

// checkCall counts the arguments behind a kind.
func checkCall(t *testing.T, set *token.FileSet, kinds map[string]Kind, call *ast.CallExpr) {
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
		if fields, want := len(call.Args)-i-1, find(kind).names(); fields != len(want) {
			t.Errorf("%s: %s has %d fields, want %v", set.Position(call.Pos()), s.Sel.Name, fields, want)
		}
	}
}

// kindsByName are the constants of this package, each of which has a row in the table.
func kindsByName(t *testing.T, set *token.FileSet) map[string]Kind {
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
			spec, is := n.(*ast.ValueSpec)
			if !is || len(spec.Values) != 1 {
				return true
			}
			if lit, is := spec.Values[0].(*ast.BasicLit); is {
				kind := Kind(strings.Trim(lit.Value, `"`))
				kinds[spec.Names[0].Name] = kind
				if find(kind).sentence == "" {
					t.Errorf("%s has no words", spec.Names[0].Name)
				}
			}
			return true
		})
	}
	return kinds
}
