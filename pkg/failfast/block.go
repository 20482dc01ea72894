package failfast

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"one-ft/pkg/marked"
	"one-ft/pkg/text"
)

const (
	// noFile stands in the first line of the block where there was no file before.
	noFile = "there was no file"
	// Timeout is the ConnectTimeout of the block. With 5 s a host whose packets are dropped was ERROR after 33 s
	// instead of 290, and a driver command took 5 s instead of 135 (OpenNebula 6.10 that monitors each 20 s,
	// measured); 10 s leave a host that is busy the time for one SYN that got lost (1 + 2 + 4 s).
	Timeout = 10 * time.Second
	// failing is the ProxyCommand of the block. It says in the logs of the drivers why ssh failed. The shell that
	// runs it is $SHELL, and csh has another word for >&2, hence the second one.
	failing = `sh -c 'echo "one-ft: this host is proven off, so ssh to it fails at once; see oneft incidents; ssh -o ProxyCommand=none tries it anyway" >&2; exit 1'`
	// beforeDir and behindDir are the line that names the directory of the marks.
	beforeDir, behindDir = `Match !host "*'*" exec "test '`, `/%h' -nt /proc/self -a -e /proc/self"`
	// maxDir keeps the line with the path below 1024 bytes, the limit of OpenSSH before 7.9.
	maxDir = 512
	// maxConfig is the largest ssh configuration that is worked on.
	maxConfig = 1 << 20
)

// Block is what is written into the ssh configuration of the user that the drivers run as.
type Block struct {
	StateDir string // absolute; the marks are below it
	// Timeout: it also sets a ConnectTimeout for all hosts. The first value counts in ssh, so only where nothing else
	// sets one: see SetsTimeout.
	Timeout bool
}

// lines are those of the block, without line ends. made: there was no file before.
//
// Match !host keeps a name with an apostrophe from the shell. -e /proc/self: without /proc, bash, tcsh, ksh and fish
// take each mark for newer. Match all ends what holds for marked hosts only.
func (b Block) lines(made bool) []string {
	was := ""
	if made {
		was = noFile
	}
	dir := strings.ReplaceAll(filepath.Join(b.StateDir, directory), "%", "%%")
	lines := []string{
		marked.Opening(was),
		"# While a host is proven off, ssh to it fails at once: see Fail fast in the README of one-ft.",
		beforeDir + dir + behindDir,
		"  ProxyCommand " + failing,
		"  ControlPath none",
		"  ControlMaster no",
		"Match all",
	}
	if b.Timeout {
		lines = append(lines, fmt.Sprintf("  ConnectTimeout %d", int(Timeout.Seconds())))
	}
	return append(lines, marked.End)
}

// check refuses a state directory that cannot stand between the quotes of ssh and of a shell.
func (b Block) check() error {
	bad := func(r rune) bool { return strings.ContainsRune("'\"\\`$!", r) || !unicode.IsPrint(r) }
	if d := b.StateDir; !filepath.IsAbs(d) || len(d) > maxDir || strings.ContainsFunc(d, bad) {
		return &marked.Error{Problem: fmt.Sprintf("the state directory %q cannot be written into an ssh configuration; "+
			`allowed is an absolute path of at most %d bytes without quotes, \, $, ! and control characters`, text.Short(d, maxDir), maxDir)}
	}
	return nil
}

// Install gives an ssh configuration with the block, first in the file: in ssh the first value counts. A block that
// is there already is replaced. made: there is no file yet, and text is empty. All else stays byte for byte, and
// doing it twice changes nothing. Errors: *marked.Error.
func Install(config []byte, b Block, made bool) ([]byte, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	rest, was, err := Remove(config)
	if err != nil {
		return nil, err
	}
	eol := marked.LineEnd(rest)
	block := strings.Join(b.lines(made || was), eol) + eol
	return slices.Concat([]byte(block), rest), nil
}

// Remove gives an ssh configuration without the block: what it was before Install, byte for byte. made: there was no
// file before. Without a block it is the text as it is. Errors: *marked.Error.
func Remove(config []byte) (rest []byte, made bool, err error) {
	at, err := find(config)
	if err != nil {
		return nil, false, err
	}
	return slices.Concat(config[:at.Begin], config[at.End:]), at.Was(noFile), nil
}

