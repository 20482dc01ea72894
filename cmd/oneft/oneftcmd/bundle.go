package oneftcmd

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/check"
	"one-ft/pkg/config"
	"one-ft/pkg/incident"
	"one-ft/pkg/incident/report"
	"one-ft/pkg/onedconf"
	"one-ft/pkg/process"
	"one-ft/pkg/statedir"
	"one-ft/pkg/support"
	"one-ft/pkg/text"
)

// The bounds of a bundle. All are choices: a bug report is to be mailed, and who makes one waits.
const (
	bundleLimit = 90 * time.Second
	partLimit   = 20 * time.Second // of each part
	maxPart     = 512 << 10        // bytes of a part before it is masked; of a longer one the end is kept, where the newest is
	maxTail     = 256 << 10        // bytes of a log
	maxState    = 64 << 10         // bytes of a file of the state directory
	maxStates   = 3000             // files there that are listed
	toldWhole   = 10               // incidents whose whole story is told
	toldInList  = 100              // incidents in the list
	knownWhole  = 1000             // incidents whose names are known; more are not kept
)

// part is one file of a bundle.
type part struct {
	name, what string
	read       func(context.Context) (string, error)
}

// bundle is what goes into a bundle, in the making.
type bundle struct {
	s          app.Session
	away       error // why oned cannot be asked; nil when it can
	configFile string
	dir        statedir.Dir
	now        time.Time
}

// supportBundle is the command that puts together what a bug report needs.
func (t *tool) supportBundle() *cli.Command {
	return &cli.Command{
		Name: "support-bundle", Usage: "put what a bug report needs into FILE (tar.gz), secrets hidden and names replaced; nothing is sent", ArgsUsage: "FILE", Flags: app.FlagsFor(),
		Action: func(c *cli.Context) error {
			path := c.Args().First()
			if c.NArg() != 1 || path == "" {
				return app.Usagef("support-bundle takes the name of the file to write, such as oneft support-bundle one-ft.tar.gz")
			}
			there := app.Usagef("%s exists already, and nothing was written; name a file that does not exist", text.Printable(path))
			if _, err := os.Lstat(path); err == nil {
				return there
			}
			ctx, cancel := context.WithTimeoutCause(c.Context, bundleLimit, process.ErrTimeout)
			defer cancel()
			b := t.newBundle(ctx, c)
			p, archive := b.make(ctx, t.env.Getenv, path)
			switch err := (statedir.File{Mode: 0o600, CreateOnly: true}).Replace(path, archive); {
			case errors.Is(err, fs.ErrExist): // it was made meanwhile
				return there
			case err != nil:
				return fmt.Errorf("failed to write the bundle: %w", err)
			}
			if c.Bool("json") {
				return t.json(p)
			}
			rendered, err := rendered(p, nil)
			fmt.Fprint(t.env.Stdout, rendered)
			return err
		},
	}
}

// newBundle connects to oned. What cannot be found is a part that cannot be read.
func (t *tool) newBundle(ctx context.Context, c *cli.Context) *bundle {
	b := &bundle{now: time.Now()}
	b.s, b.away = app.Look(ctx, c, t.env)
	paths := app.FindPaths(t.env.Getenv)
	b.s.Paths, b.s.Cli = paths, c
	b.configFile = cmp.Or(c.String("config"), filepath.Join(paths.Etc, config.Name))
	b.dir = statedir.Dir(app.FindStateDir(c, b.s.Config, paths).Path)
	return b
}

// make reads all parts and masks them.
func (b *bundle) make(ctx context.Context, getenv func(string) string, path string) (page, []byte) {
	mask, unknown := b.mask(ctx, getenv)
	p := page{Rows: [][]string{{"FILE", "BYTES", "WHAT"}}}
	var files []support.File
	var list strings.Builder
	for _, part := range b.parts() {
		said, err := bounded(ctx, part.read)
		what := part.what
		if err != nil {
			what = "CANNOT BE READ: " + mask.Text(text.Printable(err.Error()))
			said = strings.TrimPrefix(said+"\n"+what+"\n", "\n")
		}
		if cut := len(said) - maxPart; cut > 0 {
			said = fmt.Sprintf("(%d bytes before this were left out)\n", cut) + said[cut:]
		}
		said = mask.Text(said)
		files = append(files, support.File{Name: part.name, Text: []byte(said)})
		p.Rows = append(p.Rows, []string{part.name, strconv.Itoa(len(said)), text.Short(what, 200)})
		fmt.Fprintf(&list, "%-18s %s\n", part.name, what)
	}
	about := fmt.Sprintf(bundleReadme, b.now.Format(time.RFC3339), list.String())
	p.Text = []string{"passwords and tokens are hidden; names and addresses of hosts, VMs and users are replaced, the same name by the same word everywhere"}
	for _, err := range unknown {
		warning := "names may be left in it: " + mask.Text(text.Printable(err.Error()))
		p.Text = append(p.Text, warning)
		about += "\n" + warning + "\n"
	}
	files = append([]support.File{{Name: "README.txt", Text: []byte(about)}}, files...)
	p.Summary = fmt.Sprintf("nothing was sent; read it before you do: tar -xzOf %s | less", text.Printable(path))
	return p, support.Archive("one-ft-support", files, b.now)
}

