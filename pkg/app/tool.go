package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/config"
	"one-ft/pkg/failfast"
	"one-ft/pkg/hook"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/reach"
	"one-ft/pkg/wording"
)

// Tool is one executable.
type Tool struct {
	Name     string
	Summary  string    // one line
	Examples string    // for --help
	Object   hook.Kind // what it works on
	Flags    []cli.Flag
	// Check reads the tool's own flags before anything is touched; y and n come
	// as hook.YesNo. Its errors are usage errors.
	Check func(c *cli.Context, word hook.YesNo) error
	// Act does the work.
	Act Act
}

// Session is what Act gets.
type Session struct {
	Settings
	Cli  *cli.Context
	Tool string // name of the executable
	ID   int    // of the host or VM
	// Event is what oned told of it; of a command there is none.
	Event hook.Event
	// Attended: an operator or a script waits for the answer; it is no hook.
	Attended bool
	looks    bool // it only looks, and needs no locks
	patient  bool // somebody may wait for it, and knows then that it waits for oned
	state    StateDir
	// Call is what the tool was called with, for the journal: the ID instead of a template,
	// and no password.
	Call    []string
	Client  *one.Client
	Version one.Version
	Dialect one.Dialect
	Locks   *incident.Locks // nil if the state directory cannot be used
	Paths   Paths
	Config  config.File // what the configuration file sets
	Log     *Log
	// Confirm asks the operator at the terminal; nil when nobody is there.
	Confirm func(context.Context, Question) bool
	// RunProgram runs fence agents, commands and second opinions; nil is process.Run.
	RunProgram process.Runner
	// Machine is where ssh of the drivers runs; nil is this one.
	Machine failfast.Machine
	// Dial opens connections to hosts.
	Dial reach.Dialer
	// Started finds out since when this machine is a front-end in charge; the zero time when it
	// is none.
	Started func() time.Time
}

// Drivers is where oned's drivers run ssh.
func (s Session) Drivers() failfast.Machine {
	if s.Machine != nil {
		return s.Machine
	}
	return failfast.OS{Proc: "/proc", Runner: s.RunProgram, Client: s.Config.Values().SSH}
}

// StateUnusable adds to an error about the state directory what named it and what to type next; nil stays nil.
func (s Session) StateUnusable(err error) error { return s.state.Unusable(err) }

// Main runs a tool in the world of the operating system and returns the exit code.
func Main(tool Tool) int {
	return Lasting(func(ctx context.Context) int { return Run(ctx, OS(), tool) })
}

// SaveMemory has the process collect its garbage more often, for main.
func SaveMemory() { debug.SetGCPercent(gcPercent) }

// gcPercent is by how much the memory may grow between two collections. A process that works on hundreds of hosts is one of a
// front-end in its worst hour: half of Go's 100 saves a fifth of its memory and costs a few hundredths of its processor time. A choice.
const gcPercent = 50

// Lasting runs what lives on when oned, its terminal or the reader of its output goes away: what it has begun must be
// finished. Only SIGINT and SIGTERM end the context.
func Lasting(run func(context.Context) int) int {
	signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP)
	SaveMemory()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx)
}

// Command is the tool as a command line without an action.
func (tool Tool) Command() *cli.Command {
	return &cli.Command{Name: tool.Name, Usage: tool.Summary, UsageText: tool.Examples, ArgsUsage: strings.ToUpper(string(tool.Object)), Flags: slices.Concat(tool.Flags, CommonFlags())}
}

// Run runs a tool and returns the exit code.
func Run(ctx context.Context, env Env, tool Tool) int {
	env, ended := env.Checked(tool.Name)
	return ended(run(ctx, env, tool))
}

func run(ctx context.Context, env Env, tool Tool) int {
	out := &output{env: env, name: tool.Name}
	words, err := hook.Words(ctx, env.Args[min(1, len(env.Args)):], env.Stdin)
	if err != nil {
		return out.ended(err)
	}
	program := tool.Command()
	program.Action = func(c *cli.Context) error { return tool.act(c, env, out) }
	return out.ended(Dispatch(ctx, program, words, env.Stdout))
}

// Execute runs a program, or a command of it, and returns the exit code. It prints errors but an Exit.
func Execute(ctx context.Context, env Env, program *cli.Command) int {
	out := &output{env: env, name: program.Name, always: true}
	return out.ended(Dispatch(ctx, program, env.Args[min(1, len(env.Args)):], env.Stdout))
}

// Exit is the end of an action with an exit code, of which nothing is left to say; nil for ExitDone.
func Exit(code int) error {
	if code == ExitDone {
		return nil
	}
	return cli.Exit("", code)
}