// SetsTimeout reports whether the block of an ssh configuration sets a ConnectTimeout, and whether anything else in it
// does. What it includes only ssh itself knows: see Client.Resolve. A damaged block is none.
func SetsTimeout(config []byte) (block, elsewhere bool) {
	at, _ := find(config)
	return setsTimeout(config[at.Begin:at.End]), setsTimeout(config[:at.Begin]) || setsTimeout(config[at.End:])
}

func setsTimeout(lines []byte) bool {
	for line := range bytes.Lines(lines) {
		if keyword(line) == "connecttimeout" {
			return true
		}
	}
	return false
}

// BlockState says what there is of the block in an ssh configuration.
type BlockState string

// The states.
const (
	BlockNone    BlockState = "none"
	BlockCurrent BlockState = "current"
	BlockChanged BlockState = "changed" // an older version wrote it, or somebody edited it
	// BlockNotFirst: other settings stand before it, and win.
	BlockNotFirst BlockState = "not_first"
	BlockDamaged  BlockState = "damaged" // marks are missing, or there is something else between them
	// BlockForeign: it is that of another state directory, and so of another installation: see BlockDir.
	BlockForeign BlockState = "foreign"
)

// Status gives the state of the block for a state directory. With or without a ConnectTimeout it is current.
func Status(config []byte, stateDir string) BlockState {
	at, err := find(config)
	switch {
	case err != nil:
		return BlockDamaged
	case at.End == 0:
		return BlockNone
	}
	if dir := BlockDir(config); dir != "" && dir != filepath.Clean(stateDir) {
		return BlockForeign
	}
	block := strings.Split(strings.ReplaceAll(string(config[at.Begin:at.End]), "\r\n", "\n"), "\n")
	b := Block{StateDir: stateDir, Timeout: setsTimeout(config[at.Begin:at.End])}
	if !slices.Equal(block, append(b.lines(at.Was(noFile)), "")) {
		return BlockChanged
	}
	for line := range bytes.Lines(config[:at.Begin]) {
		if keyword(line) != "" {
			return BlockNotFirst
		}
	}
	return BlockCurrent
}

// BlockDir is the state directory that the block of an ssh configuration was written for; "" without a block, and where it
// names none.
func BlockDir(config []byte) string {
	at, _ := find(config)
	for line := range strings.Lines(string(config[at.Begin:at.End])) {
		dir, is := strings.CutPrefix(line, beforeDir)
		if dir, ends := strings.CutSuffix(strings.TrimRight(dir, "\r\n"), behindDir); is && ends {
			return strings.TrimSuffix(strings.ReplaceAll(dir, "%%", "%"), "/"+directory)
		}
	}
	return ""
}

// find finds the block, and refuses one into which somebody has written settings of their own: they would be lost.
func find(config []byte) (marked.Place, error) {
	if len(config) > maxConfig {
		return marked.Place{}, &marked.Error{Problem: fmt.Sprintf("the ssh configuration has more than %d bytes", maxConfig)}
	}
	at, err := marked.Find(marked.Lines(config))
	if err != nil {
		return marked.Place{}, err
	}
	ours := []string{"", "match", "proxycommand", "controlpath", "controlmaster", "connecttimeout"}
	for _, line := range marked.Lines(config[at.Begin:at.End]) {
		if word := keyword([]byte(line.Text)); !slices.Contains(ours, word) {
			return marked.Place{}, &marked.Error{Line: at.Opening.Number + line.Number - 1,
				Problem: fmt.Sprintf("%q is between the marks of one-ft, but is none of its settings; move it out of there", text.Printable(word))}
		}
	}
	return at, nil
}

// keyword is the first word of a line of an ssh configuration in small letters (ssh_config(5)); "" of an empty line
// and of a comment.
func keyword(line []byte) string {
	line = bytes.TrimSpace(line)
	if len(line) == 0 || line[0] == '#' {
		return ""
	}
	if i := bytes.IndexAny(line, " \t="); i >= 0 {
		line = line[:i]
	}
	return strings.ToLower(strings.Trim(string(line), `"`))
}
