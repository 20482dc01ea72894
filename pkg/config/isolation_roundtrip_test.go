package config

import (
	"io/fs"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// isolationReadsBack checks that a valid Isolation, written as YAML, is read back as it
// was. What says that something is not set cannot be written.
func isolationReadsBack(t *testing.T, c Isolation) {
	t.Helper()
	var node yaml.Node
	if err := node.Encode(c); err != nil {
		t.Fatal(err)
	}
	node.Content = slices.Collect(func(yield func(*yaml.Node) bool) {
		for pair := range slices.Chunk(node.Content, 2) {
			if key := pair[0].Value; key == "host_id" && c.HostID < 0 || key == "front_ends" && len(c.FrontEnds) == 0 {
				continue
			}
			if !yield(pair[0]) || !yield(pair[1]) {
				return
			}
		}
	})
	c.AfterSet = true // what is written says all
	readsBack(t, parseIsolation, c.Path, c, &node)
}

func TestIsolationRoundTrip(t *testing.T) {
	for seed := range *seeds {
		isolationReadsBack(t, randomIsolation(rand.New(rand.NewPCG(seed, 2))))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// randomIsolation is an Isolation that a file can say.
func randomIsolation(r *rand.Rand) Isolation {
	program := func() []string { return []string{"/" + word(r), word(r), ""}[:1+r.IntN(3)] }
	c := Isolation{
		Path: "f", Strict: r.IntN(2) == 0, HostID: -1,
		Interval: between(r, time.Second, time.Minute), Timeout: between(r, 500*time.Millisecond, 30*time.Second),
		CronPeriod: between(r, 10*time.Second, 10*time.Minute), After: between(r, 10*time.Second, time.Hour),
		Lease: between(r, 10*time.Second, time.Hour), Quiet: between(r, 0, time.Hour),
		Action: pick(r, ActionDestroy, ActionShutdown, ActionCommand), Libvirt: pick(r, "qemu:///system", "xen:///", "qemu+unix:///system?socket=/run/a b"),
		DestroyLimit: between(r, time.Second, 5*time.Minute), ShutdownLimit: between(r, 10*time.Second, 30*time.Minute),
		CommandLimit: between(r, time.Second, 10*time.Minute), Shutdown: program(),
		WatchdogTimeout: between(r, 5*time.Second, 5*time.Minute), StateDir: "/" + word(r), RunDir: "/" + word(r),
	}
	for _, path := range []*string{&c.AuthFile, &c.CAFile, &c.Watchdog} {
		if r.IntN(2) == 0 {
			*path = "/" + word(r)
		}
	}
	switch r.IntN(3) {
	case 0:
		c.HostID = r.IntN(math.MaxInt32 + 1)
	case 1:
		c.HostName = pick(r, "~", "null", "12", "true") + word(r)
	}
	for range 1 + r.IntN(3) {
		c.FrontEnds = append(c.FrontEnds, pick(r, "http://one:2633/RPC2", "https://[fd00::1]/RPC2", "http://10.0.0.1:1/a%20b"))
	}
	for range r.IntN(3) {
		c.Witnesses = append(c.Witnesses, pick(r, "gateway", "tcp://a:1", "icmp://[::1]", "dns://9.9.9.9:53"))
	}
	if c.Action == ActionCommand {
		c.Command = program()
	}
	for range 1 + r.IntN(2) {
		c.PowerOff = append(c.PowerOff, program())
	}
	if r.IntN(2) == 0 {
		c.PowerOff = append(c.PowerOff, []string{PowerOffSysrq})
	}
	return c
}

// Whatever a file holds, it is refused with one printable line that names it, or its
// values are in their ranges and survive being written and read again.
func FuzzIsolation(f *testing.F) {
	for _, text := range []string{
		"", "strict: true\nfront_ends: [one, '[::1]:1', 'https://a/%20']\nauth_file: /a", "witnesses: []", "witnesses: [gateway, tcp://a:1, icmp://b, dns://[::1]]",
		"host_id: 1", "host_name: a\ninterval: 1s", "action: command\ncommand: [/a, b]", "power_off: [[sysrq], [/a]]\nshutdown: [/b]",
		"lease: &a 1m", "watchdog: /w\nwatchdog_timeout: 15s", "libvirt: qemu:///system\nquiet: 0s", "front_ends: ['http://u:p@h/']", "after: 1",
	} {
		f.Add(text, uint32(0o644))
	}
	f.Fuzz(func(t *testing.T, text string, mode uint32) {
		c, err := parseIsolation("f", []byte(text), fs.FileMode(mode)&fs.ModePerm)
		if err != nil {
			wellFormed(t, err)
			if !strings.HasPrefix(err.Error(), "f:") || !reflect.DeepEqual(c, Isolation{}) {
				t.Errorf("%v does not begin with the file, or something of it is left: %+v", err, c)
			}
			return
		}
		for _, err := range []error{c.Check(false), c.Check(true)} {
			if text := errorText(err); strings.Contains(text, "out of range") || !allPrintable(text) {
				t.Errorf("%q", text)
			}
		}
		for _, limit := range limits(&c) {
			if *limit.value < limit.low || *limit.value > limit.high {
				t.Errorf("%s is %s, allowed is %s", limit.key, *limit.value, limit.allowed)
			}
		}
		for _, text := range c.FrontEnds {
			if again, err := ParseEndpoint(text); err != nil || again != text {
				t.Errorf("%s becomes %s, %v", text, again, err)
			}
		}
		isolationReadsBack(t, c)
	})
}
