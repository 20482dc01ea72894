package requirement

import (
	"errors"
	"path"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// host is a target for tests. Attributes whose only value is "?" cannot be told.
type host map[string][]string

func (h host) Values(name string) ([]string, bool) {
	v := h[name]
	if len(v) == 1 && v[0] == "?" {
		return nil, false
	}
	return v, true
}

func (h host) HasVM(id int) bool { return id == 7 }

func known(name string) bool {
	_, known := example().Values(name)
	return known
}

// example is the host of the tables.
func example() host {
	return host{
		"ID": {"12"}, "CLUSTER_ID": {"0"}, "NAME": {"rack2-node12"}, "HYPERVISOR": {"kvm", "lxc"}, "FREE_CPU": {"?"}, "RATIO": {"0.75"},
		"SIZE": {"8GB"}, "EMPTY": {""}, "PATH": {"/a/b"}, "SET": {"x", "3", "5.5"}, "BIG": {"99999999999"}, "WORD": {"tall", "4"},
	}
}

func TestEval(t *testing.T) {
	for text, want := range map[string]Verdict{
		``:    Yes,
		` ; `: Yes, // nothing but what the scanner skips
		// What oned writes.
		`!(PUBLIC_CLOUD = YES) & !(PIN_POLICY = PINNED)`:                   Yes,
		`(CLUSTER_ID = 0 | CLUSTER_ID = 100) & !(PUBLIC_CLOUD = YES)`:      Yes,
		`(CLUSTER_ID = 1) & !(PUBLIC_CLOUD = YES)`:                         No,
		`!(PIN_POLICY = PINNED) & (CURRENT_VMS != 8) & (CURRENT_VMS != 9)`: Yes,
		`CURRENT_VMS = 7`:                       Yes,
		`CURRENT_VMS != 7`:                      No,
		`CURRENT_VMS = 8`:                       No,
		`(CURRENT_VMS = 8) | (CURRENT_VMS = 7)`: Yes,
		`CURRENT_VMS = "7"`:                     Unknown,
		`ID=12`:                                 Yes,
		`ID != 12`:                              No,
		`ID > 11 & ID < 13`:                     Yes,
		`ID > 12`:                               No,
		`ID = 12.0`:                             Yes,
		`RATIO > 0.5`:                           Yes,
		`RATIO = 0.75`:                          Yes,
		`RATIO > 0`:                             No, // a whole number on the right reads a whole number
		`SIZE = 8`:                              Yes,
		`BIG > 5`:                               No,  // it does not fit into an int
		`WORD = 4`:                              Yes, // the first value that is a number
		`NAME = "rack2-*"`:                      Yes,
		`NAME = "rack?-node1[0-5]"`:             Yes,
		`NAME = "rack?-node1[!0-5]"`:            No,
		`NAME != "rack1-*"`:                     Yes,
		`NAME = rack2`:                          No,
		`PATH = "*b"`:                           Yes, // * takes slashes
		`HYPERVISOR = kvm`:                      Yes,
		`HYPERVISOR = lxc`:                      No,
		`HYPERVISOR @> lxc`:                     Yes,
		`SET @> 3`:                              Yes,
		`SET @> 5.5`:                            Yes,
		`SET @> "y*"`:                           No,
		`EMPTY = ""`:                            No, // never, in the scheduler
		`EMPTY != ""`:                           No,
		`EMPTY = "*"`:                           Yes,
		`MISSING = 1`:                           No,
		`MISSING != 1`:                          No,
		`MISSING != "x"`:                        No,
		`!(MISSING != "x")`:                     Yes,
		`name = "rack2-node12"`:                 No, // names are as they are written
		`ID = 12;`:                              Yes,
		"ID = 12\n& NAME = \"*\"":               Yes,
		`ID = 1 & MISSING = 1 | ID = 12`:        Yes, // from left to right
		`ID = 12 | ID = 12 & ID = 1`:            No,  // & does not bind tighter
		`! ID = 1 & ID = 1`:                     No,  // ! does
		`!!(ID = 12)`:                           Yes,
		`FREE_CPU > 100`:                        Unknown,
		`!(FREE_CPU > 100)`:                     Unknown,
		`FREE_CPU > 100 & ID = 1`:               No,
		`FREE_CPU > 100 | ID = 12`:              Yes,
		`FREE_CPU > 100 & ID = 12`:              Unknown,
		`"/HOST/NAME" = "x"`:                    Unknown,
	} {
		e, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := e.Eval(example()); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
		if e.Dynamic != strings.Contains(text, currentVMs) {
			t.Errorf("%s: dynamic %v", text, e.Dynamic)
		}
	}
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]error{
		`ID`: ErrSyntax, `ID =`: ErrSyntax, `= 3`: ErrSyntax, `ID = 3 &`: ErrSyntax, `(ID = 3`: ErrSyntax, `ID = 3)`: ErrSyntax,
		`ID = 10.0.0.1`: ErrSyntax, `NAME > "a"`: ErrSyntax, `ID == 3`: ErrSyntax, `ID >= 3`: ErrSyntax, `ID = 3 ID = 4`: ErrSyntax,
		`3 = ID`: ErrSyntax, `ID ! 3`: ErrSyntax, `ID @ 3`: ErrSyntax, `NAME = a-b`: ErrSyntax, `()`: ErrSyntax,
		strings.Repeat("(", 2000) + "ID = 3" + strings.Repeat(")", 2000): ErrTooComplex,
		strings.Repeat("ID = 3 & ", maxLength/9) + "ID = 3":              ErrTooComplex,
	} {
		if _, err := Parse(text); !errors.Is(err, want) {
			t.Errorf("%.40s: %v, want %v", text, err, want)
		}
	}
}

