package failover

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"one-ft/pkg/one"
)

// FuzzClaim: what other front-ends, and whoever may write the template of a host, say in FT_INCIDENT is
// a claim that nothing but one-ft makes, or nothing; it is written again as it was, and shown in a line.
func FuzzClaim(f *testing.F) {
	f.Add(Claim{FrontEnd: "one1-1f3a", Incident: 12, Began: time.Unix(1_700_000_000, 0), Seen: time.Unix(1_700_000_009, 0), Status: "open", Action: "recreate"}.String())
	f.Add("v=1 fe=b n=1 began=1 seen=1 ended=false status=open action=explode idle=true fencing=off verify=- confirm=0")
	f.Add("v=1 fe=$(reboot) n=1")
	f.Add("v=2")
	f.Add(strings.Repeat("\xf5", maxClaim))
	f.Add("v=1 fe=b n=1 began=1 seen=1 ended=false action=delete idle=true fencing=off verify=- confirm=0") // without a status
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseClaim(text)
		if err != nil {
			if strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) || len(err.Error()) > 400 {
				t.Errorf("%q", err)
			}
			return
		}
		if again, err := ParseClaim(c.String()); err != nil || again != c {
			t.Errorf("%+v, then %+v, %v", c, again, err)
		}
		if strings.ContainsAny(c.String(), "\"\n\\") || len(c.String()) > 1000 || strings.ContainsFunc(c.String(), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("an attribute cannot hold %q", c)
		}
		if _, found := ClaimOf(one.Host{Template: map[string]string{AttrIncident: text}}); !found {
			t.Errorf("%q is a claim, and not that of a host", text)
		}
	})
}
