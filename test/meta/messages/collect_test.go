// Package messages holds every text of the product in one place, for reviews: a change
// of a message is a change of testdata/messages.golden, and one test checks the style of
// all of them.
package messages

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// message is a text of the product.
type message struct {
	Pkg  string // directory of its package, such as pkg/fence
	Pos  string // file and line
	Text string // what is not a literal is gap
	Line bool   // an error or a line of a log: it stands behind a colon
}

// gap stands for a part of a text that is known only when the program runs.
const gap = "…"

// collect returns the messages of all packages under dirs of root, by package and text.
//
// A message is any text that the source holds in quotes outside of tests and in which
// two words follow one another. Texts that are put together with + are one text, with
// constants of the package put in. These are none:
//   - import paths, tags of fields and arguments of regexp and of text.Pattern;
//   - what package strings looks for in other texts;
//   - code: shell, roff and CSS. Of pages in HTML it is the text between the tags.
func collect(t *testing.T, root string, dirs ...string) []message {
	t.Helper()
	var all []message
	for _, dir := range dirs {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			if d.Name() == "testdata" {
				return fs.SkipDir
			}
			all = append(all, collectPackage(t, root, path)...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.SortStableFunc(all, func(a, b message) int {
		return cmp.Or(cmp.Compare(a.Pkg, b.Pkg), cmp.Compare(a.Text, b.Text))
	})
	return all
}

// collectPackage returns the messages of the package in dir.
func collectPackage(t *testing.T, root, dir string) []message {
	t.Helper()
	pkg, err := filepath.Rel(root, dir)
	if err != nil {
		t.Fatal(err)
	}
	c := &collector{pkg: filepath.ToSlash(pkg), set: token.NewFileSet(), constants: map[string]string{}, lines: map[ast.Expr]bool{}}
	files := sourceFiles(t, c.set, dir)
	for _, f := range files {
		c.addConstants(f)
	}
	for _, f := range files {
		ast.Inspect(f, c.visit)
	}
	return c.found
}

// sourceFiles are the parsed files of the package in dir, without its tests.
func sourceFiles(t *testing.T, set *token.FileSet, dir string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

type collector struct {
	pkg       string
	set       *token.FileSet
	constants map[string]string // of the package
	lines     map[ast.Expr]bool // arguments that are errors or lines of a log
	found     []message
}

// addConstants notes the texts of the constants of a file.
func (c *collector) addConstants(f *ast.File) {
	for _, d := range f.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.CONST {
			continue
		}
		for _, s := range decl.Specs {
			spec := s.(*ast.ValueSpec)
			for i, value := range spec.Values {
				if text, isText := literal(value); isText {
					c.constants[spec.Names[i].Name] = text
				}
			}
		}
	}
}

// matching are the functions of package strings that look for a text.
var matching = regexp.MustCompile(`^(Has|Contains|Cut|Trim|Index|Count)`)

// telling are the functions whose texts are errors or lines of a log.
var telling = regexp.MustCompile(`^(Errorf|New|[uU]sagef|say|finish|finishAll|Info|Warn|Problem|warn|did|note)$`)

// visit collects the texts of a node; it is for ast.Inspect.
func (c *collector) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ImportSpec:
		return false
	case *ast.Field:
		n.Tag = nil
	case *ast.CallExpr:
		pkg, name := called(n)
		if pkg == "regexp" || pkg == "text" && name == "Pattern" || pkg == "strings" && matching.MatchString(name) {
			return false
		}
		if telling.MatchString(name) {
			for _, arg := range n.Args {
				c.lines[arg] = true
			}
		}
	case *ast.BinaryExpr, *ast.BasicLit:
		expr := n.(ast.Expr)
		text, isText, rest := c.fold(expr)
		if !isText {
			return true
		}
		if c.pkg == "pkg/wording" {
			text = kind.ReplaceAllString(text, "")
		}
		for _, part := range texts(text) {
			c.found = append(c.found, message{Pkg: c.pkg, Pos: c.set.Position(n.Pos()).String(), Text: part, Line: c.lines[expr] || c.pkg == "pkg/wording"})
		}
		for _, other := range rest {
			ast.Inspect(other, c.visit)
		}
		return false
	}
	return true
}

// called is the package or variable and the name of what is called.
func called(call *ast.CallExpr) (pkg, name string) {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return "", f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			return x.Name, f.Sel.Name
		}
		return "", f.Sel.Name
	}
	return "", ""
}

// fold returns the text of an expression, whether a part of it is a literal, and the
// expressions in its gaps.
func (c *collector) fold(e ast.Expr) (text string, isText bool, rest []ast.Expr) {
	if text, isText := literal(e); isText {
		return text, true, nil
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return c.fold(e.X)
	case *ast.Ident:
		if text, known := c.constants[e.Name]; known {
			return text, false, nil
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			left, isLeft, restLeft := c.fold(e.X)
			right, isRight, restRight := c.fold(e.Y)
			return left + right, isLeft || isRight, append(restLeft, restRight...)
		}
	}
	return gap, false, []ast.Expr{e}
}

// literal returns the value of a text in quotes.
func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

var (
	// words is a blank between two words or between a word and what will be one.
	words = regexp.MustCompile(`\S +\S`)
	// word tells language from signs.
	word = regexp.MustCompile(`\pL{2}`)
	// code is what only programs write: two semicolons, or one before a bracket or at the end
	// of a line, variables of a shell, commands that define completions, macros of roff, names in JSON.
	code = regexp.MustCompile(`(?m);;|; \}|;$|\$[a-z{@]|\bCOMPREPLY\b|^complete -|\bdescribe command\b|__fish_|^\.[A-Zn][A-Za-z]\b|^\s*"[a-z]+": `)
	// kind is what stands before the sentence of a kind of package wording: its name and its level.
	kind = regexp.MustCompile(`^[a-z-]+( warning| problem)?: `)
	// markup is a tag of HTML or an action of a template.
	markup = regexp.MustCompile(`<[^>]*>`)
	action = regexp.MustCompile(`\{\{[^}]*\}\}`)
)

// texts are the messages in a text: none, one, or the parts of a page.
func texts(text string) []string {
	if strings.HasPrefix(text, "<") && markup.MatchString(text) {
		var parts []string
		for part := range strings.Lines(markup.ReplaceAllString(action.ReplaceAllString(text, gap), "\n")) {
			if part = strings.Trim(part, " \n"+gap); isMessage(part) {
				parts = append(parts, part)
			}
		}
		return parts
	}
	if !isMessage(text) {
		return nil
	}
	return []string{text}
}

func isMessage(text string) bool {
	return words.MatchString(text) && word.MatchString(text) && !code.MatchString(text)
}
