package guest

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"one-ft/pkg/config"
)

// listen lets a daemon of libvirt listen at its socket; no is one that has ended and left the file.
func listen(t *testing.T, run, socket string, no bool) {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(run, "libvirt", socket))
	if err != nil {
		t.Fatal(err)
	}
	if no {
		l.(*net.UnixListener).SetUnlinkOnClose(false)
		l.Close()
	}
	t.Cleanup(func() { l.Close() })
}

// TestDaemon: the daemon that accepts connections is asked, whichever it is; another URI is left as it is. It is not parallel: a
// process that another test is just starting would keep a socket open.
func TestDaemon(t *testing.T) {
	for _, c := range []struct {
		what          string
		sockets, dead []string
		uri           string
		want, daemon  string // want is the socket; "" for the URI as it is
	}{
		{"libvirtd", []string{"libvirt-sock"}, nil, config.DefaultLibvirt, "libvirt-sock", "libvirtd"},
		{"virtqemud", []string{"virtqemud-sock"}, nil, config.DefaultLibvirt, "virtqemud-sock", "virtqemud"},
		{"both", []string{"virtqemud-sock", "libvirt-sock"}, nil, config.DefaultLibvirt, "virtqemud-sock", "virtqemud"},
		{"virtqemud has ended", []string{"libvirt-sock"}, []string{"virtqemud-sock"}, config.DefaultLibvirt, "libvirt-sock", "libvirtd"},
		{"both have ended", nil, []string{"virtqemud-sock", "libvirt-sock"}, config.DefaultLibvirt, "", ""},
		{"none", nil, nil, config.DefaultLibvirt, "", ""},
		{"another URI", []string{"virtqemud-sock"}, nil, "qemu+unix:///system?socket=/x", "", ""},
	} {
		run, err := os.MkdirTemp("", "run") // the path of a socket is short
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(run) })
		if err := os.Mkdir(filepath.Join(run, "libvirt"), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, socket := range c.sockets {
			listen(t, run, socket, false)
		}
		for _, socket := range c.dead {
			listen(t, run, socket, true)
		}
		h := Host{Settings: config.Isolation{Libvirt: c.uri}, Run: run, System: &system{}}
		uri, daemon := h.libvirt(t.Context())
		want := c.uri
		if c.want != "" {
			want = "qemu+unix:///system?socket=" + filepath.Join(run, "libvirt", c.want)
		}
		if uri != want || daemon != c.daemon {
			t.Errorf("%s: %s, %q", c.what, uri, daemon)
		}
		ways := h.Ways(t.Context(), nil)
		says := map[bool]string{true: "libvirt: by " + c.daemon, false: "libvirt: neither virtqemud nor libvirtd answers"}[c.daemon != ""]
		if c.uri != config.DefaultLibvirt {
			says = "libvirt: at " + c.uri
		}
		if !strings.HasPrefix(ways[0], says) || !slices.Contains(ways, "containers (lxc): not installed (no lxc-stop)") {
			t.Errorf("%s: %q", c.what, ways)
		}
	}
}

// TestAutostarted: only domains of OpenNebula are named, and no other file.
func TestAutostarted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if got := s.host.Autostarted(); got != nil {
		t.Errorf("%q without a directory", got)
	}
	s.host.Etc = t.TempDir()
	dir := filepath.Join(s.host.Etc, "libvirt/qemu/autostart")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one-7.xml", "one-12.xml", "web.xml", "one-x.xml", "one-3", "one-4.xml~"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.host.Autostarted(); !slices.Equal(got, []string{"one-12", "one-7"}) {
		t.Errorf("%q", got)
	}
}
