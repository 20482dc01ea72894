package failfast

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/process"
	"one-ft/pkg/statedir"
)

// maxIncludes is how deep files of ssh include each other (READCONF_MAX_DEPTH, OpenSSH's readconf.c).
const maxIncludes = 16

// Redirects are the names for which files of the ssh client may say another address, another port or a proxy. To find out what
// they say is left to ssh.
type Redirects struct {
	patterns []string
	timeout  bool          // they may set a ConnectTimeout, beside our own block
	own      time.Duration // ConnectTimeout of our own block; 0 for none
}

// ReadRedirects reads the configuration of the user with that home directory and that of the system, with all that they
// include, but for our own block. Of a file that cannot be read every name may be one.
func ReadRedirects(home string) Redirects {
	var r Redirects
	r.read(filepath.Join(home, ".ssh", "config"), filepath.Join(home, ".ssh"), home, nil, 0)
	r.read("/etc/ssh/ssh_config", "/etc/ssh", home, nil, 0)
	return r
}

// ConnectTimeout is the ConnectTimeout for every host, 0 for none; known is false where only ssh can tell.
func (r Redirects) ConnectTimeout() (timeout time.Duration, known bool) { return r.own, !r.timeout }

// Concern reports whether the files may say something about where ssh connects for a name.
func (r Redirects) Concern(name string) bool {
	if CheckName(name) != nil || strings.ContainsAny(name, ":%@") {
		return true
	}
	return slices.ContainsFunc(r.patterns, func(pattern string) bool {
		is, err := path.Match(strings.ToLower(pattern), strings.ToLower(name))
		return is || err != nil
	})
}

// read reads a file whose lines are for the hosts of these patterns until it says for which; nil is every host.
func (r *Redirects) read(file, dir, home string, hosts []string, depth int) {
	config, err := statedir.ReadConfig(file, maxConfig)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return
	case err != nil || depth > maxIncludes:
		r.patterns, r.timeout = append(r.patterns, "*"), true
		return
	}
	if at, err := find(config); err == nil {
		r.own = max(r.own, timeoutIn(config[at.Begin:at.End]))
		config = slices.Concat(config[:at.Begin], config[at.End:])
	}
	every := []string{"*"}
	if hosts == nil {
		hosts = every
	}
	for line := range bytes.Lines(config) {
		switch keyword(line) {
		case "host":
			hosts = slices.DeleteFunc(arguments(line), func(pattern string) bool { return strings.HasPrefix(pattern, "!") })
		case "match":
			hosts = every
		case "hostname", "port", "proxycommand", "proxyjump", "canonicalizehostname":
			r.patterns = append(r.patterns, hosts...)
		case "connecttimeout":
			r.timeout = true
		case "include":
			for _, pattern := range arguments(line) {
				if rest, is := strings.CutPrefix(pattern, "~/"); is {
					pattern = filepath.Join(home, rest)
				} else if !filepath.IsAbs(pattern) {
					pattern = filepath.Join(dir, pattern)
				}
				files, err := filepath.Glob(pattern)
				if err != nil {
					r.patterns, r.timeout = append(r.patterns, "*"), true
				}
				for _, f := range files {
					r.read(f, dir, home, hosts, depth+1)
				}
			}
		}
	}
}

// timeoutIn is the ConnectTimeout of our own block; 0 for none.
func timeoutIn(block []byte) (timeout time.Duration) {
	for line := range bytes.Lines(block) {
		if words := arguments(line); keyword(line) == "connecttimeout" && len(words) > 0 {
			seconds, _ := strconv.Atoi(words[0]) // our own line has one
			timeout = time.Duration(seconds) * time.Second
		}
	}
	return timeout
}

// stockSSH is the ssh client that distributions install: it reads the files that Redirects reads, and no others.
const stockSSH = "/usr/bin/ssh"

// ConnectTimeout is how long ssh tries to connect to a host; 0 when only the kernel bounds it. ssh is asked, which takes 10 to 30 ms
// of a core (measured), unless its files are enough. Errors are those of Resolve.
func (c Client) ConnectTimeout(ctx context.Context, name string) (time.Duration, error) {
	if magic, err := process.ReadStart(c.Path, 4); c.Path == stockSSH && err == nil && string(magic) == "\x7fELF" {
		if timeout, known := ReadRedirects(c.User.Home).ConnectTimeout(); known {
			return timeout, nil
		}
	}
	set, err := c.Resolve(ctx, name)
	return set.ConnectTimeout, err
}

// arguments are the words after the keyword of a line.
func arguments(line []byte) (words []string) {
	rest := strings.TrimSpace(string(line))
	if i := strings.IndexAny(rest, " \t="); i >= 0 {
		for word := range strings.FieldsSeq(strings.TrimLeft(rest[i:], " \t=")) {
			words = append(words, strings.Trim(word, `"`))
		}
	}
	return words
}

// ResolveWays is ResolveAll for where ssh connects and nothing else. Names that the files of ssh say nothing about are asked
// about with one question for all of them: each takes 10 to 30 ms of a core (measured), half a minute for 1,000 hosts.
func (c Client) ResolveWays(ctx context.Context, names []string) []Answer {
	all := make([]Answer, len(names))
	ask := func(which []int) {
		list := make([]string, len(which))
		for i, n := range which {
			list[i] = names[n]
		}
		for i, answer := range c.ResolveAll(ctx, list) {
			all[which[i]] = answer
		}
	}
	var some, plain []int
	redirects := ReadRedirects(c.User.Home)
	for i, name := range names {
		if redirects.Concern(name) {
			some = append(some, i)
		} else {
			plain = append(plain, i)
		}
	}
	if len(plain) == 0 {
		ask(some)
		return all
	}
	ask(append(some, plain[0]))
	first, rest := all[plain[0]], plain[1:]
	if first.Err != nil || !first.Direct() || !strings.EqualFold(first.HostName, names[plain[0]]) {
		ask(rest) // ssh knows more than its files, as a script in its place does
		return all
	}
	for _, i := range rest {
		all[i].Settings = Settings{HostName: names[i], Port: first.Port, ConnectTimeout: first.ConnectTimeout}
	}
	return all
}