func TestUnknown(t *testing.T) {
	e, err := Parse(`FREE_CPU > 1 & (ID = 3 | "/X" = 1) & CURRENT_VMS = x & !(FREE_CPU > 2) & CURRENT_VMS = 3`)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(e.Unknown(known), " "); got != "/X CURRENT_VMS FREE_CPU" {
		t.Error(got)
	}
}

// TestMatch holds patterns against those of Go where both say the same: without slashes.
func TestMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*?\[\]\\-]{0,8}`).Draw(t, "pattern")
		text := rapid.StringMatching(`[ab\[-]{0,8}`).Draw(t, "text")
		want, err := path.Match(pattern, text)
		if err == nil && match(pattern, text) != want {
			t.Errorf("%q %q: %v", pattern, text, !want)
		}
	})
}

// TestMatchIsQuick: a pattern of an owner must not take for ever, which the limit of the tests would see.
func TestMatchIsQuick(t *testing.T) {
	if match(strings.Repeat("*a", 2000)+"b", strings.Repeat("a", 20_000)) {
		t.Error("it matches")
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`ID = 3`, `!(A = "b*") & (C > 1.5 | D @> x)`, `CURRENT_VMS != -4`, `"`, `-`, `A != "[!a-z]\*"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text)
		if err != nil {
			if !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrTooComplex) {
				t.Error(err)
			}
			return
		}
		v := e.Eval(example())
		if (v == Unknown) && len(e.Unknown(known)) == 0 {
			t.Error("unknown, and nothing is")
		}
		// Parentheses around it change nothing, and ! turns it.
		if len(tokens(text)) == 0 || len(text) > maxLength-10 {
			return
		}
		if again, err := Parse("(" + text + "\n)"); err == nil && again.Eval(example()) != v {
			t.Errorf("in parentheses: %d, not %d", again.Eval(example()), v)
		}
		if again, err := Parse("!(" + text + "\n)"); err == nil && again.Eval(example()) != Yes-v {
			t.Errorf("negated: %d, not that of %d", again.Eval(example()), v)
		}
	})
}
