package install

import (
	"errors"
	"strings"

	"one-ft/pkg/marked"
	"one-ft/pkg/onedconf"
)

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
