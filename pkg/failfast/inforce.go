package failfast

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"one-ft/pkg/statedir"
)

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
	unknown := func(err error) Force {
		return Force{State: Unknown, Err: fmt.Errorf("check whether ssh fails fast: %w", err)}
	}
	marked, err := c.marked(ctx, m, name)
	if err != nil {
		return unknown(err)
	}
	without, err := c.Resolve(ctx, name)
	if err != nil {
		return unknown(err)
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
	if err := m.write(name, []Hold{{Host: noHost, Until: time.Now().Add(MaxHold)}}); err != nil {
		return Settings{}, err
	}
	defer func() { err = errors.Join(err, statedir.Remove(m.Path(name))) }()
	return c.Resolve(ctx, name)
}

// noHost is the host of a mark that is only there to ask ssh.
const noHost = -1
