package failfast

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"one-ft/pkg/text"
)

// The marks around what one-ft writes into an ssh configuration; the words are those in oned.conf.
const (
	beginMark  = "# BEGIN one-ft"
	endMark    = "# END one-ft"
	beginPlain = beginMark + `: written by "oneft hooks install", taken out by "oneft hooks remove"; do not edit`
	// beginMade also says that there was no file before.
	beginMade = beginMark + ` (there was no file)` + `: written by "oneft hooks install", taken out by "oneft hooks remove"; do not edit`
)

const (
	// Timeout is the ConnectTimeout of the block. With 5 s a host whose packets are dropped was ERROR after
	// 33 s instead of 290, and a driver command took 5 s instead of 135 (OpenNebula 6.10 that monitors each
	// 20 s, measured); 10 s leave a host that is busy the time for one SYN that got lost (1 + 2 + 4 s).
	Timeout = 10 * time.Second
	// failing is the ProxyCommand of the block. It says in the logs of the drivers why ssh failed. The
	// shell that runs it is $SHELL, and csh has another word for >&2, hence the second one.
	failing = `sh -c 'echo "one-ft: this host is proven off, so ssh to it fails at once; see oneft incidents; ssh -o ProxyCommand=none tries it anyway" >&2; exit 1'`
	// maxDir keeps the line with the path below 1024 bytes, the limit of OpenSSH before 7.9.
	maxDir = 512
	// maxConfig is the largest ssh configuration that is worked on.
	maxConfig = 1 << 20
)

// Block is what is written into the ssh configuration of the user that the drivers run as.
type Block struct {
	StateDir string // absolute; the marks are below it
	// Timeout: it also sets a ConnectTimeout for all hosts. The first value counts in ssh, so only
	// where nothing else sets one: see SetsTimeout.
	Timeout bool
}

// BlockError is an ssh configuration into which, or a path with which, no block can be written.
// Nothing was changed.
type BlockError struct {
	Line    int // from 1; 0 for none
	Problem string
}

func (e *BlockError) Error() string {
	if e.Line == 0 {
		return e.Problem
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Problem)
}

// lines are those of the block, without line ends. made: there was no file before.
//
// Match !host keeps a name with an apostrophe from the shell. -e /proc/self: without /proc, bash, tcsh,
// ksh and fish take each mark for newer. Match all ends what holds for marked hosts only.
func (b Block) lines(made bool) []string {
	begin := beginPlain
	if made {
		begin = beginMade
	}
	dir := strings.ReplaceAll(filepath.Join(b.StateDir, directory), "%", "%%")
	lines := []string{
		begin,
		"# While a host is proven off, ssh to it fails at once: see Fail fast in the README of one-ft.",
		`Match !host "*'*" exec "test '` + dir + `/%h' -nt /proc/self -a -e /proc/self"`,
		"  ProxyCommand " + failing,
		"  ControlPath none",
		"  ControlMaster no",
		"Match all",
	}
	if b.Timeout {
		lines = append(lines, fmt.Sprintf("  ConnectTimeout %d", int(Timeout.Seconds())))
	}
	return append(lines, endMark)
}

// check refuses a state directory that cannot stand between the quotes of ssh and of a shell.
func (b Block) check() error {
	bad := func(r rune) bool { return strings.ContainsRune("'\"\\`$!", r) || !unicode.IsPrint(r) }
	if d := b.StateDir; !filepath.IsAbs(d) || len(d) > maxDir || strings.ContainsFunc(d, bad) {
		return &BlockError{Problem: fmt.Sprintf("the state directory %q cannot be written into an ssh configuration; "+
			`allowed is an absolute path of at most %d bytes without quotes, \, $, ! and control characters`, text.Short(d, maxDir), maxDir)}
	}
	return nil
}

