package lab

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// maxSocketPath is how long the path of a unix socket may be (sun_path in
// sys/un.h of Linux, without its final NUL).
const maxSocketPath = 107

// The files of a lab, under its directory.
func socketFile(dir string) string   { return filepath.Join(dir, "control.sock") }
func envFile(dir string) string      { return filepath.Join(dir, "env") }
func authFile(dir string) string     { return filepath.Join(dir, ".one", "one_auth") }
func onedConf(dir string) string     { return filepath.Join(dir, "etc", "oned.conf") }
func endpointFile(dir string) string { return filepath.Join(dir, ".one", "one_endpoint") }

// HooksLog is the file in which a lab logs its hooks.
func HooksLog(dir string) string { return filepath.Join(dir, "var", "hooks.log") }

// makeDir makes the directory of a lab, or takes one that was a lab's before.
// It never writes into a directory of anything else.
func makeDir(dir string) (string, error) {
	if dir == "" {
		made, err := os.MkdirTemp("", "onelab.")
		if err != nil {
			return "", fmt.Errorf("make a directory: %w", err)
		}
		dir = made
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the directory: %w", err)
	}
	if n := len(socketFile(dir)); n > maxSocketPath {
		return "", Usagef("--dir: the path of the control socket in it has %d bytes and at most %d are possible; choose a shorter one", n, maxSocketPath)
	}
	if err := ours(dir); err != nil {
		return "", err
	}
	for _, sub := range []string{"", "etc", "var", ".one"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return "", fmt.Errorf("make the directory: %w", err)
		}
	}
	return dir, nil
}

// ours reports an error unless a directory is missing, empty, or a lab's that
// does not run.
func ours(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0:
		return nil
	case err != nil:
		return Usagef("--dir: %v", err)
	}
	if _, err := os.Stat(envFile(dir)); err != nil {
		return Usagef("--dir %s: it holds files and was not made by onelab; choose a new or an empty directory", dir)
	}
	if conn, err := net.Dial("unix", socketFile(dir)); err == nil {
		// Nothing was asked, so nothing can have failed.
		_ = conn.Close()
		return Usagef("--dir %s: a lab runs there already; end it by onelab stop, or choose another directory", dir)
	}
	// What a lab that was killed has left would only be in the way.
	if err := os.Remove(socketFile(dir)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the old control socket: %w", err)
	}
	return nil
}

// Exports gives the lines that make a shell, and all that it starts, work with a
// lab.
func Exports(dir, endpoint string) []string {
	return []string{
		"export ONE_XMLRPC=" + shellQuote(endpoint),
		"export ONE_AUTH=" + shellQuote(authFile(dir)),
		"export ONE_LOCATION=" + shellQuote(dir),
	}
}

// shellQuote makes one word of a text.
func shellQuote(text string) string {
	plain := strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:-") == ""
	if plain {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// writeFiles writes what OpenNebula's clients and one-ft look for. An oned.conf that is there stays.
func (l *Lab) writeFiles(interval time.Duration) error {
	seconds := max(1, int((interval+time.Second-1)/time.Second))
	files := map[string]string{
		authFile(l.dir):     user + ":" + l.password + "\n",
		endpointFile(l.dir): l.endpoint + "\n",
		envFile(l.dir):      strings.Join(Exports(l.dir, l.endpoint), "\n") + "\n",
		filepath.Join(l.dir, "etc", "monitord.conf"): fmt.Sprintf("MONITORING_INTERVAL_HOST = %d\n", seconds),
	}
	if _, err := os.Stat(onedConf(l.dir)); l.runner.old && errors.Is(err, os.ErrNotExist) {
		name := "MONITORING_INTERVAL"
		if !l.version.Before(5, 6) {
			name += "_HOST"
		}
		files[onedConf(l.dir)] = fmt.Sprintf("# oned.conf of OpenNebula %s, simulated. oned reads it when it starts, and when it is told to: onelab restart\n"+
			"%s = %d\n\nHM_MAD = [\n    executable = \"one_hm\" ]\n", l.version, name, seconds)
	}
	for path, text := range files {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return fmt.Errorf("write the files of the lab: %w", err)
		}
	}
	return executables(l.dir)
}
