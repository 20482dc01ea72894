package downtime

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Text says what a host that fails so looks like.
func (f Failure) Text() string {
	return cmp.Or(map[Failure]string{
		Silent:      "off, same network",
		Dropped:     "off, routed or filtered",
		Unreachable: "off, a router answers for it",
		Refused:     "off, connections are refused",
		Frozen:      "frozen: the kernel answers, no process does",
		NoSSHD:      "only sshd is dead",
		NoLibvirtd:  "only libvirtd is dead",
	}[f], string(f))
}

// Text says what is done in a stage.
func (k StageKind) Text() string {
	return cmp.Or(map[StageKind]string{
		StageDetection:  "oned notices (ERROR)",
		StageWatch:      "the host is watched",
		StageOpinion:    "second opinion",
		StageGuard:      "storm guard",
		StageProof:      "fencing",
		StageCleanup:    "oned's clean-up",
		StageScheduling: "scheduler",
		StageProlog:     "disks (prolog)",
		StageBoot:       "boot",
	}[k], string(k))
}

// Text names the lever in a few words.
func (k LeverKind) Text() string {
	return cmp.Or(map[LeverKind]string{
		LeverFailFast:       "ssh that fails fast",
		LeverConnectTimeout: "ConnectTimeout of ssh",
		LeverInterval:       "the monitoring interval",
		LeverSystemProbe:    "SYSTEM_HOST",
		LeverMaxHost:        "MAX_HOST",
		LeverMaxDispatch:    "MAX_DISPATCH",
		LeverSchedInterval:  "SCHED_INTERVAL",
		LeverPlace:          "place: true",
		LeverFencing:        "fencing",
		LeverFenceFirst:     "fence_first: true",
		LeverProof:          "shorter time-outs of fencing",
	}[k], string(k))
}

// Place is where an admin finds the files, for words.
type Place struct {
	Etc    string // directory of OpenNebula's configuration
	Config string // of one-ft
	// OldUnits: one service runs oned and the scheduler (up to 4.14).
	OldUnits bool
}

// restart is what makes a daemon read its file again; "" when it reads it each time.
func (p Place) restart(f File) string {
	switch {
	case f == FileRank:
		return "" // the scheduler is a program that oned runs for each plan
	case f == FileSched && !p.OldUnits:
		return "systemctl restart opennebula-scheduler"
	}
	return "systemctl restart opennebula"
}

// Text is what an admin has to do.
func (l Lever) Text(p Place) string {
	switch l.Kind {
	case LeverFailFast:
		return "let ssh to a host that is proven off fail at once: oneft hooks install --ssh"
	case LeverConnectTimeout:
		return l.timeoutText()
	case LeverFencing:
		return "configure fencing for this host: without a proof that it is off no clean-up is ended; see fence in " + p.Config
	case LeverFenceFirst:
		return "fence_first: true in " + p.Config + ", or a smaller -p in the hook: fence the host instead of watching it"
	case LeverProof:
		return "shorter timeout and fewer attempts under fence in " + p.Config
	case LeverPlace:
		return "place: true in " + p.Config + ": one-ft deploys the VMs instead of waiting for the scheduler"
	}
	var parts, restarts []string
	for _, c := range l.Changes {
		name, _, _ := strings.Cut(string(c.Setting), " (")
		parts = append(parts, fmt.Sprintf("%s = %s (now %s) in %s", name, c.Value, c.Now, filepath.Join(p.Etc, string(c.File))))
		if r := p.restart(c.File); r != "" && !slices.Contains(restarts, r) {
			restarts = append(restarts, r)
		}
	}
	text := strings.Join(parts, ", ")
	if len(restarts) > 0 {
		text += "; then " + strings.Join(restarts, " and ")
	}
	return text
}

// timeoutText says where a ConnectTimeout is to be written: oneft hooks install leaves one that is set.
func (l Lever) timeoutText() string {
	const user = "of the user that oned runs as"
	set, now := "ConnectTimeout "+strconv.Itoa(int(goodConnectTimeout.Seconds())), ""
	if len(l.Changes) > 0 {
		now = l.Changes[0].Now
	}
	switch now {
	case "":
		return set + " in the ssh configuration " + user + ": oneft hooks install --ssh"
	case noTimeout:
		return set + " for all hosts at the end of ~/.ssh/config " + user + ": it is set for other hosts, and not for this one"
	}
	return fmt.Sprintf("%s (now %s) where ssh %s has it from: ~/.ssh/config, a file that it includes, or /etc/ssh/ssh_config", set, now, user)
}

// Text says what was assumed instead of a setting. It may hold text of the file: make it printable.
func (p Problem) Text(at Place) string {
	path := filepath.Join(at.Etc, string(p.File))
	const shipped = "; the settings that OpenNebula ships are assumed"
	switch p.Kind {
	case FileMissing:
		return path + " is not there" + shipped
	case ValueInvalid:
		return fmt.Sprintf("%s in %s is %q, which is no sensible number; OpenNebula's default is assumed", p.Setting, path, p.Detail)
	case FileSyntax:
		return fmt.Sprintf("%s has an error (%s)%s", path, p.Detail, shipped)
	}
	return fmt.Sprintf("%s cannot be read (%s)%s", path, p.Detail, shipped)
}
