package incident

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"

	"one-ft/pkg/statedir"
)

// FrontEndName is what this front-end is called among those of its cluster: its host name with a mark of the state
// directory. It is made when it is first needed.
func FrontEndName(stateDir string) (string, error) {
	if name, ok := KnownFrontEndName(stateDir); ok {
		return name, nil
	}
	host, _ := os.Hostname() // for readers; the mark is what counts
	host = notInNames.ReplaceAllString(host, "-")
	name := fmt.Sprintf("%s-%04x", host[:min(len(host), maxFrontEnd)], rand.IntN(1<<16))
	path := statedir.Dir(stateDir).FrontEnd()
	err := statedir.MakeDir(stateDir)
	if err == nil {
		err = statedir.File{CreateOnly: true}.Replace(path, []byte(name+"\n"))
	}
	if errors.Is(err, fs.ErrExist) {
		if other, ok := KnownFrontEndName(stateDir); ok { // another process was faster
			return other, nil
		}
		err = statedir.Replace(path, []byte(name+"\n")) // what is there is no name
	}
	if err != nil {
		return "", fmt.Errorf("name this front-end: %w", err)
	}
	return name, nil
}

// KnownFrontEndName is FrontEndName for a reader: false when no name was made yet.
func KnownFrontEndName(stateDir string) (string, bool) {
	content, err := statedir.ReadSmall(statedir.Dir(stateDir).FrontEnd(), maxName)
	name := strings.TrimSpace(string(content))
	return name, err == nil && frontEndName.MatchString(name)
}

// maxFrontEnd bounds the part of a name that is the host's.
const maxFrontEnd = 40

var (
	frontEndName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	notInNames   = regexp.MustCompile(`[^A-Za-z0-9._-]+`)
)
