package downtime

import "time"

// Detection is how long it takes until a host that failed is ERROR.
//
// monitord (5.12 and later; src/monitor/src/monitor/HostMonitorManager.cc): a host that sent no beacon for
// MONITORING_INTERVAL_HOST has its monitoring restarted at the next tick of MANAGER_TIMER, by two ssh
// commands in a row (HostSyncManager of src/im_mad/im_exec), which the -w of the driver does not bound.
// Measured with 6.10: no ARP 34 s with an interval of 20 s, so 155 to 200 s as shipped; dropped 290 s, so
// 420 to 465 s; with ConnectTimeout 5 33 to 45 s, so 160 to 205 s; frozen, or sshd dead: never; libvirtd
// dead: 136 s, at most the 600 s of SYSTEM_HOST.
//
// oned (4.4 to 5.10; src/im/InformationManager.cc, src/mad/ruby/CommandManager.rb; read, not measured): a
// host that pushed nothing for the interval is asked over ssh, at the next tick; a command that fails is
// repeated -r times, a second apart, and from 5.6 on ends after the -w of the driver, even on a frozen host.
// A probe that fails, such as that of a dead libvirtd, makes the next push an error.
func Detection(s Settings, f Failure, ssh SSH) Span {
	sign, probe, tick := s.seconds(Beacon), s.seconds(SystemProbe), s.seconds(MonitordTimer)
	if !s.Beacons() {
		sign, probe, tick = s.seconds(Push), s.seconds(Push), s.seconds(ManagerTimer)
	}
	switch f {
	case NoSSHD:
		return Never() // signs of life go on
	case NoLibvirtd:
		return Span{0, probe}
	}
	interval := s.Interval().seconds()
	silence := Span{max(0, interval-sign), add(interval, tick)}
	restart := s.restart(f, ssh)
	if left := ShippedKeepAlive - silence.Low; left > 0 && s.Beacons() {
		// A master from before may still be there: 77 s with an interval of 20 s.
		restart.High = add(restart.High, left)
	}
	return silence.Plus(restart)
}

// restart is how long it takes until the monitoring that oned or monitord restarts has failed.
func (s Settings) restart(f Failure, ssh SSH) Span {
	command := ssh.Command(f)
	if s.Beacons() {
		return command.Times(2)
	}
	if limit := s.seconds(CommandTimeout); limit > 0 {
		command = Span{min(command.Low, limit), min(command.High, limit)}
	}
	retries := s.number(Retries)
	return command.Times(retries + 1).Plus(Span{time.Second, time.Second}.Times(retries))
}

// seconds is a setting as a time.
func (s Settings) seconds(name Setting) time.Duration {
	v, _ := s.Get(name)
	return v.seconds()
}

func (v Value) seconds() time.Duration { return time.Duration(v.Number) * time.Second }
