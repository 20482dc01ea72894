package app

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/config"
	"one-ft/pkg/one"
	"one-ft/pkg/text"
)

// What programs say on their first run, when they do not find oned, credentials or the state directory: where they looked,
// and what to type next. It is worded here and nowhere else.

// maxCall is how many characters of a call are repeated, maxCallWord of one word of it: nobody types more, a template in base64 has
// thousands.
const maxCall, maxCallWord = 400, 120

// AsOneadmin is a call again as the user that hooks and timers run as, for an operator to type.
func AsOneadmin(call string) string { return "sudo -u oneadmin " + call }

// called is how a command was called, every word of it, for a shell: without its options a dry run would become the real thing. A
// long word is a template: object, the ID that was read from it, stands there instead. What cannot be typed again, or would show a
// password, is "NAME ...".
func called(c *cli.Context, object string) string {
	call := c.Command.HelpName
	for _, word := range typed(c) {
		if len(word) > maxCallWord && object != "" {
			word = object
		}
		if strings.ContainsFunc(word, notTyped) || withoutPassword(word) != word {
			return c.Command.HelpName + " ..."
		}
		call += " " + text.ShellWord(word)
	}
	if len(call) > maxCall {
		return c.Command.HelpName + " ..."
	}
	return call
}

// notTyped is a character that is no printable ASCII.
func notTyped(r rune) bool { return r < ' ' || r > '~' }

// noCredentials adds to an error of one.FindAccess what to type next. The error is one of wrong usage.
func noCredentials(err error, call string) error {
	var flaw *one.CredentialsError
	switch {
	case !errors.As(err, &flaw):
		return Usagef("%w", err)
	case flaw.Flaw == one.Blank || flaw.Flaw == one.Malformed:
		return Usagef("%w; write user:password there, or name another file by --auth-file", err)
	case len(flaw.Places) == 1: // the only one that was named
		return Usagef("%w; name a file with user:password", err)
	}
	return Usagef("%w; type %s on the front-end, or name a file with user:password by --auth-file", err, AsOneadmin(call))
}

// NoToken is noCredentials for an agent on a host, whose configuration names the file.
func NoToken(err error, configFile string) error {
	return fmt.Errorf("%w; write user:token of a user that may read hosts into it (on a front-end: oneuser token-create USER --time -1), or name another file by auth_file in %s", err, configFile)
}

// noEndpoint adds to an error of the first call which endpoint that was, what named it, and what to do. endpoint holds no password.
func noEndpoint(err error, endpoint string, access one.Access, configFile string) error {
	var silent *one.TransportError
	named := "named by " + access.EndpointSource
	if access.EndpointSource == "default" {
		named = "the default"
	}
	switch {
	case errors.As(err, &silent) && silent.Sent:
		return fmt.Errorf("%w; %s (%s) takes connections and does not answer: look at oned and its log there, and restart it if it hangs", err, endpoint, named)
	case access.EndpointSource != "default":
		return fmt.Errorf("%w; the endpoint is %s, named by %s: start oned there, or correct it", err, endpoint, access.EndpointSource)
	}
	return fmt.Errorf("%w; the endpoint is %s, the default: start oned (systemctl start opennebula), or name another by --endpoint; none is named by endpoint in %s, %s",
		err, endpoint, configFile, access.EndpointPlaces)
}

// StateDir is the state directory and what named it.
type StateDir struct {
	Path string
	By   string // "--state-dir", a setting in a file, "ONE_LOCATION"; "" for the default
	call string
	file string // the configuration that could name another
}

// FindStateDir finds the state directory: --state-dir, state_dir in the configuration, var/one-ft in ONE_LOCATION,
// /var/lib/one/one-ft.
func FindStateDir(c *cli.Context, file config.File, paths Paths) StateDir {
	d := StateDir{Path: paths.State, call: called(c, ""), file: configPath(file, paths)}
	switch {
	case c.String("state-dir") != "":
		d.Path, d.By = c.String("state-dir"), "--state-dir"
	case file.Values().StateDir != "" && !c.IsSet("state-dir"):
		d.Path, d.By = file.Values().StateDir, "state_dir in "+d.file
	case paths.Location != "":
		d.By = "ONE_LOCATION"
	}
	return d
}

// configPath is the configuration file that was read, or would be.
func configPath(file config.File, paths Paths) string {
	return cmp.Or(file.Path, filepath.Join(paths.Etc, config.Name))
}

// source says what named the directory, or what could have.
func (d StateDir) source() string {
	if d.By != "" {
		return "named by " + d.By
	}
	return "the default, because neither --state-dir nor state_dir in " + d.file + " nor ONE_LOCATION names one"
}

// Unusable adds to an error about the state directory what named it and what to type next; nil stays nil. The kind of the
// error stays as it is.
func (d StateDir) Unusable(err error) error {
	if err == nil || !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w; the state directory is %s (%s); type %s on the front-end, or run it as root", err, d.Path, d.source(), AsOneadmin(d.call))
}

// Made says of a state directory that was made for a pause what named it, and what to do when it should be another.
func (d StateDir) Made() string {
	return fmt.Sprintf("%s was not there and has been made (%s); on another machine than the front-end this pauses nothing: name its state directory by --state-dir", text.Printable(d.Path), d.source())
}

// Missing says of a state directory that is not there what named it, and what to do when it should be.
func (d StateDir) Missing() string {
	return fmt.Sprintf("%s is not there yet (%s); when this machine is not the front-end, run it there, or name the directory by --state-dir", text.Printable(d.Path), d.source())
}
