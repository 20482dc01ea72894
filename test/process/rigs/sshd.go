package rigs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// SSHPackages are for StartSSH.
const SSHPackages = "openssh-server openssh-client rsync"

// clientOptions are those that OpenNebula ships for its drivers (share/ssh/etc/config, 5.12 to 7.4),
// but for the names of hosts, keys and sockets.
const clientOptions = `Host *
  ServerAliveInterval 10
  ControlMaster no
  ControlPersist 70s
  ControlPath %[1]s/ctl-M-%%C.sock
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
  BatchMode yes
  IdentityFile %[1]s/key
`

// serverOptions are those of each host's sshd.
const serverOptions = `Port 22
ListenAddress %[2]s
HostKey %[1]s/host
AuthorizedKeysFile %[1]s/key.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
Subsystem sftp internal-sftp
`

// SSH is a real sshd on each host of a network, and an ssh client on its front-end. Names of
// hosts are those of no other network: see Name.
type SSH struct {
	// Client is a program that is ssh on the front-end, with Config for its configuration: for
	// scp -S, rsync -e, and in the place of ssh.
	Client, Config string

	net   *Net
	hosts map[*Node]*exec.Cmd
}

// StartSSH starts them. When it returns, each host answers. They end with the test.
func StartSSH(t testing.TB, n *Net) *SSH {
	t.Helper()
	Need(t, SSHPackages, "sshd", "ssh", "ssh-keygen", "scp", "rsync")
	dir, err := os.MkdirTemp("", "oneft-ssh-") // short: the path of a socket has 108 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	s := &SSH{Client: filepath.Join(dir, "client"), Config: filepath.Join(dir, "config"), net: n, hosts: map[*Node]*exec.Cmd{}}
	t.Cleanup(func() { s.end(t, dir) })
	for _, key := range []string{"host", "key"} {
		if _, err := tool(exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, key))); err != nil {
			t.Fatal(err)
		}
	}
	names := ""
	for _, h := range n.Hosts {
		names += fmt.Sprintf("Host %s\n  HostName %s\n", s.Name(h), h.IP)
	}
	script := fmt.Sprintf("#!/bin/sh\nexec ip netns exec %s ssh -F %s \"$@\"\n", n.FE.namespace, s.Config)
	for path, text := range map[string]string{s.Config: fmt.Sprintf(clientOptions, dir) + names, s.Client: script} {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range n.Hosts {
		s.start(t, dir, h)
	}
	for _, h := range n.Hosts {
		await(t, h.Name+" answers ssh", func() (bool, error) {
			ctx, cancel := context.WithTimeout(context.Background(), toolLimit)
			defer cancel()
			return s.Command(ctx, s.Name(h), "true").Run() == nil, nil
		})
	}
	return s
}

// Name is what the client calls a host.
func (s *SSH) Name(h *Node) string { return h.namespace }

// start starts the sshd of a host, with a /run of its own.
func (s *SSH) start(t testing.TB, dir string, h *Node) {
	t.Helper()
	config := filepath.Join(dir, "sshd-"+h.Name)
	if err := os.WriteFile(config, fmt.Appendf(nil, serverOptions, dir, h.IP), 0o600); err != nil {
		t.Fatal(err)
	}
	sshd, err := exec.LookPath("sshd") // it wants its own absolute path
	if err != nil {
		t.Fatal(err)
	}
	cmd := h.Command(context.Background(), "sh", "-c", "mount -t tmpfs none /run && mkdir /run/sshd && exec "+sshd+" -D -e -f "+config)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.hosts[h] = cmd
}

// end ends what the clients and servers left, in the namespaces of the network as well.
func (s *SSH) end(t testing.TB, dir string) {
	for h, cmd := range s.hosts {
		s.Thaw(t, h)
		_ = cmd.Cancel()
		_ = cmd.Wait() // killed
	}
	if out, err := tool(exec.Command("ip", "netns", "pids", s.net.FE.namespace)); err == nil {
		for _, pid := range strings.Fields(out) {
			_ = exec.Command("kill", "-9", pid).Run()
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Error(err)
	}
}

// Command is ssh on the front-end.
func (s *SSH) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := grouped(ctx, append([]string{s.Client}, args...)...)
	cmd.WaitDelay = time.Second // a master in the background may hold the output
	return cmd
}

// Freeze stops the sshd of a host: its kernel accepts connections, and nobody answers.
func (s *SSH) Freeze(t testing.TB, host *Node) { s.signal(t, host, syscall.SIGSTOP) }

// Thaw lets it go on.
func (s *SSH) Thaw(t testing.TB, host *Node) { s.signal(t, host, syscall.SIGCONT) }

func (s *SSH) signal(t testing.TB, host *Node, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(s.hosts[host].Process.Pid, sig); err != nil {
		t.Errorf("%s: %v", host.Name, err)
	}
}

// Stop ends the sshd of a host: its kernel refuses connections.
func (s *SSH) Stop(t testing.TB, host *Node) {
	t.Helper()
	_ = s.hosts[host].Cancel()
	_ = s.hosts[host].Wait() // killed
	delete(s.hosts, host)
}

// Sysctl sets a parameter of the kernel for the namespace of a node.
func (n *Node) Sysctl(t testing.TB, name, value string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), toolLimit)
	defer cancel()
	if _, err := tool(n.Command(ctx, "sh", "-c", "echo "+value+" >/proc/sys/"+strings.ReplaceAll(name, ".", "/"))); err != nil {
		t.Fatal(err)
	}
}
