package failover

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// AttrIncident is the attribute of a host's template that has the short form of its incident.
// oned gives it to all front-ends of a cluster.
const AttrIncident = "FT_INCIDENT"

// How front-ends keep out of each other's way: the one that works on a host renews the short
// form, and another one takes over when it has not changed for a while. Renewing each 15 s is
// some ten writes a second for 150 hosts. A choice.
const (
	renewClaim = 15 * time.Second
	staleClaim = 3 * renewClaim
	// endOfClaim bounds the last write: the VMs are safe by then.
	endOfClaim = 5 * time.Second
	// maxClaim bounds what is read of the attribute in bytes.
	maxClaim = 1000
)

// Claim is the short form of an incident.
type Claim struct {
	FrontEnd string // who works on it
	Incident int    // in the journal there
	Began    time.Time
	Seen     time.Time // when it was renewed
	Ended    bool
	Status   string // one word
	// What was asked for, for whoever goes on.
	Action, Fencing, Verify string
	Idle                    bool
	Confirm                 time.Duration
}

var claimWord = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// String is the claim as it stands in the template: words without blanks or quotes.
func (c Claim) String() string {
	return fmt.Sprintf("v=1 fe=%s n=%d began=%d seen=%d ended=%t status=%s action=%s idle=%t fencing=%s verify=%s confirm=%d",
		c.FrontEnd, c.Incident, c.Began.Unix(), c.Seen.Unix(), c.Ended, c.Status, c.Action, c.Idle, orDash(c.Fencing), orDash(c.Verify), int(c.Confirm.Seconds()))
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// ParseClaim reads a claim. Anybody who may change the host can have written it: every word
// has to be one that String writes.
func ParseClaim(attribute string) (Claim, error) {
	if len(attribute) > maxClaim {
		return Claim{}, fmt.Errorf("%s has %d bytes", AttrIncident, len(attribute))
	}
	words := map[string]string{}
	for _, w := range strings.Fields(attribute) {
		name, value, ok := strings.Cut(w, "=")
		if _, twice := words[name]; !ok || twice || !claimWord.MatchString(value) {
			return Claim{}, fmt.Errorf("%s: %s is not understood", AttrIncident, text.Printable(w[:min(len(w), 64)]))
		}
		words[name] = value
	}
	bad := ""
	number := func(name string, most int64) int64 {
		n, err := strconv.ParseInt(words[name], 10, 64)
		if err != nil || n < 0 || n > most {
			bad = name
		}
		return n
	}
	word := func(name string, allowed ...string) string {
		for _, a := range allowed {
			if words[name] == a {
				return strings.TrimPrefix(a, "-")
			}
		}
		bad = name
		return ""
	}
	const latest, mostIncidents, longest = 1 << 40, 999_999_999, 1000 * 3600
	c := Claim{
		FrontEnd: words["fe"], Status: words["status"], Incident: int(number("n", mostIncidents)),
		Began: time.Unix(number("began", latest), 0), Seen: time.Unix(number("seen", latest), 0),
		Ended: word("ended", "true", "false") == "true", Idle: word("idle", "true", "false") == "true",
		Action: word("action", "recreate", "delete", "migrate"), Fencing: word("fencing", "-", "auto", "required", "off"),
		Verify: word("verify", "-", "none", "left", "running"), Confirm: time.Duration(number("confirm", longest)) * time.Second,
	}
	for _, name := range []string{"fe", "status"} {
		if words[name] == "" {
			bad = name
		}
	}
	if words["v"] != "1" || bad != "" {
		return Claim{}, fmt.Errorf("%s is not understood (%s)", AttrIncident, bad)
	}
	return c, nil
}

// ClaimOf reads the claim of a host; false when there is none that can be read.
func ClaimOf(host one.Host) (Claim, bool) {
	c, err := ParseClaim(host.Template[AttrIncident])
	return c, err == nil
}

// takeOver looks whether another front-end works on the host: then other says so. One that
// has not renewed its claim for a while has been stopped, and this one goes on with what it
// began.
func (r *runner) takeOver(ctx context.Context, host one.Host) (o Opening, other wording.Message, err error) {
	o.Name, o.VMs = host.Name, host.VMs
	if host.LastContact > 0 {
		o.Contact = time.Unix(host.LastContact, 0)
	}
	c, claimed := ClaimOf(host)
	if !claimed || c.Ended || r.opt.FrontEnd == "" || c.FrontEnd == r.opt.FrontEnd || o.Contact.After(c.Began) {
		return o, other, nil
	}
	name := fmt.Sprintf("incident %d of front-end %s", c.Incident, c.FrontEnd)
	// An old claim is not waited for. Clocks of front-ends agree within minutes.
	if time.Since(c.Seen) < 10*time.Minute {
		r.say(-1, wording.ClaimSeen, c.Incident, c.FrontEnd, staleClaim)
		for end := time.Now().Add(staleClaim); time.Now().Before(end); {
			if !wait(ctx, watchEvery) {
				return o, other, fmt.Errorf("watch %s: %w", name, ctx.Err())
			}
			now, err := r.host(ctx)
			if err != nil {
				continue // it is not renewed either while oned is away
			}
			if latest, _ := ClaimOf(now); latest != c {
				return o, wording.Of(wording.ClaimElsewhere, c.Incident, c.FrontEnd), nil
			}
		}
	}
	o.From, o.Since = name, c.Began
	r.say(-1, wording.ClaimTaken, c.Incident, c.FrontEnd)
	return o, other, nil
}

// Forgotten is after how long an incident that nobody works on is not gone on with where
// oned does not tell whether the host was back in between (before 5.12). oned 4.4 calls the
// hook again on each failed cycle, and the timer of oneft resume runs each minute. A choice.
const Forgotten = time.Hour

// clearedFor is how long the end of an incident counts where oned does not tell when a host was
// last monitored (before 5.12): the host may have been back since. It covers the first time that the timer
// tries again (5m).
const clearedFor = 10 * time.Minute

// cleared reports whether another failed host was proven off in the outage that it is in, or was
// acted on without a proof because it was decided so: in this process, or in an incident that has ended.
//
// end is the history record of a VM on that host. One that began later says that the host was back since.
func (r *runner) cleared(host one.Host, end one.Record) bool {
	inOutage := func(since, last time.Time) bool {
		if time.Unix(end.Start, 0).After(since) {
			return false
		}
		if host.LastContact > 0 {
			return since.After(time.Unix(host.LastContact, 0))
		}
		return time.Since(last) < clearedFor
	}
	if s := r.opt.Shared; s != nil {
		if at := s.clearedAt(host.ID); !at.IsZero() && inOutage(at, at) {
			return true
		}
	}
	c, claimed := ClaimOf(host)
	ended := claimed && c.Ended && (c.Status == string(incident.Done) || c.Status == string(incident.Incomplete))
	return ended && inOutage(c.Began, c.Seen)
}

// keepClaim tells other front-ends that this one works on the host, until the function that it
// returns is called with how it ended.
func (r *runner) keepClaim(ctx context.Context) (end func(Report, error)) {
	if r.opt.FrontEnd == "" {
		return func(Report, error) {}
	}
	q := r.opt.Request
	c := Claim{FrontEnd: r.opt.FrontEnd, Began: r.started, Status: "open", Action: q.Action, Idle: q.Idle,
		Fencing: q.Fencing, Verify: q.Verify, Confirm: incident.Duration(q.Confirm)}
	renew, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for told := false; ; {
			c.Incident, c.Seen = r.rec.Number(), time.Now()
			if err := r.cloud.AnnotateHost(renew, r.hostID, AttrIncident, c.String()); err != nil && renew.Err() == nil && !told {
				told = true
				r.say(-1, wording.ClaimUnwritten, err)
			}
			if !wait(renew, renewClaim) {
				return
			}
		}
	}()
	return func(report Report, err error) {
		stop()
		<-done
		r.endClaim(ctx, c, report, err)
	}
}

// endClaim tells other front-ends that the incident has ended. When this process is to stop it
// has not: another one goes on with it.
func (r *runner) endClaim(ctx context.Context, c Claim, report Report, err error) {
	if ctx.Err() != nil {
		return
	}
	status, _ := report.Status(err)
	c.Seen, c.Ended, c.Status = time.Now(), true, strings.ReplaceAll(string(status), " ", "-")
	ctx, cancel := context.WithTimeout(ctx, endOfClaim)
	defer cancel()
	if err := r.cloud.AnnotateHost(ctx, r.hostID, AttrIncident, c.String()); err != nil {
		r.say(-1, wording.ClaimEndUnknown, err)
	}
}
