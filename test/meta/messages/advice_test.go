package messages

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// tellers are the packages whose texts become summaries, reasons and events of incidents.
var tellers = []string{"pkg/failover", "pkg/journaling", "pkg/coordinator", "pkg/reconcile", "pkg/recovery", "pkg/fence", "pkg/wording"}

// field is the place of a field in a sentence of pkg/wording.
var field = regexp.MustCompile(`\{[a-z_]+\}`)

// TestAdvice compares what pkg/incident and its subpackages look for in the texts of
// incidents with the texts that there are: each condition has to hold for one at least,
// and testdata/advice.golden has all for which it holds, so that a text that loses its
// advice, or gains another, is seen.
func TestAdvice(t *testing.T) {
	places := map[string]int{} // how often the source has a text
	for _, m := range collect(t, root, tellers...) {
		places[field.ReplaceAllString(m.Text, "%v")]++
	}
	texts := slices.Sorted(maps.Keys(places))
	var b strings.Builder
	all := conditions(t, "pkg/incident", "pkg/incident/report", "pkg/incident/notify", "pkg/incident/metrics")
	if len(all) < 15 {
		t.Fatalf("only %d conditions were found: does the code look for texts otherwise now?", len(all))
	}
	for _, c := range all {
		fmt.Fprintf(&b, "%s\n", c.name)
		found := false
		for _, text := range texts {
			if !c.holds(text) {
				continue
			}
			found = true
			if n := places[text]; n > 1 {
				text += fmt.Sprintf(" (in %d places)", n)
			}
			b.WriteString(indent(text))
		}
		if !found {
			t.Errorf("%s: no text of %v is one that %s; correct the condition or the text, which was reworded",
				c.pos, tellers, c.name)
		}
	}
	compare(t, "advice.golden", b.String())
}

// condition is something that code looks for in the text of an incident.
type condition struct {
	name  string // such as: begins with "held for "
	pos   string
	holds func(format string) bool
}

// conditions finds in these packages what is looked for in a Text, a Detail or a Summary,
// in order of their names. What is joined by && has to hold for one text.
func conditions(t *testing.T, packages ...string) []condition {
	t.Helper()
	var all []condition
	for _, pkg := range packages {
		f := &finder{set: token.NewFileSet(), patterns: map[string]string{}}
		files := sourceFiles(t, f.set, filepath.Join(root, pkg))
		for _, file := range files {
			ast.Inspect(file, f.pattern)
		}
		for _, file := range files {
			for _, decl := range file.Decls {
				if fn, ok := decl.(*ast.FuncDecl); ok && fn.Body != nil {
					f.texts = textVariables(fn)
					ast.Inspect(fn.Body, f.visit)
				}
			}
		}
		for _, c := range f.found {
			c.name = pkg + " " + c.name
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b condition) int { return strings.Compare(a.name, b.name) })
	return slices.CompactFunc(all, func(a, b condition) bool { return a.name == b.name })
}

type finder struct {
	set      *token.FileSet
	patterns map[string]string // of regular expressions, by the name of the variable
	texts    map[string]bool   // variables with a text of an incident
	found    []condition
}

// pattern notes a regular expression of the package.
func (f *finder) pattern(n ast.Node) bool {
	spec, ok := n.(*ast.ValueSpec)
	if !ok || len(spec.Values) != 1 {
		return true
	}
	if call, ok := spec.Values[0].(*ast.CallExpr); ok && len(call.Args) == 1 {
		if pkg, _ := called(call); pkg == "regexp" {
			f.patterns[spec.Names[0].Name], _ = literal(call.Args[0])
		}
	}
	return true
}

// textVariables are the variables that a function sets to the text of an incident, and
// its own functions that look for prefixes in one.
func textVariables(fn *ast.FuncDecl) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		if set, ok := n.(*ast.AssignStmt); ok && len(set.Lhs) == 1 && len(set.Rhs) == 1 {
			name, isName := set.Lhs[0].(*ast.Ident)
			fn, isFunc := set.Rhs[0].(*ast.FuncLit)
			if isName && (isIncidentText(set.Rhs[0]) || isFunc && looksAtText(fn)) {
				names[name.Name] = true
			}
		}
		return true
	})
	return names
}

