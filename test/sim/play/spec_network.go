package play

import (
	"fmt"
	"strings"
	"time"

	"one-ft/test/sim/cloud"
)

// networkStatement reads a line about ssh, the drivers, the monitoring or the scheduler; known is false
// for any other line.
func (s *spec) networkStatement(words []string) (known bool, err error) {
	value := words[len(words)-1]
	begins := func(text string) bool {
		return strings.HasPrefix(strings.Join(words, " ")+" ", text+" ") && len(words) == len(strings.Fields(text))+1
	}
	switch {
	case begins("network"):
		return true, s.setNetwork(value)
	case begins("clean-ups hang"):
		s.cloud.CleanUpsHang, err = cloud.ParseShare(value)
		return true, err
	case begins("host message"):
		return true, duration(words[2:], &s.cloud.HostMessage)
	case strings.Join(words, " ") == "scheduler as shipped":
		s.cloud.ShippedScheduler = true
		return true, nil
	case begins("scheduler's word after"):
		return true, duration(words[3:], &s.cloud.SchedWord)
	case begins("ssh fail-fast"):
		s.noFailFast = value == "off"
		if value != "off" && value != "on" {
			err = fmt.Errorf("on or off")
		}
		return true, err
	case begins("ssh connect-timeout"):
		return true, duration(words[2:], &s.cloud.ConnectTimeout)
	case strings.Join(words, " ") == "ssh through a jump host":
		s.jump = true
		return true, nil
	case begins("hosts are monitored over"):
		return true, duration(words[4:], &s.cloud.Stagger)
	case begins("seed"):
		return true, number(words[1:], &s.cloud.Seed)
	}
	return false, nil
}

// setNetwork reads "network local". A real network comes with what monitord and hosts of the release do.
func (s *spec) setNetwork(word string) error {
	networks := map[string]cloud.Network{"instant": "", "local": cloud.Local, "routed": cloud.Routed}
	n, known := networks[word]
	if !known {
		return fmt.Errorf("network %q: known are local, routed and instant", word)
	}
	s.cloud.Network, s.cloud.HostMessage = n, systemHost
	if n == "" {
		s.cloud.HostMessage = 0
	}
	return nil
}

// systemHost is the time between two SYSTEM_HOST messages (PROBES_PERIOD in monitord.conf, 6.0 to 7.4).
const systemHost = 10 * time.Minute
