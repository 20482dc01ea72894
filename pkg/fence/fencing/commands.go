package fencing

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"one-ft/pkg/fence"
	"one-ft/pkg/statedir"
)

// Trial is what is known of a site's own command: the word of one that has never proven a host off is worth nothing, and
// an upgrade of OpenNebula puts its own fence_host.sh, which only fails, over that of a site.
type Trial string

// What is known of a command.
const (
	TrialNone    Trial = "none"    // it has not proven a host off yet
	TrialChanged Trial = "changed" // since it did, another program has taken its place
	TrialWorked  Trial = "worked"  // as it is now
)

// proven is a file in the state directory about one command.
type proven struct {
	Path   string    `json:"path"`
	SHA256 string    `json:"sha256"`
	HostID int       `json:"host"`
	At     time.Time `json:"at"`
}

const maxProven = 8 << 10 // bytes of such a file; a path has at most 4096

// TrialOf tells whether a command has proven a host off before, and when.
func TrialOf(dir statedir.Dir, command string) (Trial, time.Time) {
	text, err := statedir.ReadSmall(provenFile(dir, command), maxProven)
	var p proven
	if err != nil || json.Unmarshal(text, &p) != nil || p.Path != command {
		return TrialNone, time.Time{}
	}
	if now, err := fingerprint(command); err != nil || now != p.SHA256 {
		return TrialChanged, p.At
	}
	return TrialWorked, p.At
}

func provenFile(dir statedir.Dir, command string) string {
	return filepath.Join(dir.Commands(), fmt.Sprintf("%x.json", sha256.Sum256([]byte(command))))
}

// fingerprint is a hash of a program.
func fingerprint(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a program (%w)", path, os.ErrInvalid)
	}
	const most = 64 << 20 // bytes; more than any program of a site
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(f, most)); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

// fingerprints are those of the commands of some levels as they are now. What cannot be read has none.
func fingerprints(levels []fence.Level) map[string]string {
	all := map[string]string{}
	for _, level := range levels {
		for _, d := range level.Devices {
			if d.Kind != fence.KindCommand {
				continue
			}
			if hash, err := fingerprint(d.Command[0]); err == nil {
				all[d.Command[0]] = hash
			}
		}
	}
	return all
}

// remember writes down that commands have proven a host off, with what they were before. It is for oneft check alone: what
// cannot be written is left to the next proof.
func (r Resolver) remember(hostID int, commands []string, before map[string]string) {
	for _, command := range commands {
		hash := before[command]
		if r.State == "" || hash == "" {
			continue
		}
		text, err := json.Marshal(proven{Path: command, SHA256: hash, HostID: hostID, At: time.Now().UTC().Truncate(time.Second)})
		if err == nil {
			err = statedir.MakeDir(r.State.Commands())
		}
		if err == nil {
			_ = statedir.Replace(provenFile(r.State, command), text)
		}
	}
}