const bundleReadme = `What a bug report about one-ft needs, made at %s by oneft support-bundle. All files are plain text: read them before you send them.

Secrets are hidden (<secret>). Names and addresses of hosts, VMs, users and front-ends are replaced: <host-1> is the same host in all
files, IDs stay as they are. Words of other kinds (clusters, datastores, paths, reasons that people gave) are not replaced.

%s`

// bounded reads something, such as a part, for partLimit at most; what does not end by then is left behind.
func bounded[T any](ctx context.Context, read func(context.Context) (T, error)) (none T, _ error) {
	ctx, cancel := context.WithTimeoutCause(ctx, partLimit, process.ErrTimeout)
	defer cancel()
	type answer struct {
		read T
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		value, err := read(ctx)
		done <- answer{value, err}
	}()
	select {
	case a := <-done:
		return a.read, a.err
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
}

// parts are the files of a bundle, in order.
func (b *bundle) parts() []part {
	all := []part{
		{"versions.txt", "versions of one-ft, OpenNebula and this machine", b.versions},
		{"check.txt", "oneft check, without asking fence agents", b.online(func(ctx context.Context) (app.Answer, error) {
			facts, err := check.Collect(ctx, checking(ctx, b.s, true))
			return check.Evaluate(facts), err
		})},
		{"hooks.txt", "oneft hooks show", b.online(func(ctx context.Context) (app.Answer, error) { return showHooks(ctx, b.s) })},
		{"opennebula.txt", "what matters of oned.conf and monitord.conf", b.opennebula},
		{"configuration.txt", "one-ft.yaml", func(context.Context) (string, error) { return whole(b.configFile, config.MaxSize) }},
		{"incidents.txt", "the last incidents", b.incidents},
		{"incidents.json", "the last incidents, as they are in the journal", b.records},
		{"state.txt", "the files of the state directory, and what is in small ones", b.states},
	}
	for i, read := range b.told() {
		all = append(all, part{logs[i] + ".log", "the end of the log", read})
	}
	return all
}

// logs are the programs that have one on a front-end.
var logs = []string{"host_error", "vm_failure", "vm_unknown", "oneft"}

// told are the ends of all logs.
func (b *bundle) told() (all []func(context.Context) (string, error)) {
	for _, name := range logs {
		path := filepath.Join(b.s.Paths.Log, name+".log")
		all = append(all, func(context.Context) (string, error) { return tail(path) })
	}
	return all
}

// online is a part that needs oned.
func (b *bundle) online(ask func(context.Context) (app.Answer, error)) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		if b.away != nil {
			return "", b.away
		}
		return rendered(ask(ctx))
	}
}

// rendered is an answer as people see it.
func rendered(a app.Answer, err error) (string, error) {
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = app.Table(&out, a.Table())
	for _, note := range append(a.Notes(), a.Line()) {
		fmt.Fprintln(&out, text.Printable(note))
	}
	return out.String(), err
}

func (b *bundle) versions(context.Context) (string, error) {
	said := fmt.Sprintf("one-ft %s, %s\n", app.Version(), runtime.Version())
	if b.away != nil {
		said += fmt.Sprintf("OpenNebula: %s\n", text.Printable(b.away.Error()))
	} else {
		said += fmt.Sprintf("OpenNebula %s at %s, called like %s\n", b.s.Version, b.s.Client.Endpoint(), b.s.Dialect.Name)
	}
	for _, path := range []string{"/proc/version", "/etc/os-release"} {
		content, err := process.ReadStart(path, maxState) // the kernel tells no size
		said += string(content)
		if err != nil {
			said += err.Error() + "\n"
		}
	}
	return said, nil
}

