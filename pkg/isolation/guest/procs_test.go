package guest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestParseName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"one-0": 0, "one-7": 7, "one-2147483647": 2147483647} {
		if id, ok := ParseName(name); !ok || id != want {
			t.Errorf("%q: %d, %v", name, id, ok)
		}
	}
	for _, name := range []string{"", "one", "one-", "one-5x", "xone-5", "one-5 ", " one-5", "one- 5", "one--5", "one-+5", "one-05", "one-00", "One-5", "one-0x5", "one-1_0", "one-5\n", "one-5\x00", "one-٥", "one-2147483648", "one-99999999999999999999", "5"} {
		if id, ok := ParseName(name); ok {
			t.Errorf("%q is taken for VM %d", name, id)
		}
	}
}

func TestDomainOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args string // separated by |
		want string
	}{
		{"/usr/bin/qemu-system-x86_64|-name|guest=one-7,debug-threads=on|-S", "one-7"},
		{"kvm|-name|one-7", "one-7"},
		{"/usr/bin/kvm|-S|--name|one-7,process=qemu:one-7", "one-7"},
		{"qemu|-name|debug-threads=on,guest=one-7", "one-7"},
		{"qemu|-name|guest=one-7,,x", "one-7,x"},
		{"qemu|-name|guest=one-7,,", "one-7,"},
		{"qemu|-name|guest=win,guest=one-7", "one-7"},
		{"qemu|-name|win,one-7", "win"},
		{"qemu|-name|process=one-7", ""},
		{"qemu|-name|guest=win|-name|guest=one-7", "win"},
		{"qemu|-name", ""},
		{"qemu|-name|", ""},
		{"qemu|one-7", ""},
		{"/bin/sh|-name|one-7", ""},
		{"/qemu/sh|-name|one-7", ""},
		{"kvm2|-name|one-7", ""},
		{"", ""},
	} {
		if got, _ := domainOf(strings.Split(c.args, "|")); got.name != c.want {
			t.Errorf("%s: %q, want %q", c.args, got, c.want)
		}
	}
	if d, qemu := domainOf(nil); d != (domain{}) || qemu {
		t.Error("no arguments are a QEMU")
	}
}

// FuzzName: a name is taken only when it is exactly what OpenNebula writes.
func FuzzName(f *testing.F) {
	for _, name := range []string{"one-7", "one-", "one-5x", "one-007", "one-5 "} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		id, ok := ParseName(name)
		if ok != (name == fmt.Sprintf("one-%d", id)) || id < 0 {
			t.Errorf("%q: %d, %v", name, id, ok)
		}
		// Whatever it is, QEMU is started with it and found again.
		escaped := strings.ReplaceAll(name, ",", ",,")
		if got, _ := domainOf([]string{"kvm", "-name", "guest=" + escaped + ",debug-threads=on"}); got.name != name {
			t.Errorf("%q comes back as %q", name, got)
		}
	})
}

// FuzzCmdline: whatever a process writes, it is a VM only with both its program and its
// exact name in separate arguments.
func FuzzCmdline(f *testing.F) {
	f.Add([]byte("/usr/bin/qemu-system-x86_64\x00-name\x00guest=one-7,debug-threads=on\x00-S\x00"))
	f.Add([]byte("kvm\x00-name\x00one-7\x00"))
	f.Add([]byte("kvm\x00-name\x00one-7"))
	f.Add([]byte("kvm -name one-7"))
	f.Add([]byte("\x00\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		argv := splitArgs(text)
		d, qemu := domainOf(argv)
		name := d.name
		if qemu != (len(argv) > 0 && (strings.Contains(base(argv[0]), "qemu") || base(argv[0]) == "kvm")) {
			t.Errorf("%q: QEMU %v", argv, qemu)
		}
		if _, ours := ParseName(name); !ours {
			return
		}
		at := max(slices.Index(argv, "-name"), slices.Index(argv, "--name"))
		if !qemu || at < 1 || !strings.Contains(string(text), name) {
			t.Errorf("%q is taken for %s", argv, name)
		}
	})
}

// base is what follows the last slash.
func base(path string) string {
	path = strings.TrimRight(path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}

func TestShortened(t *testing.T) {
	t.Parallel()
	if got := lastLines("error:\n " + strings.Repeat("é", maxSaid) + "\nend\n"); !strings.HasPrefix(got, "…é") || !strings.HasSuffix(got, "é end") {
		t.Errorf("%q", got)
	}
	if got := listed(strings.Split(strings.Repeat("a", maxListed+3), "")); !strings.HasSuffix(got, "a and 3 more") {
		t.Errorf("%q", got)
	}
}
