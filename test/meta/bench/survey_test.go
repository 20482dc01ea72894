package bench

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"one-ft/pkg/statedir"
	"one-ft/test/process/rigs"
	"one-ft/test/sim/cloud"
)

// The limits of what the survey adds to the recovery of a host, beside hosts that answer and where some are silent, when it is
// remembered how ssh connects.
const (
	surveyTime   = 100 * time.Millisecond
	silentTime   = 1500 * time.Millisecond // two connections, the second 0.3 s later, a second each
	surveyMemory = 20 << 20
)

// way is a network of hosts on this machine: those named 127.1.* answer, those named 127.2.* are silent.
type way struct {
	client string
	port   int // that answers
}

// newWay makes it, with a real ssh that says how to connect.
func newWay(t *testing.T) way {
	t.Helper()
	rigs.Need(t, "openssh-client", "ssh")
	answering, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answering.Close() })
	go func() {
		for {
			conn, err := answering.Accept()
			if err != nil {
				return // closed
			}
			conn.Close()
		}
	}()
	dir := t.TempDir()
	w := way{client: filepath.Join(dir, "ssh"), port: answering.Addr().(*net.TCPAddr).Port}
	config := fmt.Sprintf("Host 127.1.*\n  Port %d\nHost 127.2.*\n  Port %d\n", w.port, silentPort(t))
	for path, text := range map[string]string{filepath.Join(dir, "config"): config, w.client: "#!/bin/sh\nexec ssh -F " + dir + "/config \"$@\"\n"} {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// silentPort gives a port that does not answer: its queue of connections is full, so that the kernel drops what comes.
func silentPort(t *testing.T) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := name.(*syscall.SockaddrInet4).Port
	for range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		conn, err := new(net.Dialer).DialContext(ctx, "tcp4", fmt.Sprintf("127.2.0.1:%d", port))
		cancel()
		if err != nil {
			return port
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Fatal("this kernel answers although nobody takes the connections")
	return 0
}

// surveyed is one failed host, which is dead, among hosts that answer, and others that are silent.
type surveyed struct{ hosts, silent int }

// bench gives a bench for it; config is more of one-ft.yaml.
func (s surveyed) bench(t *testing.T, bin string, w way, config, ways string) *bench {
	t.Helper()
	b := newBench(t, bin, field{version: "7.4.1", on: 10, vms: 10})
	b.cfg.Hosts = b.cfg.Hosts[:1]
	for id := 1; id < s.hosts; id++ {
		net := 1
		if id <= s.silent {
			net = 2
		}
		b.cfg.Hosts = append(b.cfg.Hosts, cloud.Host{ID: id, Name: fmt.Sprintf("127.%d.%d.%d", net, id/200, 1+id%200), CPU: 20000, MemMB: 1 << 20})
	}
	b.cfg.Hosts[0].Name = "127.2.255.1"
	b.config, b.ways = fmt.Sprintf("ssh: %q\n", w.client)+config, ways
	return b
}

const (
	fenced   = "fence:\n  - hosts: [\"*\"]\n    levels:\n      - devices:\n          - command: [/bin/true]\n"
	noSurvey = "survey: {skip: [\"*\"], settle: 0s}\n"
)

// TestScaleOfSurvey measures what asking all hosts adds to the recovery of one that is really dead.
func TestScaleOfSurvey(t *testing.T) {
	bin, w := build(t), newWay(t)
	sizes, times := []int{3}, 1
	if *full {
		sizes, times = []int{3, 100, 1000}, 5
	}
	var table strings.Builder
	out := tabwriter.NewWriter(&table, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "hosts\tanswers\tproof\tno survey ms\tMB\twarm ms\tadded ms\tMB\tcold ms\tMB\t")
	for _, n := range sizes {
		for _, silent := range []int{0, (n - 1) * 2 / 5} {
			for _, proof := range []string{fenced, ""} {
				s := surveyed{n, silent}
				recovery := []string{"0", "-r", "n"}
				without := s.bench(t, bin, w, proof+noSurvey, "").median(t, times, "host_error", recovery...)
				cold := s.bench(t, bin, w, proof, "").run(t, true, "host_error", recovery...)
				ways := statedir.Dir(filepath.Join(cold.home, "var", "one-ft")).Ways()
				warm := s.bench(t, bin, w, proof, ways).median(t, times, "host_error", recovery...)
				added, word := warm.took-without.took, "fenced"
				limit := surveyTime
				if proof == "" {
					word = "none"
				}
				if silent > 0 || proof == "" {
					limit = silentTime
				}
				if *full && added > limit {
					t.Errorf("%d hosts, %d silent, proof %s: the survey adds %s, want at most %s", n, silent, word, added, limit)
				}
				if more := warm.memory - without.memory; more > surveyMemory {
					t.Errorf("%d hosts, %d silent: the survey adds %d MB, want at most %d", n, silent, more>>20, surveyMemory>>20)
				}
				fmt.Fprintf(out, "%d\t%d\t%s\t%.0f\t%.1f\t%.0f\t%.0f\t%.1f\t%.0f\t%.1f\t\n", n, n-1-silent, word, ms(without.took), float64(without.memory)/(1<<20),
					ms(warm.took), ms(added), float64(warm.memory)/(1<<20), ms(cold.took), float64(cold.memory)/(1<<20))
			}
			if n < 4 {
				break
			}
		}
	}
	_ = out.Flush()
	t.Log("\n" + table.String())
}