// relevant are the attributes of oned.conf and monitord.conf that have to do with one-ft. None of them is a secret.
var relevant = text.Pattern(`^(MONITORING_|HOST_|VM_|MANAGER_TIMER|PROBES_PERIOD|POLL_|RPC_|MAX_CONN|RAFT|FEDERATION|HM_MAD|IM_MAD|TM_MAD|LOG|HOOK_LOG_CONF|LISTEN_ADDRESS|PORT$|NETWORK|SCHED_|LIVE_RESCHEDS|DEFAULT_SCHED|MAX_)`)

func (b *bundle) opennebula(context.Context) (string, error) {
	var out strings.Builder
	var failed error
	for i, name := range []string{"oned.conf", "monitord.conf", "sched.conf"} { // the last two only some versions have
		all, err := onedconf.ReadFile(filepath.Join(b.s.Paths.Etc, name))
		fmt.Fprintf(&out, "%s\n", name)
		if err != nil {
			fmt.Fprintf(&out, "  %s\n", text.Printable(err.Error()))
		}
		if i == 0 {
			failed = err
		}
		for _, a := range all {
			if !relevant().MatchString(a.Name) {
				continue
			}
			value := a.Value
			for _, pair := range a.Pairs {
				value += fmt.Sprintf("\n    %s = %q", pair.Name, pair.Value)
			}
			fmt.Fprintf(&out, "  %s = %s\n", a.Name, value)
		}
	}
	return out.String(), failed
}

// glimpsed are incidents, the newest first, as they are in the journal, which is not changed.
func (b *bundle) glimpsed(limit int) ([]incident.Record, error) {
	if _, err := os.Stat(b.dir.Incidents()); err != nil {
		return nil, err
	}
	j, err := incident.OpenJournal(b.dir.Incidents())
	if err != nil {
		return nil, err
	}
	return j.Glimpse(limit, true), nil
}

func (b *bundle) incidents(context.Context) (string, error) {
	all, err := b.glimpsed(toldInList)
	var out bytes.Buffer
	_ = app.Table(&out, report.Table(all, b.now)) // a buffer takes everything
	for _, r := range all[:min(len(all), toldWhole)] {
		fmt.Fprintf(&out, "\n%s\n", strings.Join(report.Timeline(r, b.now), "\n"))
	}
	return out.String(), err
}

func (b *bundle) records(context.Context) (string, error) {
	all, err := b.glimpsed(toldWhole)
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err == nil {
		err = enc.Encode(all)
	}
	return out.String(), err
}

// states lists the state directory.
func (b *bundle) states(ctx context.Context) (string, error) {
	var list, content strings.Builder
	n := 0
	err := filepath.WalkDir(string(b.dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return cmp.Or(err, ctx.Err())
		}
		if n++; n > maxStates {
			return fmt.Errorf("more than %d files", maxStates)
		}
		info, err := d.Info()
		if err != nil {
			return nil // another process has removed it
		}
		uid, gid, _ := statedir.Owner(info)
		fmt.Fprintf(&list, "%s %d:%d %8d %s %s\n", info.Mode(), uid, gid, info.Size(), info.ModTime().Format(time.RFC3339), text.Printable(path))
		if info.Mode().IsRegular() && filepath.Dir(path) == string(b.dir) {
			said, err := whole(path, maxState)
			fmt.Fprintf(&content, "\n%s:\n%s\n", text.Printable(filepath.Base(path)), said)
			if err != nil {
				fmt.Fprintln(&content, err)
			}
		}
		return nil
	})
	return list.String() + content.String(), err
}

// whole is a text file; of a longer one its beginning.
func whole(path string, most int64) (string, error) {
	content, err := statedir.ReadConfig(path, most)
	return printable(content), err
}

// tail is the end of a log, from the beginning of a line.
func tail(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return "", cmp.Or(err, fmt.Errorf("%s is not a regular file", path))
	}
	from := max(info.Size()-maxTail, 0)
	content, err := io.ReadAll(io.NewSectionReader(f, from, maxTail))
	if from > 0 {
		_, content, _ = bytes.Cut(content, []byte("\n"))
	}
	return printable(content), err
}

// printable is a text of several lines that a terminal does not obey.
func printable(content []byte) string {
	var out strings.Builder
	for line := range strings.Lines(string(content)) {
		out.WriteString(text.Printable(strings.TrimSuffix(line, "\n")) + "\n")
	}
	return out.String()
}
