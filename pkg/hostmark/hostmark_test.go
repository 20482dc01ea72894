package hostmark

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"one-ft/pkg/one"
)

// FuzzClaim: what other front-ends, and whoever may write the template of a host, say in FT_INCIDENT is
// a claim that nothing but one-ft makes, or nothing; it is written again as it was, and shown in a line.
func FuzzClaim(f *testing.F) {
	f.Add(Claim{FrontEnd: "one1-1f3a", Incident: 12, Began: time.Unix(1_700_000_000, 0), Seen: time.Unix(1_700_000_009, 0), Status: "open", Action: "recreate"}.String())
	f.Add("v=1 fe=b n=1 began=1 seen=1 ended=false status=open action=explode idle=true fencing=off verify=- confirm=0")
	f.Add("v=1 fe=$(reboot) n=1")
	f.Add("v=2")
	f.Add(strings.Repeat("\xf5", maxBytes))
	f.Add("v=1 fe=b n=1 began=1 seen=1 ended=false action=delete idle=true fencing=off verify=- confirm=0") // without a status
	f.Fuzz(func(t *testing.T, text string) {
		claim := func(text string) (Claim, bool) {
			return ClaimOf(one.Host{Template: map[string]string{AttrClaim: text}})
		}
		c, found := claim(text)
		if !found {
			return
		}
		if again, found := claim(c.String()); !found || again != c {
			t.Errorf("%+v, then %+v, %t", c, again, found)
		}
		if strings.ContainsAny(c.String(), "\"\n\\") || len(c.String()) > 1000 || strings.ContainsFunc(c.String(), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("an attribute cannot hold %q", c)
		}
	})
}

func TestQuarantineRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		q := Quarantine{FrontEnd: rapid.StringMatching(`[A-Za-z0-9._-]{1,64}`).Draw(r, "fe"), Incident: rapid.IntRange(0, 999_999_999).Draw(r, "n"),
			At: time.Unix(rapid.Int64Range(0, 1<<40).Draw(r, "at"), 0), Proven: rapid.Bool().Draw(r, "proven")}
		if rapid.Bool().Draw(r, "is clean") {
			q.Clean = time.Unix(rapid.Int64Range(1, 1<<40).Draw(r, "clean"), 0)
		}
		if got, good := ParseQuarantine(q.String()); !good || got != q {
			r.Fatalf("%q: %+v, %t", q.String(), got, good)
		}
	})
	for _, text := range []string{"", "v=1", "v=2 fe=a n=1 at=1 proven=true clean=0", "v=1 fe=a n=1 at=x proven=true clean=0", "v=1 fe=a n=1 at=1 proven=maybe clean=0",
		"v=1 fe=a fe=b n=1 at=1 proven=true clean=0", "v=1 fe=\x1b n=1 at=1 proven=true clean=0", strings.Repeat("a", 1000)} {
		if q, good := ParseQuarantine(text); good {
			t.Errorf("%q: %+v", text, q)
		}
	}
}

func FuzzParseQuarantine(f *testing.F) {
	f.Add("v=1 fe=one1-1f3a n=12 at=1700000000 proven=true clean=0")
	f.Fuzz(func(t *testing.T, text string) {
		if q, good := ParseQuarantine(text); good {
			if again, good := ParseQuarantine(q.String()); !good || again != q {
				t.Errorf("%q: %+v, then %+v, %t", text, q, again, good)
			}
		}
	})
}