// Install gives an ssh configuration with the block, first in the file: in ssh the first value
// counts. A block that is there already is replaced. made: there is no file yet, and text is empty.
// All else stays byte for byte, and doing it twice changes nothing. Errors: *BlockError.
func Install(config []byte, b Block, made bool) ([]byte, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	rest, was, err := Remove(config)
	if err != nil {
		return nil, err
	}
	eol := "\n"
	if i := bytes.IndexByte(rest, '\n'); i > 0 && rest[i-1] == '\r' {
		eol = "\r\n"
	}
	block := strings.Join(b.lines(made || was), eol) + eol
	return slices.Concat([]byte(block), rest), nil
}

// Remove gives an ssh configuration without the block: what it was before Install, byte for byte.
// made: there was no file before. Without a block it is the text as it is. Errors: *BlockError.
func Remove(config []byte) (rest []byte, made bool, err error) {
	at, err := find(config)
	if err != nil {
		return nil, false, err
	}
	if err := at.foreign(config); err != nil {
		return nil, false, err
	}
	made = bytes.HasPrefix(config[at.begin:at.end], []byte(beginMade))
	return slices.Concat(config[:at.begin], config[at.end:]), made, nil
}

// SetsTimeout reports whether an ssh configuration sets a ConnectTimeout outside of the block. What it
// includes only ssh itself knows: see Client.Resolve.
func SetsTimeout(config []byte) bool {
	rest, _, err := Remove(config)
	if err != nil {
		rest = config
	}
	return setsTimeout(rest)
}

// BlockSetsTimeout reports whether the block that is there sets a ConnectTimeout.
func BlockSetsTimeout(config []byte) bool {
	at, err := find(config)
	return err == nil && setsTimeout(config[at.begin:at.end])
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
)

// Status gives the state of the block for a state directory. With or without a ConnectTimeout it is current.
func Status(config []byte, stateDir string) BlockState {
	at, err := find(config)
	if err != nil || at.foreign(config) != nil {
		return BlockDamaged
	}
	if at.end == 0 {
		return BlockNone
	}
	block := strings.Split(strings.ReplaceAll(string(config[at.begin:at.end]), "\r\n", "\n"), "\n")
	made := block[0] == beginMade
	b := Block{StateDir: stateDir, Timeout: setsTimeout(config[at.begin:at.end])}
	if !slices.Equal(block, append(b.lines(made), "")) {
		return BlockChanged
	}
	for line := range bytes.Lines(config[:at.begin]) {
		if keyword(line) != "" {
			return BlockNotFirst
		}
	}
	return BlockCurrent
}

// place is where the block is, in bytes, marks and the last line end included; end is 0 without one.
type place struct{ begin, end, line int }

// find looks for the marks.
func find(config []byte) (place, error) {
	if len(config) > maxConfig {
		return place{}, &BlockError{Problem: fmt.Sprintf("the ssh configuration has more than %d bytes", maxConfig)}
	}
	var p place
	opened := false
	at, number := 0, 0
	for line := range bytes.Lines(config) {
		number++
		begins, ends := bytes.HasPrefix(line, []byte(beginMark)), string(bytes.TrimRight(line, "\r\n")) == endMark
		switch {
		case begins && (opened || p.end > 0), ends && !opened:
			return place{}, &BlockError{number, "a mark of one-ft that belongs to no block; take the lines of one-ft out by hand, then run this again"}
		case begins:
			p.begin, p.line, opened = at, number, true
		case ends:
			p.end, opened = at+len(line), false
		}
		at += len(line)
	}
	if opened {
		return place{}, &BlockError{p.line, fmt.Sprintf("%q without %q behind it; take the lines of one-ft out by hand, then run this again", beginMark, endMark)}
	}
	return p, nil
}

// foreign refuses a block into which somebody has written settings of their own: they would be lost.
func (p place) foreign(config []byte) error {
	ours := []string{"", "match", "proxycommand", "controlpath", "controlmaster", "connecttimeout"}
	number := p.line
	for line := range bytes.Lines(config[p.begin:p.end]) {
		if word := keyword(line); !slices.Contains(ours, word) {
			return &BlockError{number, fmt.Sprintf("%q is between the marks of one-ft, but is none of its settings; move it out of there", text.Printable(word))}
		}
		number++
	}
	return nil
}

// keyword is the first word of a line of an ssh configuration in small letters (ssh_config(5)); "" of
// an empty line and of a comment.
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
