package messages

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// TestRules: each rule finds what it is for, and only that.
func TestRules(t *testing.T) {
	type example struct {
		text string
		line bool
		want string // part of the only fault; "" for none
	}
	examples := []example{
		{"host %d (%s) is %s; onehost enable %d", true, ""},
		{"VM 3 is UNKNOWN", true, ""},
		{"OpenNebula %s cannot retry a failed VM; -r recreates it", true, ""},
		{"SIGKILL: %w", true, ""},
		{"tags (!) are not allowed", true, ""},
		{"read the answer of one.vm.info: %w", true, ""},
		{"vm_failure takes no %s", true, ""},
		{"exit code %d of fence_host.sh", true, ""},
		{"The file, where it is.", false, ""},
		{"user:password, when neither names another.", false, ""},
		{"two lines\n  of a table", false, ""},
		{"run it, please", true, "without please"},
		{"the host is off!", true, "exclamation"},
		{"it is\toff", true, "no tab"},
		{"it isn't off", true, "both words"},
		{"a datastore, e.g. 100", true, "such as"},
		{"it is off ; look at it", true, "punctuation"},
		{"host \"%s\" is off", true, "%q"},
		{"nothing has been done for it", true, "nothing was"},
		{"the vm is off", true, "VM, VMs"},
		{"the frontend is off", true, "front-end"},
		{"ask Oned about it", true, "oned"},
		{"the hypervisor is off", true, "host"},
		{"see Opennebula for it", true, "OpenNebula"},
		{"its data store is full", true, "datastore"},
		{"the id of it", true, "ID, IDs"},
		{"read the config file", true, "configuration"},
		{"wait 3 secs", true, "s, min or ms"},
		{"not valid yaml, which", true, "capitals"},
		{"ask an administrator", true, "admin"},
		{"it is on the whitelist", true, "plain words"},
		{"look at the Host again", true, "no capital inside"},
		{"it is  off", true, "two blanks"},
		{"it is is off", true, "the word is twice"},
		{"it is off.", false, "begins with a capital"},
		{"The host is off", true, "stands behind a colon"},
		{"VM 3 is off.", true, "ends with a period"},
		{"it is off: ", true, "begins or ends with a blank"},
		{"it is off\nand on", true, "more than one line"},
		{"a virtual machine is off", true, "VM"},
		{"look whether it is off", true, "check whether"},
		{"going on with incident 3", true, "resume"},
		{"it is given back by itself", true, "automatically"},
		{"when it is mended", true, "fix"},
		{"left to a person", true, "operator"},
		{"watching it anew", true, "start over"},
		{"the cloud could not do without it", true, "absorb"},
		{"the process was told to end", true, "notified"},
		{"what became of it", true, "result"},
		{"trying again in 3s", true, "retry"},
		{"not done in time", true, "timed out"},
		{"the process was stopped in the middle", true, "interrupted"},
		{"it has earned its budget back", true, "plain words"},
		{"it stays so for ever", true, "forever"},
		{"has not been at work for 1m", true, "running"},
		{"likewise for the host", true, "plain words"},
	}
	for _, tc := range examples {
		got := faults(message{Text: tc.text, Line: tc.line})
		switch {
		case tc.want == "" && len(got) > 0:
			t.Errorf("%q: %q; want no fault", tc.text, got)
		case tc.want != "" && (len(got) != 1 || !strings.Contains(got[0], tc.want)):
			t.Errorf("%q: %q; want one fault with %q", tc.text, got, tc.want)
		}
	}
	for _, r := range slices.Concat(everywhere, spelling, turns) {
		if !slices.ContainsFunc(examples, func(tc example) bool { return r.mistake.MatchString(tc.text) }) {
			t.Errorf("no example is a mistake that %s finds", r.mistake)
		}
	}
}

// TestCollect: what is a message and what is none.
func TestCollect(t *testing.T) {
	const source = `package p

import "fmt"

type T struct {
	A string ` + "`json:\"an a\"`" + `
}

const unit = "of the host"

var expr = regexp.MustCompile("a b")

func f(name string) error {
	if strings.HasPrefix(name, "looked for") {
		b.WriteString("one-word " + unit + fmt.Sprint("nested text") + name)
	}
	page := "<p>In a {{.Page}} too</p><b>{{.Only}}</b>"
	shell := "local a=$b c"
	return fmt.Errorf("it is %s", "word")
}
`
	c := &collector{set: token.NewFileSet(), constants: map[string]string{}, lines: map[ast.Expr]bool{}}
	f, err := parser.ParseFile(c.set, "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	c.addConstants(f)
	ast.Inspect(f, c.visit)
	var got []string
	for _, m := range c.found {
		got = append(got, m.Text)
		if m.Line != (m.Text == "it is %s") {
			t.Errorf("%q: Line is %t", m.Text, m.Line)
		}
	}
	want := []string{"of the host", "one-word of the host……", "nested text", "In a … too", "it is %s"}
	if !slices.Equal(got, want) {
		t.Errorf("collected %q, want %q", got, want)
	}
}

// TestDifference: what is gone and what is new, each with its package; moved text is none.
func TestDifference(t *testing.T) {
	before := "pkg/a\n  it is off\n  it is on\npkg/b\n  a text\n"
	after := "pkg/a\n  it is off\npkg/b\n  a text\n  it is on\n"
	want := "- pkg/a: it is on\n+ pkg/b: it is on"
	if got := difference(before, after); got != want {
		t.Errorf("difference:\n%s\nwant:\n%s", got, want)
	}
	if got := format([]message{{Pkg: "a", Text: "x y"}, {Pkg: "a", Text: "x y"}, {Pkg: "b", Text: "x y\nz\n"}, {Pkg: "b", Text: " z a"}}); got !=
		"a\n  x y\nb\n  x y\n    | z\n  \" z a\"\n" {
		t.Errorf("format: %q", got)
	}
}
