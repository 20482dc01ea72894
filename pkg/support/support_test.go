package support

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

// TestText: each kind of thing that is hidden, and what stays.
func TestText(t *testing.T) {
	m := &Mask{}
	m.Secret("hunter2\"x")
	m.Secret("abc") // too short to be looked for
	for _, n := range []struct{ kind, name string }{
		{Host, "node01.dc1.example"}, {Host, "node02"}, {VM, "web 1"}, {VM, "web"}, {VM, "node02"}, {User, "alice"}, {User, "oneadmin"}, {VM, "7"}, {VM, ""},
		{VM, "bö\u202ese"}, {VM, "a&b"}, {VM, strings.Repeat("long-", 20)}, {Host, "10.1.2.3"}, {Host, "_gpu*"}, {User, "x"},
	} {
		m.Name(n.kind, n.name)
	}
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"node01 is not NODE01.dc1.example, node010, xnode01", "<host-1> is not <host-1>, node010, xnode01"},
		{"node01.dc1.example.org", "<host-1>.org"},
		{"node77.dc1.example", "node77.<domain-1>"},
		{"node02-ipmi, ssh_node02.", "<host-2>-ipmi, ssh_<host-2>."},
		{"web 12, web 1", "<vm-2> 12, <vm-1>"},
		{"no credentials: not there", "no credentials: not there"},
		{"VM 7 (web 1), web, webs", "VM 7 (<vm-1>), <vm-2>, webs"},
		{"alice@node02:/home/alice", "<user-1>@<host-2>:/home/<user-1>"},
		{"oneadmin x abc localhost", "oneadmin x abc localhost"},
		{`bö\u202ese a&b a\u0026b`, "<vm-3> <vm-4> <vm-4>"},
		{strings.Repeat("long-", 8) + "…", "<vm-5>-…"},
		{"hosts: gpu1, gpu", "hosts: gpu1, <host-4>"},
		{"10.1.2.3:22, 10.1.2.3/24, (10.1.2.3).", "<host-3>:22, <host-3>/24, (<host-3>)."},
		{"at 10.9.8.7:2633 and 10.9.8.7, ip10.9.8.7, 10.9.8.7.example", "at <address-1>:2633 and <address-1>, ip<address-1>, <address-1>.example"},
		{"[fd00::1]:2633 fd00:0::1 fe80::1%eth0", "[<address-2>]:2633 <address-2> <address-3>%eth0"},
		{"02:00:c0:a8:00:01, 127.0.0.1:2633, ::1", "<address-4>, 127.0.0.1:2633, ::1"},
		{"12:34:56.789 7.4.1 one::two 2026-11-30T12:00:00Z 1e10", "12:34:56.789 7.4.1 one::two 2026-11-30T12:00:00Z 1e10"},
		{`say hunter2"x, hunter2\"x and aHVudGVyMiJ4`, "say <secret>, <secret> and <secret>"},
		{`password: other, "token": "a b", --secret=x`, "password: <secret>, \"token\": <secret>, --secret=<secret>"},
		{"password_file: /etc/one/x", "password_file: /etc/one/x"},
		{"http://user:pw@node02:2633/RPC2", "http://<secret>@<host-2>:2633/RPC2"},
	} {
		if got := m.Text(c.in); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
	if got := new(Mask).Text("10.1.1.1 x token=abc"); got != "<address-1> x token=<secret>" {
		t.Errorf("of one that knows nothing: %s", got)
	}
}

// FuzzMask: neither a secret nor a name is left where a name is a word, the same becomes the same, and what was masked stays so.
func FuzzMask(f *testing.F) {
	f.Add("node1", "hunter2", "node1 node1: hunter2")
	f.Add("10.0.0.1", "a\"b\\c", "x10.0.0.1 a\"b\\c")
	f.Add("a.b.c", "<secret>", "A.B.C a.b")
	f.Fuzz(func(t *testing.T, name, secret, around string) {
		m := &Mask{}
		m.Name(Host, name)
		m.Secret(secret)
		in := around + " " + name + " " + secret + "," + name + "," + around
		got := m.Text(in)
		if len(secret) >= shortestSecret && strings.Contains(got, secret) && !strings.Contains(Hidden+" "+Hidden, secret) && !strings.Contains("<host-1><domain-1><address-1>", secret) {
			t.Errorf("%q is left in %q", secret, got)
		}
		trimmed := strings.TrimFunc(name, func(r rune) bool { return !isWord(r) })
		if m.given[strings.ToLower(trimmed)] == "" || strings.ContainsFunc(trimmed, unicode.IsControl) {
			return
		}
		for _, word := range strings.FieldsFunc(got, func(r rune) bool { return r == ' ' || r == ',' }) {
			if strings.EqualFold(word, trimmed) && word != m.given[strings.ToLower(trimmed)] {
				t.Errorf("%q is left in %q", trimmed, got)
			}
		}
	})
}

// TestManyNames: of names that begin alike the longest is replaced.
func TestManyNames(t *testing.T) {
	line, want := manyNames(1000, 10)
	if !strings.HasPrefix(line, want) || !strings.HasSuffix(line, want) {
		t.Errorf("%.200s", line)
	}
}

// BenchmarkManyNames: 100,000 names that begin alike and 4 MB of logs took 1.3 s on two busy cores.
func BenchmarkManyNames(b *testing.B) {
	for b.Loop() {
		manyNames(100000, 40000)
	}
}

// manyNames masks a number of lines that hold the last of so many names.
func manyNames(names, lines int) (got, wantLine string) {
	m := &Mask{}
	for i := range names {
		m.Name(VM, fmt.Sprintf("web-%d", i))
	}
	last := fmt.Sprintf("web-%d", names-1)
	line := "time=2026-11-30T12:00:00.123Z level=info msg=\"VM 12 (" + last + "): recreate at 10.0.0.1\" pid=77\n"
	return m.Text(strings.Repeat(line, lines)), strings.NewReplacer(last, fmt.Sprintf("<vm-%d>", names), "10.0.0.1", "<address-1>").Replace(line)
}

// TestArchive: other programs read it, whatever is in it; the same files make the same archive.
func TestArchive(t *testing.T) {
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	files := []File{{"README.txt", []byte("read me\n")}, {"empty", nil}, {"block", bytes.Repeat([]byte{'x'}, 512)}, {"large", bytes.Repeat([]byte("0123456789abcdef"), 20000)}}
	made := Archive("dir", files, at)
	if !bytes.Equal(made, Archive("dir", files, at)) {
		t.Error("the same files make another archive")
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(made))
	if err != nil {
		t.Fatal(err)
	}
	in := tar.NewReader(unzipped)
	for _, want := range files {
		h, err := in.Next()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil || h.Name != "dir/"+want.Name || !bytes.Equal(text, want.Text) || !h.ModTime.Equal(at) || h.Mode != 0o600 || h.Typeflag != tar.TypeReg {
			t.Errorf("%+v, %d bytes, %v", h, len(text), err)
		}
	}
	if _, err := in.Next(); err != io.EOF {
		t.Error(err)
	}
	if rest, err := io.ReadAll(unzipped); err != nil || slices.ContainsFunc(rest, func(b byte) bool { return b != 0 }) {
		t.Errorf("behind the end: %d bytes, %v", len(rest), err) // the sum is checked here
	}
}