// act checks what was given, connects, and does the work.
func (tool Tool) act(c *cli.Context, env Env, out *output) error {
	s, err := newSession(c, env)
	if err != nil {
		return err
	}
	event, word, err := hook.Parse(tool.Object, c.Args().Slice())
	called, answer, isName := hook.Name(tool.Object, c.Args().Slice())
	// Names may repeat and change: only who types one at a terminal, and sees what comes of it, may give one.
	byName := err != nil && isName && env.Terminal && len(env.Args) > 1
	if byName {
		word, err = answer, nil
	}
	if err == nil {
		err = tool.Check(c, word)
	}
	if err != nil {
		return err
	}
	begin := func(id int) {
		event.ID = id
		s.ID, s.Event, s.Call = id, event, callOf(id, c)
		s.Log.started(tool.Object, event, byName)
	}
	if !byName {
		return s.run(c.Context, env, out, func() { begin(event.ID) }, tool.Act)
	}
	return s.run(c.Context, env, out, func() {}, func(ctx context.Context, connected Session) (Answer, error) {
		id, err := connected.Resolve(ctx, tool.Object, called)
		if err != nil {
			return nil, err
		}
		event = hook.Event{Kind: tool.Object, State: hook.Unknown, LCMState: hook.Unknown, PrevState: hook.Unknown, PrevLCMState: hook.Unknown}
		begin(id)
		return tool.Act(ctx, *s)
	})
}

// Act is what a command does in its session.
type Act func(ctx context.Context, s Session) (Answer, error)

// Command runs one command of a tool that has several, and that works on no single object,
// such as oneft resume. It prints its errors itself, and returns an Exit. Where nobody looks, such as into a pipe, an answer with
// which all is well is told in its line on stdout, unless it has a method Quiet that gives true: there was nothing to do.
func Command(c *cli.Context, env Env, act Act) error {
	return runCommand(c, env, false, act)
}

// Show is Command for an answer that is always printed, also into a pipe: what somebody has
// asked to see. It needs no locks.
func Show(c *cli.Context, env Env, act Act) error {
	return runCommand(c, env, true, act)
}

func runCommand(c *cli.Context, env Env, show bool, act Act) error {
	out := &output{env: env, name: toolOf(c), always: show, tells: !show}
	s, err := newSession(c, env)
	if err == nil {
		s.looks, s.patient, s.Call = show, true, c.Args().Slice()
		err = s.run(c.Context, env, out, func() { s.Log.Say(wording.StartedCommand, c.Command.HelpName) }, act)
	}
	return Exit(out.ended(err))
}

// toolOf is the name of the executable.
func toolOf(c *cli.Context) string {
	name, _, _ := strings.Cut(c.Command.HelpName, " ")
	return name
}

// newSession reads the configuration and the common flags.
func newSession(c *cli.Context, env Env) (*Session, error) {
	paths := FindPaths(env.Getenv)
	file, stateDir, err := LoadConfig(c, paths)
	if err != nil {
		return nil, err
	}
	set, err := settings(c, env, file.Values(), configPath(file, paths))
	if err != nil {
		return nil, err
	}
	set.StateDir = stateDir.Path
	s := &Session{Settings: set, state: stateDir, Cli: c, Tool: toolOf(c), Attended: env.Terminal || set.JSON, Paths: paths, Config: file, RunProgram: env.Run, Machine: env.Machine, Dial: env.Dial}
	if s.Dial == nil {
		s.Dial = (&net.Dialer{}).DialContext
	}
	if in := env.listen(); in != nil {
		in.Close()
		s.Confirm = env.Confirm
	}
	return s, nil
}

// run opens the log, connects, acts and answers.
func (s *Session) run(ctx context.Context, env Env, out *output, started func(), act Act) error {
	s.Log = openLog(env, out.name, s.Settings, s.Paths)
	defer s.Log.Close()
	started()
	err := s.connect(ctx, env, out.name)
	if err == nil {
		var answer Answer
		if answer, err = act(ctx, *s); err == nil {
			s.Log.InFile().Answer(wording.Info, answer)
			return Exit(out.answer(s.Settings, answer))
		}
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = &signalError{err: err, doing: strings.TrimSuffix(strings.TrimSuffix(err.Error(), ctx.Err().Error()), ": ")}
	}
	s.Log.InFile().Say(wording.Failed, err)
	return err
}

// signalError is the end by a signal.
type signalError struct {
	err   error
	doing string // what was being done; "" when that is not known
}

func (e *signalError) Error() string {
	const next = "; the next event or oneft resume continues what is open"
	if e.doing == "" {
		return "a signal ended it" + next
	}
	return "a signal ended it (" + e.doing + ")" + next
}

// Unwrap gives the error of the context.
func (e *signalError) Unwrap() error { return e.err }

// callOf puts a call together from its parts.
func callOf(id int, c *cli.Context) []string {
	call := append([]string{strconv.Itoa(id)}, c.Args().Tail()...)
	for _, word := range Options(c) {
		call = append(call, withoutPassword(word))
	}
	return call
}

// withoutPassword is a word of a call without what stands before the @ of a URL.
func withoutPassword(word string) string {
	if scheme, rest, isURL := strings.Cut(word, "://"); isURL {
		if _, host, secret := strings.Cut(rest, "@"); secret {
			return scheme + "://" + host
		}
	}
	return word
}

