package lab

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// lookEvery is how often the lab looks for marks while ssh of its drivers connects.
const lookEvery = 50 * time.Millisecond

// marked reports whether ssh to a host fails at once: one-ft has marked the host as off, in its state directory
// below that of the lab, and the time that the mark has is not over (pkg/failfast). In a real cloud ssh itself asks.
func (l *Lab) marked(name string) bool {
	if name == "" || strings.ContainsAny(name, "/'") {
		return false
	}
	info, err := os.Stat(filepath.Join(l.dir, "var", "one-ft", "off", name))
	return err == nil && info.ModTime().After(time.Now())
}

// endMarked ends what connects to marked hosts until the lab stops. one-ft does that in a real cloud; here the ssh of the
// drivers are no processes that it could find.
func (l *Lab) endMarked() {
	for tick := time.NewTicker(lookEvery); ; {
		select {
		case <-l.ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		for _, s := range l.cloud.SSHs("") {
			if l.marked(s.Host) {
				l.cloud.EndMaster(s.Host)
				l.cloud.KillSSH(s.ID)
			}
		}
	}
}
