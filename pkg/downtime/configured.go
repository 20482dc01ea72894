package downtime

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"one-ft/pkg/one"
	"one-ft/pkg/onedconf"
)

// MaxSeconds is the longest time in a setting that is believed. Nobody waits longer, and times that are
// multiplied must not overflow.
const MaxSeconds = 24 * 60 * 60

// maxCount bounds what counts.
const maxCount = 1_000_000

// ProblemKind is what kept a setting from being read.
type ProblemKind string

// The kinds.
const (
	FileMissing    ProblemKind = "file_missing"    // there is no such file
	FileUnreadable ProblemKind = "file_unreadable" // no rights, or the disk
	FileSyntax     ProblemKind = "file_syntax"     // no daemon reads it, either
	ValueInvalid   ProblemKind = "value_invalid"   // no number, or none that is believed
)

// Problem is why a default stands in for a setting.
type Problem struct {
	Kind    ProblemKind `json:"kind"`
	File    File        `json:"file"`
	Setting Setting     `json:"setting,omitempty"`
	// Detail is the text of the value, or the error; not printable.
	Detail string `json:"detail,omitempty"`
}

// Read makes the settings of a release from its configuration files. read gives the attributes of one of
// them (onedconf.ReadFile). A file that cannot be read is no error: what OpenNebula ships is taken, and said.
func Read(v one.Version, read func(File) ([]onedconf.Attribute, error)) (Settings, []Problem) {
	s := Settings{Version: v}
	var problems []Problem
	type content struct {
		all []onedconf.Attribute
		err error
	}
	files := map[File]content{}
	for _, k := range keys() {
		if !k.in(v) {
			continue
		}
		c, seen := files[k.file]
		if !seen {
			c.all, c.err = read(k.file)
			files[k.file] = c
			if c.err != nil {
				problems = append(problems, Problem{Kind: kindOf(c.err), File: k.file, Detail: c.err.Error()})
			}
		}
		value := Value{k.setting, k.shipped, k.file, Shipped}
		if c.err == nil {
			var text string
			if value, text = k.configured(c.all); value.Origin == Invalid {
				problems = append(problems, Problem{Kind: ValueInvalid, File: k.file, Setting: k.setting, Detail: text})
			}
		}
		s.Values = append(s.Values, value)
	}
	return s, problems
}

func kindOf(err error) ProblemKind {
	var syntax *onedconf.SyntaxError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return FileMissing
	case errors.As(err, &syntax):
		return FileSyntax
	}
	return FileUnreadable
}

// configured reads a setting, and the text that its file has for it.
func (k key) configured(all []onedconf.Attribute) (Value, string) {
	v := Value{k.setting, k.builtin, k.file, BuiltIn}
	text, found := k.text(all)
	if !found {
		return v, ""
	}
	n, ok := onedconf.Number(text)
	least, most := k.setting.bounds()
	if !ok || n < least || n > most {
		v.Origin = Invalid
		return v, text
	}
	v.Number, v.Origin = n, Configured
	return v, text
}

// bounds are the least and the largest value that are believed.
func (s Setting) bounds() (least, most int) {
	switch s {
	case HostsPerInterval, Threads, VMThreads:
		return 1, maxCount
	case MaxVM, MaxDispatch, MaxHost, WindowLength, ActionsPerHost, ActionsPerCluster:
		return 0, maxCount
	case SchedInterval, HostInterval, OldInterval, ManagerTimer, MonitordTimer, Push, Beacon, SystemProbe:
		return 1, MaxSeconds
	case Retries:
		return 0, 1000
	}
	return 0, MaxSeconds
}

// text finds the text of a setting.
func (k key) text(all []onedconf.Attribute) (string, bool) {
	if vector, name, ok := strings.Cut(string(k.setting), "/"); ok {
		a, _ := onedconf.Find(all, vector)
		text := a.Get(name)
		return text, text != ""
	}
	name, daemon, _ := strings.Cut(string(k.setting), " (")
	if driver, option, ok := strings.Cut(name, " "); ok && daemon == "" {
		return driverOption(all, driver, option)
	}
	a, found := onedconf.Find(all, name)
	return a.Value, found
}

// driverOption finds an option in the ARGUMENTS of the first driver of a kind that is, or is not, collectd.
// option is such as "-r", or "collectd -i" for that of collectd.
func driverOption(all []onedconf.Attribute, driver, option string) (string, bool) {
	name, _ := strings.CutPrefix(option, "collectd ")
	for _, a := range all {
		if a.Name != driver || strings.Contains(strings.ToLower(a.Get("NAME")+a.Get("EXECUTABLE")), "collectd") != (name != option) {
			continue
		}
		words := strings.Fields(a.Get("ARGUMENTS"))
		if name == "-p" && driver == "VM_MAD" {
			return map[bool]string{true: "1", false: "0"}[slices.Contains(words, name)], true
		}
		for i, w := range words {
			switch {
			case w == name && i+1 < len(words):
				return words[i+1], true
			case strings.HasPrefix(w, name) && len(w) > len(name):
				return w[len(name):], true
			}
		}
		return "", false
	}
	return "", false
}
