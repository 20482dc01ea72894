package downtime

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/one"
	"one-ft/pkg/onedconf"
)

// Setting is a setting of OpenNebula, by the name that it has in its file. Those in a vector are VECTOR/NAME, options
// in the ARGUMENTS of a driver DRIVER -x; of a name that two daemons have the second one's has its daemon behind it.
type Setting string

// The settings.
const (
	SchedInterval Setting = "SCHED_INTERVAL" // s between two runs of the scheduler
	MaxVM         Setting = "MAX_VM"         // that one run looks at
	MaxDispatch   Setting = "MAX_DISPATCH"   // VMs that one run starts; 0: no limit
	MaxHost       Setting = "MAX_HOST"       // of them on one host; 0: none at all up to 6.10, no limit in 7.x
	LiveRescheds  Setting = "LIVE_RESCHEDS"  // 1: resched migrates live; nothing of it matters for a dead host

	// 7.x: the scheduler is a driver of oned that makes plans, and oned carries them out.
	WindowTime        Setting = "SCHED_MAX_WND_TIME"      // s that oned waits for more VMs before it asks for a plan
	WindowLength      Setting = "SCHED_MAX_WND_LENGTH"    // VMs at which it asks at once
	RetryTime         Setting = "SCHED_RETRY_TIME"        // s until it asks again for VMs that found no host
	ActionsPerHost    Setting = "MAX_ACTIONS_PER_HOST"    // VMs that are started on a host at the same time
	ActionsPerCluster Setting = "MAX_ACTIONS_PER_CLUSTER" // and by one plan
	ActionTimeout     Setting = "ACTION_TIMEOUT"          // s after which a start that has not ended is not waited for

	VMThreads  Setting = "VM_MAD -t" // VMs that are cleaned up at the same time, of all hosts together
	VMParallel Setting = "VM_MAD -p" // 1: several of one host; 0: one after the other. Of the first driver, kvm as shipped

	ManagerTimer     Setting = "MANAGER_TIMER"             // s between two looks of oned: at its hosts up to 5.10, at its plans in 7.x
	MonitordTimer    Setting = "MANAGER_TIMER (monitord)"  // s between two looks of monitord at its hosts
	HostInterval     Setting = "MONITORING_INTERVAL_HOST"  // s that a host may be silent (5.6 and later)
	OldInterval      Setting = "MONITORING_INTERVAL"       // the same up to 5.4
	HostsPerInterval Setting = "HOST_PER_INTERVAL"         // hosts that one look begins to monitor, the longest silent first
	Push             Setting = "IM_MAD collectd -i"        // s between two messages of a host, up to 5.10
	Retries          Setting = "IM_MAD -r"                 // a monitoring command that fails is repeated so often
	Threads          Setting = "IM_MAD -t"                 // monitoring commands at the same time
	CommandTimeout   Setting = "IM_MAD -w"                 // s that one such command may take; 0: no limit
	Beacon           Setting = "PROBES_PERIOD/BEACON_HOST" // s between two signs of life of a host
	SystemProbe      Setting = "PROBES_PERIOD/SYSTEM_HOST" // s between two probes that notice a dead libvirtd
)

// File is a configuration file, relative to the directory of OpenNebula's configuration (/etc/one, or
// $ONE_LOCATION/etc).
type File string

// The files.
const (
	FileOned     File = "oned.conf"
	FileSched    File = "sched.conf"           // up to 6.10
	FileRank     File = "schedulers/rank.conf" // 7.x
	FileMonitord File = "monitord.conf"        // 5.12 and later
)

// key is one setting in a range of releases.
type key struct {
	setting Setting
	file    File
	since   one.Version // the first release
	before  one.Version // the first release without it; the zero value for none
	// shipped is what the file has that OpenNebula ships, builtin what the daemon takes when the file does not have it.
	shipped, builtin int
}

// release is a version without a patch level.
func release(major, minor int) one.Version { return one.Version{Major: major, Minor: minor} }

