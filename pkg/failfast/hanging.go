package failfast

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// monitoringDriver begins the name of the program that starts the monitoring of hosts over ssh (one_im_ssh, one_im_exec.rb:
	// src/im_mad and src/monitor, 4.4 to 7.4).
	monitoringDriver = "one_im_"
	// longestStart is longer than any ssh of it lasts that ends: 135 s where packets are dropped, 40 s more behind a stale master
	// (measured on 6.10), and what the probes take.
	longestStart = 10 * time.Minute
)

// Hanging gives the ssh processes of the monitoring driver that are older than they can be: they wait forever for what a frozen
// host says first. Each keeps one of the 15 threads of the driver (measured on 6.10), and oned begins another one every 300 s.
func (c Client) Hanging(now time.Time) ([]Process, error) {
	all, err := c.Machine.Processes(c.User.UID)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(all), func(p Process) bool {
		return p.Since.IsZero() || now.Sub(p.Since) <= longestStart || len(p.Args) == 0 || filepath.Base(p.Args[0]) != "ssh" || !ofMonitoring(p, all)
	}), nil
}

// ofMonitoring reports whether a process descends from the monitoring driver.
func ofMonitoring(p Process, all []Process) bool {
	for range len(all) {
		i := slices.IndexFunc(all, func(o Process) bool { return o.PID == p.Parent })
		if i < 0 {
			return false
		}
		p = all[i]
		if slices.ContainsFunc(p.Args, func(word string) bool { return strings.HasPrefix(filepath.Base(word), monitoringDriver) }) {
			return true
		}
	}
	return false
}

// PIDs are the numbers of processes.
func PIDs(all []Process) (pids []string) {
	for _, p := range all {
		pids = append(pids, strconv.Itoa(p.PID))
	}
	return pids
}
