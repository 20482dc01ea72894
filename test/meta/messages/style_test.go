package messages

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// TestStyle checks all messages against the rules.
func TestStyle(t *testing.T) {
	lines := 0
	for _, m := range collect(t, root, "cmd", "pkg") {
		if m.Line {
			lines++
		}
		for _, wrong := range faults(m) {
			t.Errorf("%s: %q: %s", strings.TrimPrefix(m.Pos, root+"/"), m.Text, wrong)
		}
	}
	if lines < 500 {
		t.Errorf("only %d errors and lines of logs were found: are the functions that take them called otherwise now?", lines)
	}
}

// TestTurns: comments of production code and documents are in the field's English, too.
func TestTurns(t *testing.T) {
	check := func(where, text string) {
		for _, r := range turns {
			if wrong := r.mistake.FindString(text); wrong != "" {
				t.Errorf("%s: %q; say: %s", where, wrong, r.do)
			}
		}
	}
	for name, text := range documents(t) {
		check(name, text)
	}
	comments(t, check)
}

// comments calls f with each comment of production code, its lines as one.
func comments(t *testing.T, f func(where, text string)) {
	t.Helper()
	set := token.NewFileSet()
	for _, dir := range []string{"cmd", "pkg", "scripts"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
			if err != nil {
				return err
			}
			for _, group := range file.Comments {
				f(strings.TrimPrefix(set.Position(group.Pos()).String(), root+"/"), strings.Join(strings.Fields(group.Text()), " "))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A rule is a mistake in a text and what to do about it.
type rule struct {
	mistake *regexp.Regexp
	do      string
}

// everywhere are the rules for every message.
var everywhere = []rule{
	{regexp.MustCompile(`(?i)\bplease\b|\bsorry\b`), "say what to do, without please"},
	{regexp.MustCompile(`[\pL\d]!`), "no exclamation mark"},
	{regexp.MustCompile(`\t|\r`), "no tab and no carriage return"},
	{regexp.MustCompile(`[a-z]n't\b`), "write both words"},
	{regexp.MustCompile(`\be\.g\.|\bi\.e\.|\betc\.`), `say "such as" or "that is"`},
	{regexp.MustCompile(` [,;.]( |$)|[,;]{2}| :( |$)`), "no blank before a punctuation mark, and one mark"},
	{regexp.MustCompile(`[^\\=]"%[sv]"`), "use %q, so that what is quoted is printable and its end can be seen"},
	{regexp.MustCompile(`\bnothing has been (done|changed|touched|stopped|fenced)\b`), `say "nothing was"`},
}

// spelling are words that have one form in OpenNebula and one in this project. A word in
// a command, a path or a name (one.vm.info, vm_failure, one-ft) is none.
var spelling = []rule{
	{inText(`vms?|Vms?`), "VM, VMs"},
	{inText(`[Vv]irtual machines?`), "VM"},
	{inText(`[Ff]rontend|FrontEnd`), "front-end"},
	{inText(`Oned|ONED|one-d`), "oned"},
	{inText(`[Hh]ypervisors?|hypervisor nodes?|compute nodes?`), "host"},
	{inText(`Opennebula|Open Nebula|ONE`), "OpenNebula"},
	{inText(`data stores?|data-stores?|Datastore`), "datastore"},
	{inText(`ids?|Ids?`), "ID, IDs"},
	{inText(`config file|conf file|[Cc]onfig`), "configuration"},
	{inText(`millisecs?|secs?|mins|msecs?`), "s, min or ms"},
	{inText(`[Ii]pmi|[Bb]mc|Icmp|[Xx]ml|[Jj]son|[Yy]aml`), "capitals"},
	{inText(`[Aa]dministrators?`), "admin"},
	{inText(`whilst|whitelist|blacklist|blank space|whitespace`), "plain words"},
}

// turns are turns of phrase that stop a reader, and the field's own words for them. They hold for messages, for the comments
// of production code and for documents.
var turns = []rule{
	{turn(`look(s|ed|ing)? (again )?(whether|if)|see whether`), "check whether, verify"},
	{turn(`g(o|oes|one|oing) on with`), "resume, take over, continue"},
	{turn(`by itself`), "automatically, on its own, alone"},
	{turn(`mend(s|ed|ing)?`), "fix, repair"},
	{turn(`(a|another|the|to) persons?|persons`), "operator, admin"},
	{turn(`anew|over again`), "again, start over"},
	{turn(`could not do without`), "cannot absorb the loss of"},
	{turn(`(is|are|was|were) told (to (end|stop)|of|that|about|so)|tells? (people|whoever)`), "notified, called, knows"},
	{turn(`what became of`), "the result, the outcome"},
	{turn(`(try|tries|tried|trying) (it )?again`), "retry"},
	{turn(`(not|nothing) (done|read|answered) in time|did not answer in time`), "timed out"},
	{turn(`(stopped|left|ended) in the middle`), "interrupted"},
	{turn(`has earned|looking again|in vain|this is not such|to tell apart`), "plain words"},
	{turn(`for ever`), "forever"},
	{turn(`(is|are|been) at work`), "running, working"},
	{turn(`as oft as|the more often|likewise`), "plain words"},
}

// turn finds a turn of phrase.
func turn(phrase string) *regexp.Regexp { return regexp.MustCompile(`(?i)\b(` + phrase + `)\b`) }

// inText finds a word that stands by itself.
func inText(word string) *regexp.Regexp {
	return regexp.MustCompile(`(^|[\s("…])(` + word + `)([\s)",:;!?…]|\.\s|\.?$)`)
}

// capital is a word inside of a sentence that begins with a capital without reason.
var capital = regexp.MustCompile(`[a-z,] (Host|Hook|Front-end|Fence|Fencing|Lease|Incident|Cluster|Journal)s? `)

// faults are what is wrong with a message.
func faults(m message) []string {
	var all []string
	for _, rules := range [][]rule{everywhere, spelling, turns} {
		for _, r := range rules {
			if r.mistake.MatchString(m.Text) {
				all = append(all, r.do)
			}
		}
	}
	if capital.MatchString(m.Text) {
		all = append(all, "such a word has no capital inside of a sentence")
	}
	text := strings.TrimSpace(m.Text)
	if !strings.Contains(text, "\n") {
		if strings.Contains(text, "  ") && !isUsage(text) {
			all = append(all, "two blanks")
		}
		if twice := repeated(text); twice != "" {
			all = append(all, "the word "+twice+" twice")
		}
		if sentence := strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "..."); sentence && startsSmall(text) {
			all = append(all, "a text that ends with a period begins with a capital, and only prose ends with one")
		}
	}
	if m.Line {
		all = append(all, lineFaults(m.Text)...)
	}
	return all
}

// lineFaults is what is wrong with an error or a line of a log.
func lineFaults(text string) []string {
	var all []string
	if startsLikeProse(text) {
		all = append(all, "it begins with a capital, although it stands behind a colon")
	}
	if strings.HasSuffix(text, ".") {
		all = append(all, "it ends with a period")
	}
	if strings.TrimSpace(text) != text {
		all = append(all, "it begins or ends with a blank")
	}
	if strings.Contains(text, "\n") {
		all = append(all, "it has more than one line")
	}
	return all
}

// isUsage tells columns of a table, which two blanks may separate.
func isUsage(text string) bool { return strings.Contains(text, "%-") || strings.Contains(text, "   ") }

// repeated is a word that follows itself.
func repeated(text string) string {
	before := ""
	for w := range strings.FieldsSeq(text) {
		if w == before && startsSmall(w) {
			return w
		}
		before = w
	}
	return ""
}

// startsSmall says whether a text begins with a small letter; a colon within the first
// word, as in user:password, makes that a name.
func startsSmall(text string) bool {
	first, _, _ := strings.Cut(text, " ")
	return text[0] >= 'a' && text[0] <= 'z' && !strings.Contains(strings.TrimRight(first, ":"), ":")
}

// startsLikeProse says whether a text begins with a word that has a capital in front and
// none behind it: a name such as VM, SIGKILL or OpenNebula has more.
func startsLikeProse(text string) bool {
	first, _, _ := strings.Cut(text, " ")
	first = strings.TrimRight(first, ":,;.")
	return first != "" && unicode.IsUpper(rune(first[0])) && strings.ToLower(first[1:]) == first[1:] &&
		strings.ContainsFunc(first[1:], unicode.IsLower)
}
