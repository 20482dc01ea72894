package cloud

import "context"

// Ended is how a command of a driver ended that Config.Command ran.
type Ended string

// The ends.
const (
	Succeeded  Ended = "succeeded"
	Failed     Ended = "failed"
	BrokenPipe Ended = "broken_pipe" // the thread of the driver died with it: oned waits for ever
)

// run has Config.Command run a command. The end of the action ends it.
func (c *Cloud) run(s *sshCommand) {
	ctx, cancel := context.WithCancel(context.Background())
	s.end, s.tries = cancel, s.since
	what := s.seen()
	go func() {
		ended := c.cfg.Command(ctx, what)
		c.mu.Lock()
		defer c.unlock()
		s.broke = ended == BrokenPipe
		c.endSSH(s, ended == Succeeded)
	}()
}

// seen is a command as SSHs shows it.
func (s *sshCommand) seen() SSH {
	return SSH{ID: s.id, Host: s.host.Name, VM: s.action.vm.ID, Command: s.step().command, Since: s.since}
}
