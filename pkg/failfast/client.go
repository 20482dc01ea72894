package failfast

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"one-ft/pkg/process"
	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
)

const (
	// resolveLimit bounds ssh -G. It asks nobody on the network, but the configuration may run programs (Match exec),
	// and CanonicalizeHostname asks the resolver.
	resolveLimit = 5 * time.Second
	// exitLimit bounds ssh -O exit: a master of a dead host answers after 0.09 s (measured).
	exitLimit = 2 * time.Second
	// maxKept is how much of the output of ssh stands in an error.
	maxKept = 300
	// surveyed is how many ssh -G run at the same time: 10 ms of one core each. A choice.
	surveyed = 8
)

// ErrNoSSH is a machine without an ssh client.
var ErrNoSSH = errors.New("no ssh client found")

// RefusedError is an ssh that did not do what it was called for, such as one that cannot read its configuration.
type RefusedError struct {
	Code   int
	Output string // as it was printed
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("ssh ended with exit code %d: %s", e.Code, shortened(e.Output))
}

// Machine is what this package needs of the machine; OS is the real one, and tests put another in its place.
type Machine interface {
	// SSH is where the drivers find the ssh client; ErrNoSSH without one.
	SSH() (string, error)
	// Run runs a program as process.Run does.
	Run(ctx context.Context, limit time.Duration, p process.Program) process.Result
	// Processes gives the processes of a user.
	Processes(uid int) ([]Process, error)
	// Signal sends a signal to that very process; ErrGone when it has ended. Signal 0 only looks.
	Signal(p Process, s syscall.Signal) error
}

// Client is the ssh client as the drivers of oned use it.
type Client struct {
	Machine Machine
	Path    string // of the program ssh
	User    User   // whom the drivers run as
}

// NewClient gives the ssh client of the user that owns the state directory, as whom oned, its drivers and hooks run.
// Errors wrap ErrOtherUser and ErrNoSSH.
func NewClient(machine Machine, stateDir string) (Client, error) {
	u, err := ownerOf(stateDir)
	if err != nil {
		return Client{}, err
	}
	path, err := machine.SSH()
	return Client{Machine: machine, Path: path, User: u}, err
}

