package rigs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Mode is how a BMC behaves when it is told to power its machine off.
type Mode string

// The modes of a BMC.
const (
	Honest Mode = "honest" // it does it
	Lies   Mode = "lies"   // it acknowledges, and does nothing
	Late   Mode = "late"   // it acknowledges, and does it some questions later
)

// The only user of every BMC.
const (
	BMCUser     = "admin"
	BMCPassword = "s3cret-bmc"
)

// bmcPort is below the ports that the kernel gives to clients, so none of them can
// be in the way; BMCs differ in their addresses.
const bmcPort = 6230

// BMC is a running BMC (ipmi_sim) and its machine, a process group.
type BMC struct {
	IP   string
	Port int
	dir  string
	t    testing.TB
}

// StartBMC starts a BMC whose machine is on. Both end with the test.
func StartBMC(t testing.TB) *BMC {
	t.Helper()
	Need(t, BMCPackages, "ipmi_sim", "ipmitool", "fence_ipmilan", "setsid")
	b := &BMC{IP: reserve(t), Port: bmcPort, dir: t.TempDir(), t: t}
	b.SetMode(Honest)
	b.configure()
	b.power("set", "power", "1")
	cmd := exec.Command("ipmi_sim", "-n", "-c", "lan.conf", "-f", "sim.emu", "-s", "state")
	var out bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = b.dir, &out, &out
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		b.PowerOff()
	})
	if err := b.await(ended); err != nil {
		<-ended
		t.Fatalf("ipmi_sim: %v\n%s", err, out.String())
	}
	return b
}

// reserve gives an address of the loopback interface that no other BMC of this
// machine has, in this or another process, until the test ends: each holds a TCP port,
// which is a part of the address.
func reserve(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	_, text, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.64.%d.%d", port>>8, port&0xff)
}

// configure writes what ipmi_sim reads.
func (b *BMC) configure() {
	b.t.Helper()
	script, err := filepath.Abs("testdata/power.sh")
	if err != nil {
		b.t.Fatal(err)
	}
	text, err := os.ReadFile(script)
	if err != nil {
		b.t.Fatal(err)
	}
	b.write("power.sh", string(text))
	b.write("sim.emu", "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\nsel_enable 0x20 1000 0x0a\nmc_enable 0x20\n")
	b.write("lan.conf", fmt.Sprintf(`name "bmc"
set_working_mc 0x20
  startlan 1
    addr %s %d
    priv_limit admin
    allowed_auths_callback md5
    allowed_auths_user md5
    allowed_auths_operator md5
    allowed_auths_admin md5
    guid a123456789abcdefa123456789abcdef
  endlan
  chassis_control "/bin/sh %s %s"
  user 2 true "%s" "%s" admin 10 md5
`, b.IP, b.Port, filepath.Join(b.dir, "power.sh"), b.dir, BMCUser, BMCPassword))
	if err := os.Mkdir(filepath.Join(b.dir, "state"), 0o755); err != nil {
		b.t.Fatal(err)
	}
}

// await waits until the BMC answers a ping of RMCP.
func (b *BMC) await(ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ping := []byte{6, 0, 0xff, 6, 0, 0, 0x11, 0xbe, 0x80, 0, 0, 0}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := net.Dial("udp", net.JoinHostPort(b.IP, strconv.Itoa(b.Port)))
		if err != nil {
			return err
		}
		_ = conn.SetDeadline(time.Now().Add(100 * time.Millisecond))
		_, err = conn.Write(ping)
		if err == nil {
			_, err = conn.Read(make([]byte, 100))
		}
		conn.Close()
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			return errors.New("it has ended")
		case <-ctx.Done():
			return fmt.Errorf("no answer: %w", err)
		case <-tick.C:
		}
	}
}

// Params are the parameters with which fence_ipmilan reaches the BMC. Its patience,
// power_timeout, is enough for a busy machine that runs tests.
func (b *BMC) Params() map[string]string {
	return map[string]string{
		"ip": b.IP, "ipport": strconv.Itoa(b.Port), "username": BMCUser, "password": BMCPassword,
		"lanplus": "1", "cipher": "3", "power_wait": "0", "power_timeout": "10",
	}
}

// SetMode sets how the BMC behaves from now on.
func (b *BMC) SetMode(mode Mode) {
	b.t.Helper()
	b.write("mode", string(mode))
}

// PowerOn powers the machine on, as a person at its button would.
func (b *BMC) PowerOn() {
	b.t.Helper()
	b.power("set", "power", "1")
}

// PowerOff cuts the power of the machine, whatever the mode of the BMC.
func (b *BMC) PowerOff() {
	b.t.Helper()
	b.power("cut")
}

// Machine is the process group of the machine, or 0.
func (b *BMC) Machine() int {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, "group"))
	if err != nil {
		return 0
	}
	id, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

// Asked is how often the BMC has told its machine something, such as "set power 0".
func (b *BMC) Asked(what string) int {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, "asked"))
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.Count("\n"+string(text), "\n"+what+"\n")
}

// Alive reports whether a process runs; a zombie does not.
func Alive(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if pid <= 0 || err != nil {
		return false
	}
	_, rest, found := strings.Cut(string(text), ") ")
	return found && rest[0] != 'Z' && rest[0] != 'X'
}

// power runs the power switch of the machine.
func (b *BMC) power(words ...string) {
	b.t.Helper()
	cmd := exec.Command("/bin/sh", append([]string{filepath.Join(b.dir, "power.sh"), b.dir}, words...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if out, err := cmd.CombinedOutput(); err != nil {
		b.t.Errorf("power switch: %v: %s", err, out)
	}
}

func (b *BMC) write(name, text string) {
	b.t.Helper()
	path := filepath.Join(b.dir, name)
	// Renamed, because the BMC reads it while it is written.
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		b.t.Fatal(err)
	}
}
