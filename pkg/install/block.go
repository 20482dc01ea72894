package install

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// The marks around what one-ft writes into oned.conf.
const (
	beginMark = "# BEGIN one-ft"
	endMark   = "# END one-ft"

	beginPlain = beginMark + `: written by "oneft hooks install", taken out by "oneft hooks remove"; do not edit`
	// beginJoined also says that the line end before it is not the file's own.
	beginJoined = beginMark + ` (the line above had no line end)` + `: written by "oneft hooks install", taken out by "oneft hooks remove"; do not edit`
)

// lineEnd is the line end of a text: that of its first line.
func lineEnd(text []byte) string {
	if i := bytes.IndexByte(text, '\n'); i > 0 && text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// stanza is a hook as oned.conf has it, in lines without line ends.
func (h Hook) stanza() []string {
	lines := []string{h.Resource + "_HOOK = ["}
	for _, p := range []Pair{{"NAME", h.Name}, {"ON", h.On}, {"STATE", h.State}, {"LCM_STATE", h.LCMState}, {"COMMAND", h.Command},
		{"ARGUMENTS", h.Arguments}} {
		if p.Value != "" {
			lines = append(lines, fmt.Sprintf(`    %-9s = "%s",`, p.Name, p.Value))
		}
	}
	return append(lines, `    REMOTE    = "no" ]`)
}

// Install gives an oned.conf with the hooks in a marked block: at the end, or where the
// block already is. Everything else stays as it is, byte for byte; doing it twice changes
// nothing. The new text has been read again. Errors: a *SyntaxError, a
// *ConflictError, or what is wrong with the block that is there.
func Install(text []byte, hooks []Hook) ([]byte, error) {
	if len(hooks) == 0 {
		return Remove(text)
	}
	old, err := Parse(text)
	if err != nil {
		return nil, err
	}
	if err := old.foreign(); err != nil {
		return nil, err
	}
	if others := old.conflicts(hooks); len(others) > 0 {
		return nil, &ConflictError{Others: others}
	}
	begin, end, joined, eol := old.begin, old.end, old.joined, old.eol
	if !old.Block() {
		begin, end, eol = len(text), len(text), lineEnd(text)
		joined = len(text) > 0 && text[len(text)-1] != '\n'
	}
	lines := []string{beginPlain}
	if joined {
		lines[0] = beginJoined
	}
	for i, h := range hooks {
		if i > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, h.stanza()...)
	}
	lines = append(lines, endMark, "")
	block := strings.Join(lines, eol)
	if joined && !old.Block() {
		block = eol + block
	}
	fresh := slices.Concat(text[:begin], []byte(block), text[end:])
	if err := verify(old, fresh, hooks); err != nil {
		return nil, err
	}
	return fresh, nil
}

// Remove gives an oned.conf without the block: what it was before Install, byte for
// byte. Without a block it is the text as it is. Errors as of Install.
func Remove(text []byte) ([]byte, error) {
	f, err := Parse(text)
	if err != nil {
		return nil, err
	}
	if err := f.foreign(); err != nil {
		return nil, err
	}
	fresh := remove(text, f)
	if err := verify(f, fresh, nil); err != nil {
		return nil, err
	}
	return fresh, nil
}

func remove(text []byte, f File) []byte {
	if !f.Block() {
		return slices.Clone(text)
	}
	before := text[:f.begin]
	// The line end is still needed when somebody has added lines since.
	if f.joined && f.end == len(text) {
		before = bytes.TrimSuffix(before, []byte(f.eol))
	}
	return slices.Concat(before, text[f.end:])
}

// foreign refuses a block into which somebody has written something of their own: it
// would be lost.
func (f File) foreign() error {
	for _, e := range f.Entries {
		if !e.Ours {
			continue
		}
		if hook := e.Name == "HOST_HOOK" || e.Name == "VM_HOOK"; !hook || program(e.Get("COMMAND")) == "" {
			return &SyntaxError{File: confName, Line: e.Line, Problem: short(e.Name) + " is between the marks of one-ft, but is none of its hooks; move it out of there"}
		}
	}
	return nil
}

// verify reads the new text: outside of the block it must say what the old one said,
// inside exactly the hooks.
func verify(old File, fresh []byte, hooks []Hook) error {
	f, err := Parse(fresh)
	if err != nil {
		return fmt.Errorf("the new oned.conf could not be read, so nothing was changed (is a quote open near its end?): %w", err)
	}
	same := func(a, b Entry) bool {
		return a.Name == b.Name && a.Value == b.Value && slices.Equal(a.Pairs, b.Pairs) && (a.Pairs == nil) == (b.Pairs == nil)
	}
	if !slices.EqualFunc(old.entries(false), f.entries(false), same) {
		return errors.New("the new oned.conf would say something else outside of the block of one-ft, so nothing was changed; is a quote open near its end?")
	}
	if !slices.EqualFunc(hooks, f.entries(true), Hook.is) {
		return errors.New("the new oned.conf would not have the hooks as wanted, so nothing was changed")
	}
	return nil
}

// entries gives those inside or those outside of the block.
func (f File) entries(ours bool) []Entry {
	var all []Entry
	for _, e := range f.Entries {
		if e.Ours == ours {
			all = append(all, e)
		}
	}
	return all
}

// is reports whether an entry is this hook.
func (h Hook) is(e Entry) bool {
	return e.Name == h.Resource+"_HOOK" && e.Get("NAME") == h.Name && e.Get("ON") == h.On && e.Get("STATE") == h.State &&
		e.Get("LCM_STATE") == h.LCMState && e.Get("COMMAND") == h.Command && e.Get("ARGUMENTS") == h.Arguments && e.Get("REMOTE") == "no"
}

// conflicts finds entries outside of the block that recover VMs when the hooks would.
func (f File) conflicts(hooks []Hook) []Finding {
	var found []Finding
	for _, a := range f.active() {
		if by := recovers(a.command, a.arguments); by != "" && !a.ours && waits(hooks, a.trigger) {
			found = append(found, Finding{Problem, fmt.Sprintf("%s recovers VMs at the same time (%s)", a.where, by), a.takeOut})
		}
	}
	return found
}

// waits reports whether one of the hooks is called then.
func waits(hooks []Hook, trigger string) bool {
	return slices.ContainsFunc(hooks, func(h Hook) bool { return h.trigger() == trigger })
}

// under reports whether a command is one of our executables in that directory.
func under(command, dir string) bool {
	words := strings.Fields(command)
	return program(command) != "" && path.Dir(words[0]) == dir
}