// findSSH looks where the drivers find ssh. It passes over OpenNebula's wrapper (/usr/lib/one/sh/override/ssh, 5.12
// to 7.4), which is first in oned's PATH and runs the next.
func findSSH() (string, error) {
	for _, dir := range append([]string{"/usr/local/bin", "/usr/bin", "/bin"}, filepath.SplitList(os.Getenv("PATH"))...) {
		path := filepath.Join(dir, "ssh")
		if filepath.IsAbs(path) && filepath.Base(dir) != "override" && process.Runnable(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: %w", ErrNoSSH, exec.ErrNotFound)
}

// Settings are what ssh would use for a host.
type Settings struct {
	HostName string // what it connects to
	Port     int
	// ControlPath is the socket of a persistent master; "" for none.
	ControlPath string
	// ConnectTimeout is 0 when only the kernel bounds it: 135 s with Linux's tcp_syn_retries of 6.
	ConnectTimeout          time.Duration
	ProxyCommand, ProxyJump string
}

// Direct reports whether HostName is the host itself: an address behind a proxy or with a port of its own may stand
// for several machines.
func (s Settings) Direct() bool {
	const port = 22 // of ssh, RFC 4251 and IANA
	return s.Port == port && s.ProxyCommand == "" && s.ProxyJump == ""
}

// Barred reports whether these are the settings of a host that fails at once because of a mark, and not its own.
func (s Settings) Barred() bool { return s.ProxyCommand == failing }

// Resolve asks ssh what it would use for a name (ssh -G, OpenSSH 6.8 and later). Nothing is connected. While a mark
// of that name is in force, its settings are those of the block: no ControlPath, and a ProxyCommand. Errors: ErrName,
// or why ssh does not tell.
func (c Client) Resolve(ctx context.Context, name string) (Settings, error) {
	if err := CheckName(name); err != nil {
		return Settings{}, err
	}
	return c.resolve(ctx, "-G", "--", name)
}

func (c Client) resolve(ctx context.Context, args ...string) (Settings, error) {
	r := c.Machine.Run(ctx, resolveLimit, c.program(args...))
	err := r.Err
	if err == nil && r.Code != 0 {
		err = &RefusedError{Code: r.Code, Output: r.Output}
	}
	if err != nil {
		return Settings{}, fmt.Errorf("run ssh %s: %w", text.Printable(strings.Join(args, " ")), err)
	}
	return parseSettings(r.Output), nil
}

// program is ssh with these words, run as the drivers run it.
func (c Client) program(args ...string) process.Program {
	return process.Program{Path: c.Path, Args: args, Env: c.User.env(), Dir: "/", As: c.User.credential()}
}

// Answer is what ssh says of one name.
type Answer struct {
	Settings
	Err error
}

// ResolveAll asks ssh about many names, 8 at a time; the answers are in their order.
func (c Client) ResolveAll(ctx context.Context, names []string) []Answer {
	all := make([]Answer, len(names))
	process.Each(len(names), surveyed, func(i int) { all[i].Settings, all[i].Err = c.Resolve(ctx, names[i]) })
	return all
}

// parseSettings reads the answer of ssh -G: lines of a keyword in small letters and its value. Lines that it does not
// know, such as warnings, are passed over.
func parseSettings(answer string) Settings {
	set := map[string]string{}
	for line := range strings.Lines(answer) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if value != "none" {
			set[key] = value
		}
	}
	s := Settings{HostName: set["hostname"], ControlPath: set["controlpath"], ProxyCommand: set["proxycommand"], ProxyJump: set["proxyjump"]}
	s.Port, _ = strconv.Atoi(set["port"])
	if n, err := strconv.ParseInt(set["connecttimeout"], 10, 32); err == nil && n > 0 {
		s.ConnectTimeout = time.Duration(n) * time.Second
	}
	return s
}

// shortened is what a program printed, in one line that is fit for a terminal.
func shortened(s string) string { return text.Short(strings.Join(strings.Fields(s), " "), maxKept) }

// ForceState says whether ssh of the drivers' user obeys marks.
type ForceState string

// The states.
const (
	InForce      ForceState = "in_force"
	NotInstalled ForceState = "not_installed" // ssh does not ask for marks
	AlwaysFails  ForceState = "always_fails"  // ssh to a name without a mark has our ProxyCommand
	NoSSH        ForceState = "no_ssh"        // there is no ssh client on this machine
	Unknown      ForceState = "unknown"       // Err says why
)

// Force is whether marks are obeyed.
type Force struct {
	State ForceState
	// Err is why it is not known: a mark that cannot be written, ssh that refuses its configuration or does not know
	// -G.
	Err error
	// ConnectTimeout is what ssh uses for a host that its configuration does not name.
	ConnectTimeout time.Duration
}

// InForce asks ssh about a name that does not exist (RFC 6761: .invalid), with and without a mark of that name. The
// mark is there for milliseconds.
func (c Client) InForce(ctx context.Context, m Marks) Force {
	name := fmt.Sprintf("one-ft-check-%08x.invalid", rand.Uint32())
	marked, err := c.marked(ctx, m, name)
	var without Settings
	if err == nil {
		without, err = c.Resolve(ctx, name)
	}
	if err != nil {
		return Force{State: Unknown, Err: fmt.Errorf("check whether ssh fails fast: %w", err)}
	}
	f := Force{State: NotInstalled, ConnectTimeout: without.ConnectTimeout}
	switch {
	case without.ProxyCommand == failing:
		f.State = AlwaysFails
	case marked.ProxyCommand == failing:
		f.State = InForce
	}
	return f
}

// Accepts asks ssh whether it can read a configuration, before that is put in its place: one that it cannot read
// stops every ssh of its user, and is a *RefusedError. OpenSSH before 6.5 knows no Match, and before 6.8 no -G.
func (c Client) Accepts(ctx context.Context, m Marks, text []byte) (err error) {
	path := m.Path(fmt.Sprintf(".config-%08x", rand.Uint32()))
	err = statedir.MakeDir(m.dir)
	if err == nil {
		err = statedir.File{Mode: 0o600, Volatile: true, CreateOnly: true}.Replace(path, text)
	}
	if err != nil {
		return fmt.Errorf("try the ssh configuration: %w", err)
	}
	defer func() { err = errors.Join(err, statedir.Remove(path)) }()
	_, err = c.resolve(ctx, "-F", path, "-G", "--", "one-ft-check.invalid")
	var refused *RefusedError
	if errors.As(err, &refused) { // the name of the file tells nobody anything
		return &RefusedError{Code: refused.Code, Output: strings.ReplaceAll(refused.Output, path+" ", "")}
	}
	return err
}

// marked resolves a name while it has a mark. The mark is written without the lock, and belongs to no host: it is
// gone when this returns, and is a leftover should this process die.
func (c Client) marked(ctx context.Context, m Marks, name string) (s Settings, err error) {
	if err := m.make(); err != nil {
		return Settings{}, err
	}
	const noHost = -1
	if err := m.write(name, []Hold{{Host: noHost, Until: time.Now().Add(MaxHold)}}); err != nil {
		return Settings{}, err
	}
	defer func() { err = errors.Join(err, statedir.Remove(m.Path(name))) }()
	return c.Resolve(ctx, name)
}

// ErrOtherUser is a process that is neither root nor the user that the drivers of oned run as.
var ErrOtherUser = errors.New("run this as root, or as the user that oned runs as")

// User is whom the drivers of oned run as.
type User struct {
	UID, GID int
	Groups   []int
	// Name, Home and Shell are those of the password file. ssh takes Home from there, not from $HOME, and runs the
	// commands of Match exec with $SHELL.
	Name, Home, Shell string
	// Other: this process is root, and that user is not.
	Other bool
}

// ownerOf is the user that a directory belongs to, or would: that of the one above.
func ownerOf(dir string) (User, error) {
	info, err := os.Stat(dir)
	for errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir {
		dir = filepath.Dir(dir)
		info, err = os.Stat(dir)
	}
	if err != nil {
		return User{}, fmt.Errorf("find the user that oned runs as: %w", err)
	}
	uid, _, err := statedir.Owner(info)
	if err != nil {
		return User{}, fmt.Errorf("find the user that oned runs as: %w", err)
	}
	if self := os.Geteuid(); self != 0 && self != uid {
		return User{}, fmt.Errorf("user %d: %w", uid, ErrOtherUser)
	}
	return LookUp(uid)
}

// LookUp is a user by its ID.
func LookUp(uid int) (User, error) {
	entry, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return User{}, fmt.Errorf("find the user that oned runs as: %w", err)
	}
	gid, err := strconv.Atoi(entry.Gid)
	if err != nil {
		return User{}, fmt.Errorf("find the group of user %d: %w", uid, err)
	}
	u := User{UID: uid, GID: gid, Name: entry.Username, Home: entry.HomeDir, Shell: shellOf("/etc/passwd", uid), Other: os.Geteuid() != uid}
	groups, _ := entry.GroupIds() // without them it has fewer rights, which is no error yet
	for _, g := range groups {
		if n, err := strconv.Atoi(g); err == nil {
			u.Groups = append(u.Groups, n)
		}
	}
	return u, nil
}

// shellOf is the shell of a user in a password file (passwd(5)): systemd gives it to oned as $SHELL.
func shellOf(path string, uid int) string {
	entries, _ := os.ReadFile(path)
	for line := range strings.Lines(string(entries)) {
		if fields := strings.Split(strings.TrimSpace(line), ":"); len(fields) == 7 && fields[2] == strconv.Itoa(uid) && fields[6] != "" {
			return fields[6]
		}
	}
	return "/bin/sh"
}

// credential is nil when this process is that user.
func (u User) credential() *syscall.Credential {
	if !u.Other {
		return nil
	}
	as := &syscall.Credential{Uid: uint32(u.UID), Gid: uint32(u.GID)}
	for _, g := range u.Groups {
		as.Groups = append(as.Groups, uint32(g))
	}
	return as
}

// env is nil, that of this process, when it is that user: a hook has the environment of the drivers. Root gives that
// user one as systemd does.
func (u User) env() []string {
	if !u.Other {
		return nil
	}
	return []string{"HOME=" + u.Home, "USER=" + u.Name, "LOGNAME=" + u.Name, "SHELL=" + u.Shell, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
}