// client makes the client of oned, which has not talked to it yet.
func (s *Session) client(env Env, onRetry func(error, time.Duration)) (access one.Access, err error) {
	if access, err = one.FindAccess(env.Getenv, s.Endpoint, s.AuthFile); err != nil {
		object := ""
		if s.Event.Kind != "" {
			object = strconv.Itoa(s.ID)
		}
		return access, noCredentials(err, called(s.Cli, object))
	}
	transport := env.Transport
	if transport == nil {
		if transport, err = one.NewTransport(s.CAFile, env.Getenv("ONE_DISABLE_SSL_VERIFY") != ""); err != nil {
			return access, Usagef("%w", err)
		}
	}
	s.Client, err = one.New(one.Options{
		Endpoint: access.Endpoint, Credentials: access.Credentials, Transport: transport, Patience: s.OnedWait, OnRetry: onRetry,
	})
	if err != nil {
		return access, Usagef("%w (named by %s)", err, access.EndpointSource)
	}
	if s.Started = env.Started; s.Started == nil {
		s.Started = func() time.Time { return process.FrontEndStarted("/proc", s.Client.Endpoint(), s.Paths.Location) }
	}
	return access, nil
}

// Look connects to oned for somebody who only wants to look: no log is opened, and nothing is written or printed. The session is
// as far as it came, also with an error.
func Look(ctx context.Context, c *cli.Context, env Env) (Session, error) {
	s, err := newSession(c, env)
	if err != nil {
		return Session{}, err
	}
	s.looks, s.OnedWait = true, 0
	s.Log = openLog(Env{Stderr: io.Discard}, s.Tool, Settings{LogFile: os.DevNull}, s.Paths)
	access, err := s.client(env, nil)
	if err == nil {
		s.Version, s.Dialect, err = s.Client.Connect(ctx)
		if err != nil {
			err = explain(err, s.Client.Endpoint(), access, configPath(s.Config, s.Paths))
		}
	}
	return *s, err
}

// connect finds oned, chooses the dialect, and opens the locks.
func (s *Session) connect(ctx context.Context, env Env, name string) error {
	access, err := s.client(env, s.Log.waiting)
	if err != nil {
		return err
	}
	answered := func() {}
	if s.patient || env.Terminal {
		answered = s.Log.await(env.Stderr, name, s.Client.Endpoint(), cmp.Or(s.OnedWait, one.DefaultTimeout))
	}
	version, dialect, err := s.Client.Connect(ctx)
	answered()
	if err != nil {
		return explain(err, s.Client.Endpoint(), access, configPath(s.Config, s.Paths))
	}
	s.Version, s.Dialect = version, dialect
	s.Log.Say(wording.Connected, version, s.Client.Endpoint(), access.EndpointSource)
	if dialect.Newer {
		s.Log.Say(wording.NewerVersion, version, dialect.Name)
	}
	if !s.DryRun && !s.looks {
		s.Locks, err = incident.OpenLocks(s.StateDir+"/locks", fmt.Sprintf("%s, pid %d", name, os.Getpid()))
		if err != nil {
			s.Log.Say(wording.NoLocks, s.StateUnusable(err))
		}
	}
	return nil
}

// explain says what to do about an error of the first call. access.Endpoint may
// hold a password; endpoint does not.
func explain(err error, endpoint string, access one.Access, configFile string) error {
	switch {
	case errors.Is(err, one.ErrAuthentication):
		return Usagef("%w; the credentials in %s are not valid there; correct user:password in it, or name another file by --auth-file", err, access.AuthSource)
	case errors.Is(err, one.ErrTooOld):
		return Usagef("%w", err)
	}
	var answer *one.AnswerError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &certificate):
		return Usagef("%w; name the authority of %s (named by %s) by --ca-file or ONE_CERT_DIR", err, endpoint, access.EndpointSource)
	case errors.Is(err, http.ErrSchemeMismatch):
		return Usagef("%w; write http instead of https in %s (named by %s), or name the port that speaks TLS", err, endpoint, access.EndpointSource)
	case errors.As(err, &answer) && answer.Status < 500: // from 500 on a proxy waits for oned
		return Usagef("%w; is %s (named by %s) the endpoint of oned, with /RPC2 at its end?", err, endpoint, access.EndpointSource)
	}
	return noEndpoint(err, endpoint, access, configFile)
}

// Paths are the directories of OpenNebula on a front-end.
type Paths struct {
	// Location is ONE_LOCATION, "" when it is not set.
	Location string
	Etc      string // configuration
	Log      string // logs
	State    string // one-ft's own state
	Hooks    string // where oned looks for hooks that are named without a directory
}

// FindPaths follows OpenNebula: everything is under ONE_LOCATION if it is set,
// else in /etc/one, /var/log/one and /var/lib/one (client.rb and host_error.rb of
// 4.4 to 7.4).
func FindPaths(getenv func(string) string) Paths {
	if root := getenv("ONE_LOCATION"); root != "" {
		log := filepath.Join(root, "var")
		return Paths{root, filepath.Join(root, "etc"), log, filepath.Join(log, "one-ft"), filepath.Join(log, "remotes", "hooks")}
	}
	return Paths{Etc: "/etc/one", Log: "/var/log/one", State: "/var/lib/one/one-ft", Hooks: "/var/lib/one/remotes/hooks"}
}