// keys is the table of all settings. Sources, at the branches one-4.4 to one-7.4: src/scheduler/etc/sched.conf
// and src/scheduler/src/sched/SchedulerTemplate.cc (to 6.10); share/etc/oned.conf and
// src/nebula/NebulaTemplate.cc (to 5.12), src/template/OpenNebulaTemplate.cc (later);
// src/schedm_mad/remotes/rank/etc/rank.conf (7.x); src/monitor/etc/monitord.conf and
// src/monitor/src/monitor/MonitorConfigTemplate.cc (5.12 and later); src/im_mad/im_exec/one_im_exec.rb for
// the defaults of a driver's options. What is only a comment in the shipped file is built in.
func keys() []key {
	first, none := release(4, 4), one.Version{}
	parallel := release(6, 3)                                                                            // with the betas of 6.4
	planner, newSched, pool56, monitord := release(6, 99), release(5, 99), release(5, 5), release(5, 11) // with the betas of 7.0, 6.0, 5.6, 5.12
	return []key{
		{SchedInterval, FileSched, first, newSched, 30, 30},
		{SchedInterval, FileSched, newSched, planner, 15, 30},
		{MaxVM, FileSched, first, planner, 5000, 300},
		{MaxDispatch, FileSched, first, planner, 30, 30},
		{MaxHost, FileSched, first, planner, 1, 1},
		{LiveRescheds, FileSched, first, planner, 0, 0},
		{WindowTime, FileOned, planner, none, 10, 30},
		{WindowLength, FileOned, planner, none, 7, 7},
		{RetryTime, FileOned, planner, none, 60, 60},
		{ActionsPerHost, FileOned, planner, none, 1, 2},
		{ActionsPerCluster, FileOned, planner, none, 30, 10},
		{ActionTimeout, FileOned, planner, none, 300, 120},
		{LiveRescheds, FileOned, planner, none, 0, 0},
		{MaxHost, FileRank, planner, none, 1, 0},
		{VMThreads, FileOned, first, none, 15, 15},
		{VMParallel, FileOned, first, parallel, 0, 0},
		{VMParallel, FileOned, parallel, none, 1, 0},
		{ManagerTimer, FileOned, first, none, 15, 15},
		{OldInterval, FileOned, first, pool56, 60, 60},
		{HostInterval, FileOned, pool56, monitord, 180, 180},
		{HostsPerInterval, FileOned, first, monitord, 15, 15},
		{Push, FileOned, first, pool56, 20, 20},
		{Push, FileOned, pool56, monitord, 60, 20},
		{Retries, FileOned, first, monitord, 3, 0},
		{Threads, FileOned, first, monitord, 15, 15},
		{CommandTimeout, FileOned, pool56, monitord, 90, 0},
		{HostInterval, FileMonitord, monitord, none, 180, 180},
		{MonitordTimer, FileMonitord, monitord, none, 15, 15},
		{Beacon, FileMonitord, monitord, none, 30, 30},
		{SystemProbe, FileMonitord, monitord, none, 600, 600},
		{Retries, FileMonitord, monitord, none, 3, 0},
		{Threads, FileMonitord, monitord, none, 15, 15},
		{CommandTimeout, FileMonitord, monitord, none, 90, 0},
	}
}

// in reports whether a version has the setting.
func (k key) in(v one.Version) bool {
	return !v.Before(k.since.Major, k.since.Minor) && (k.before == one.Version{} || v.Before(k.before.Major, k.before.Minor))
}

// Origin says where a value comes from.
type Origin string

// The origins.
const (
	Configured Origin = "configured"   // it is in the file
	BuiltIn    Origin = "built_in"     // the file was read and does not have it
	Shipped    Origin = "shipped"      // the file could not be read: what OpenNebula ships is assumed
	ByOned     Origin = "told_by_oned" // of a running daemon, whose file may have been changed since it started
	Invalid    Origin = "invalid"      // the file has something that is no number; what is built in is assumed
)

// Value is a setting with its value.
type Value struct {
	Setting Setting `json:"setting"`
	Number  int     `json:"value"`
	File    File    `json:"file"`
	Origin  Origin  `json:"origin"`
}

// Settings are the settings of a cloud that decide how long VMs are down.
type Settings struct {
	Version one.Version
	Values  []Value // one for each setting that the release has, in the order of the table
}

// Get finds a setting; its zero value in a release that does not have it.
func (s Settings) Get(name Setting) Value {
	for _, v := range s.Values {
		if v.Setting == name {
			return v
		}
	}
	return Value{}
}

func (s Settings) number(name Setting) int { return s.Get(name).Number }

func (s Settings) seconds(name Setting) time.Duration { return s.Get(name).seconds() }

func (v Value) seconds() time.Duration { return time.Duration(v.Number) * time.Second }

// With gives the same settings with one changed.
func (s Settings) With(name Setting, n int, origin Origin) Settings {
	s.Values = slices.Clone(s.Values)
	for i, v := range s.Values {
		if v.Setting == name {
			s.Values[i].Number, s.Values[i].Origin = n, origin
		}
	}
	return s
}

// CleanupThreads is how many VMs of one host a driver of VMs cleans up at the same time: one, unless the
// driver has -p, which that of kvm has as shipped since 6.4 and no other (VirtualMachineDriver.rb,
// get_runable_action_single_host). driver is the VM_MAD of the host; "" is kvm.
func (s Settings) CleanupThreads(driver string) int {
	if driver != "" && driver != "kvm" || s.number(VMParallel) == 0 {
		return 1
	}
	return max(1, s.number(VMThreads))
}

// Plans reports whether oned has the scheduler make plans and carries them out (7.0 and later).
func (s Settings) Plans() bool { return s.Get(WindowTime) != Value{} }

// Beacons reports whether monitord watches hosts (5.12 and later); before, oned does.
func (s Settings) Beacons() bool { return s.Get(Beacon) != Value{} }

// Interval is the setting that says how long a host may be silent.
func (s Settings) Interval() Value { return cmp.Or(s.Get(HostInterval), s.Get(OldInterval)) }

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

// ShippedSettings are those of a release as OpenNebula ships it.
func ShippedSettings(v one.Version) Settings {
	s, _ := Read(v, func(File) ([]onedconf.Attribute, error) { return nil, fs.ErrNotExist })
	return s
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
