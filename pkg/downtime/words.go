package downtime

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// String is a Span in words, such as "2m36s to 3m21s".
func (s Span) String() string {
	low, high := short(s.Low), short(s.High)
	switch {
	case s.Never():
		return "never"
	case !s.Bounded() && s.Low == 0:
		return "no limit"
	case !s.Bounded():
		return low + " or more, no limit"
	case low == high:
		return low
	case s.Low < time.Second:
		return "up to " + high
	}
	return low + " to " + high
}

// short is a time in words: tenths below ten seconds, whole seconds above, and no zeros: 10m, not 10m0s.
func short(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	text := d.Round(time.Second).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if rest, found := strings.CutSuffix(text, zero); found {
			text = rest + zero[:1]
		}
	}
	return text
}

// Text says what a host that fails so looks like.
func (f Failure) Text() string {
	switch f {
	case Silent:
		return "off, same network"
	case Dropped:
		return "off, routed or filtered"
	case Unreachable:
		return "off, a router answers for it"
	case Refused:
		return "off, connections are refused"
	case Frozen:
		return "frozen: the kernel answers, no process does"
	case NoSSHD:
		return "only sshd is dead"
	case NoLibvirtd:
		return "only libvirtd is dead"
	}
	return string(f)
}

// Text says what is done in a stage.
func (k StageKind) Text() string {
	switch k {
	case StageDetection:
		return "oned notices (ERROR)"
	case StageWatch:
		return "the host is watched"
	case StageOpinion:
		return "second opinion"
	case StageGuard:
		return "storm guard"
	case StageProof:
		return "fencing"
	case StageCleanup:
		return "oned's clean-up"
	case StageScheduling:
		return "scheduler"
	case StageProlog:
		return "disks (prolog)"
	case StageBoot:
		return "boot"
	}
	return string(k)
}

// Text names the lever in a few words.
func (k LeverKind) Text() string {
	switch k {
	case LeverFailFast:
		return "ssh that fails fast"
	case LeverConnectTimeout:
		return "ConnectTimeout of ssh"
	case LeverInterval:
		return "the monitoring interval"
	case LeverSystemProbe:
		return "SYSTEM_HOST"
	case LeverMaxHost:
		return "MAX_HOST"
	case LeverMaxDispatch:
		return "MAX_DISPATCH"
	case LeverSchedInterval:
		return "SCHED_INTERVAL"
	case LeverPlace:
		return "place: true"
	case LeverFencing:
		return "fencing"
	case LeverFenceFirst:
		return "fence_first: true"
	case LeverProof:
		return "shorter time-outs of fencing"
	}
	return string(k)
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
	var parts []string
	restarts := map[string]bool{}
	var then []string
	for _, c := range l.Changes {
		name, _, _ := strings.Cut(string(c.Setting), " (")
		parts = append(parts, fmt.Sprintf("%s = %s (now %s) in %s", name, c.Value, c.Now, filepath.Join(p.Etc, string(c.File))))
		if r := p.restart(c.File); r != "" && !restarts[r] {
			restarts[r], then = true, append(then, r)
		}
	}
	text := strings.Join(parts, ", ")
	if len(then) > 0 {
		text += "; then " + strings.Join(then, " and ")
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
func (b Problem) Text(p Place) string {
	path := filepath.Join(p.Etc, string(b.File))
	switch b.Kind {
	case FileMissing:
		return fmt.Sprintf("%s is not there; the settings that OpenNebula ships are assumed", path)
	case ValueInvalid:
		return fmt.Sprintf("%s in %s is %q, which is no sensible number; OpenNebula's default is assumed", b.Setting, path, b.Detail)
	case FileSyntax:
		return fmt.Sprintf("%s has an error (%s); the settings that OpenNebula ships are assumed", path, b.Detail)
	}
	return fmt.Sprintf("%s cannot be read (%s); the settings that OpenNebula ships are assumed", path, b.Detail)
}