// looksAtText says whether a function reads the text of an incident.
func looksAtText(fn *ast.FuncLit) bool {
	found := false
	ast.Inspect(fn, func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok {
			found = found || isIncidentText(e)
		}
		return true
	})
	return found
}

func isIncidentText(e ast.Expr) bool {
	field, ok := e.(*ast.SelectorExpr)
	return ok && slices.Contains([]string{"Text", "Detail", "Summary"}, field.Sel.Name)
}

// visit collects the conditions in a node; it is for ast.Inspect.
func (f *finder) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if n.Op == token.LAND {
			if both := append(f.ofExpr(n.X), f.ofExpr(n.Y)...); len(both) > 0 {
				f.found = append(f.found, and(both))
			}
			return false
		}
	case *ast.CallExpr:
		f.found = append(f.found, f.ofCall(n)...)
	}
	return true
}

// ofExpr are the conditions in one side of an &&.
func (f *finder) ofExpr(e ast.Expr) []condition {
	if call, ok := e.(*ast.CallExpr); ok {
		return f.ofCall(call)
	}
	part := &finder{set: f.set, patterns: f.patterns, texts: f.texts}
	ast.Inspect(e, part.visit)
	return part.found
}

// and is all conditions on one text.
func and(all []condition) condition {
	var names []string
	for _, c := range all {
		names = append(names, c.name)
	}
	return condition{name: strings.Join(names, " and "), pos: all[0].pos, holds: func(format string) bool {
		return !slices.ContainsFunc(all, func(c condition) bool { return !c.holds(format) })
	}}
}

// ofCall are the conditions of a call: none, one, or one for each prefix.
func (f *finder) ofCall(call *ast.CallExpr) []condition {
	pkg, name := called(call)
	pos := f.set.Position(call.Pos()).String()
	if pkg == "" && f.texts[name] { // a function of the function that takes prefixes
		var all []condition
		for _, arg := range call.Args {
			if prefix, ok := literal(arg); ok {
				all = append(all, textCondition("HasPrefix", prefix, pos))
			}
		}
		return all
	}
	if pattern, known := f.patterns[pkg]; known && name == "MatchString" && f.isText(call.Args[0]) {
		return []condition{patternCondition(pattern, pos)}
	}
	if pkg != "strings" || len(call.Args) < 2 || !f.isText(call.Args[0]) {
		return nil
	}
	arg := call.Args[1]
	if format, ok := arg.(*ast.CallExpr); ok { // fmt.Sprintf of a format that the text has, too
		arg = format.Args[0]
	}
	if wanted, ok := literal(arg); ok {
		return []condition{textCondition(name, wanted, pos)}
	}
	return nil
}

// isText says whether an expression is a text of an incident.
func (f *finder) isText(e ast.Expr) bool {
	name, ok := e.(*ast.Ident)
	return ok && f.texts[name.Name] || isIncidentText(e)
}

// textCondition is a condition of a function of package strings.
func textCondition(function, wanted, pos string) condition {
	says, holds := "contains", strings.Contains
	switch function {
	case "HasPrefix", "CutPrefix", "TrimPrefix":
		says, holds = "begins with", strings.HasPrefix
	case "HasSuffix", "CutSuffix", "TrimSuffix":
		says, holds = "ends with", strings.HasSuffix
	}
	return condition{name: says + " " + strconv.Quote(wanted), pos: pos, holds: func(format string) bool { return holds(format, wanted) }}
}

// patternCondition is that of a regular expression; what the format leaves open is taken
// for the name of a state.
func patternCondition(pattern, pos string) condition {
	re := regexp.MustCompile(pattern)
	return condition{name: "matches " + pattern, pos: pos, holds: func(format string) bool {
		return re.MatchString(strings.ReplaceAll(format, "%s", "BOOT_FAILURE"))
	}}
}
