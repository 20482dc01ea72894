package install

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"one-ft/pkg/marked"
	"one-ft/pkg/onedconf"
)

// joined stands in the first line of the block where the line end before it is not the file's own.
const joined = "the line above had no line end"

// Install gives an oned.conf with the hooks in a marked block: at the end, or where the block already is; with no
// hooks without the block, as it was before. Everything else stays byte for byte; doing it twice changes nothing. The new text has been read
// again. Errors: a *SyntaxError, a *ConflictError, or what is wrong with the block that is there.
func Install(text []byte, hooks []Hook, facts Facts) ([]byte, error) {
	old, err := Parse(text)
	if err == nil {
		err = old.foreign()
	}
	if err != nil {
		return nil, err
	}
	all := old.Hooks(facts)
	if err := facts.missing(all); err != nil {
		return nil, err
	}
	if others := facts.conflicts(all, hooks); len(others) > 0 {
		return nil, &ConflictError{Others: others}
	}
	hooks = beside(hooks, all)
	fresh := old.without(text)
	if len(hooks) > 0 {
		fresh = old.with(text, hooks)
	}
	if err := verify(old, fresh, hooks); err != nil {
		return nil, err
	}
	return fresh, nil
}

// with is the text with the hooks in the block.
func (f File) with(text []byte, hooks []Hook) []byte {
	begin, end, eol, was, before := f.block.Begin, f.block.End, marked.LineEnd([]byte(f.block.Opening.Text)), "", ""
	if f.block.Was(joined) {
		was = joined
	}
	if !f.Block() {
		begin, end, eol = len(text), len(text), marked.LineEnd(text)
		if len(text) > 0 && text[len(text)-1] != '\n' {
			was, before = joined, eol
		}
	}
	lines := []string{marked.Opening(was)}
	for i, h := range hooks {
		if i > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, h.stanza()...)
	}
	block := before + strings.Join(append(lines, marked.End, ""), eol)
	return slices.Concat(text[:begin], []byte(block), text[end:])
}

// without is the text without the block.
func (f File) without(text []byte) []byte {
	before := text[:f.block.Begin]
	// The line end is still needed when somebody has added lines since.
	if f.block.Was(joined) && f.block.End == len(text) {
		before = bytes.TrimSuffix(before, []byte(marked.LineEnd([]byte(f.block.Opening.Text))))
	}
	return slices.Concat(before, text[f.block.End:])
}

// foreign refuses a block into which somebody has written something of their own: it would be lost.
func (f File) foreign() error {
	for _, e := range f.Entries {
		if e.Ours && (e.Hook() == "" || program(e.Get("COMMAND")) == "") {
			return &SyntaxError{File: confName, Line: e.Line, Problem: short(e.Name) + " is between the marks of one-ft, but is none of its hooks; move it out of there"}
		}
	}
	return nil
}

// verify reads the new text: outside of the block it must say what the old one said, inside exactly the hooks.
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
	return slices.DeleteFunc(slices.Clone(f.Entries), func(e Entry) bool { return e.Ours != ours })
}

// inFile is a hook as oned.conf has it.
func (h Hook) inFile() []onedconf.Pair {
	all := pairs("NAME", h.Name, "ON", h.On, "STATE", h.State, "LCM_STATE", h.LCMState,
		"COMMAND", h.Command, "ARGUMENTS", h.Arguments, "REMOTE", "no", besideKey, h.Beside)
	return slices.DeleteFunc(all, func(p onedconf.Pair) bool { return p.Value == "" })
}

// stanza is a hook as oned.conf has it, in lines without line ends.
func (h Hook) stanza() []string {
	lines := []string{h.Resource + "_HOOK = ["}
	for _, p := range h.inFile() {
		lines = append(lines, fmt.Sprintf(`    %-9s = "%s",`, p.Name, p.Value))
	}
	lines[len(lines)-1] = strings.TrimSuffix(lines[len(lines)-1], ",") + " ]"
	return lines
}

// is reports whether an entry is this hook.
func (h Hook) is(e Entry) bool {
	return e.Name == h.Resource+"_HOOK" && slices.Equal(e.Pairs, h.inFile())
}

// maxSize is the largest oned.conf and the largest hook pool that is read.
const maxSize = onedconf.MaxSize

// SyntaxError is where oned.conf cannot be read, by oned as little as by one-ft.
type SyntaxError = onedconf.SyntaxError

// confName names the file in errors.
const confName = "oned.conf"

// Entry is one attribute of oned.conf, such as HOST_HOOK = [ ... ].
type Entry struct {
	onedconf.Attribute
	// Ours is set inside the block that one-ft wrote.
	Ours bool
}

// Hook is the resource of an entry that is a hook for hosts or VMs: HOST or VM; "" for any other.
func (e Entry) Hook() string {
	resource, hook := strings.CutSuffix(e.Name, "_HOOK")
	if !hook || resource != "HOST" && resource != "VM" || e.Pairs == nil {
		return ""
	}
	return resource
}

// File is an oned.conf that was read.
type File struct {
	Entries []Entry
	block   marked.Place
}

// Block reports whether one-ft has written its hooks into the file.
func (f File) Block() bool { return f.block.End > 0 }

// Parse reads an oned.conf as oned 4.4 to 5.8 does. The error is a *SyntaxError where oned would not read it, either,
// or where the marks of one-ft are damaged.
func Parse(text []byte) (File, error) {
	all, comments, err := onedconf.Parse(confName, text)
	if err != nil {
		return File{}, err
	}
	block, err := marked.Find(comments)
	var damaged *marked.Error
	if errors.As(err, &damaged) {
		return File{}, &SyntaxError{File: confName, Line: damaged.Line, Problem: damaged.Problem}
	}
	f := File{block: block}
	for _, a := range all {
		f.Entries = append(f.Entries, Entry{Attribute: a, Ours: a.Begin >= block.Begin && a.End <= block.End})
	}
	return f, nil
}
