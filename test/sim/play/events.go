package play

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// happening is a sentence of the time line and what it does.
type happening struct {
	pattern *regexp.Regexp
	do      func(w *world, m []string) error
}

// happenings are all sentences. H stands for one or more hosts, F for a front-end, V for VMs, D
// for a device.
func happenings() []happening {
	var all []happening
	for _, group := range [][]sentence{hostSentences(), frontEndSentences(), onedSentences(), vmSentences(), pathSentences(), otherSentences()} {
		for _, s := range group {
			pattern := strings.NewReplacer("<H>", `(host\d+(?: host\d+)*)`, "<F>", `([A-D])`, "<V>", `([\d,-]+)`, "<D>", `((?:bmc|strip|sbd|outlet[12])-host\d+)`,
				"<N>", `(\d+)`, "<T>", `(\S+)`, "<*>", `(.+)`).Replace(s.text)
			all = append(all, happening{regexp.MustCompile("^" + pattern + "$"), s.do})
		}
	}
	return all
}

// sentence is a happening as the table has it.
type sentence struct {
	text string
	do   func(w *world, m []string) error
}

// happen does what a line of the time line says.
func (w *world) happen(text string) error {
	for _, h := range happenings() {
		if m := h.pattern.FindStringSubmatch(text); m != nil {
			return h.do(w, m[1:])
		}
	}
	return fmt.Errorf("no such event; see the tables in test/sim/play/events.go")
}

// each does something with hosts, one shortly after the other: nothing happens at the very same
// moment in a cloud.
func (w *world) each(names string, do func(n *node)) error {
	for i, name := range strings.Fields(names) {
		id, err := w.spec.hostID(name)
		if err != nil {
			return err
		}
		if i > 0 {
			sleep(w.ctx, 41*time.Millisecond)
		}
		do(w.node(id))
	}
	return nil
}

func hostSentences() []sentence {
	hosts := func(do func(w *world, n *node)) func(*world, []string) error {
		return func(w *world, m []string) error { return w.each(m[0], func(n *node) { do(w, n) }) }
	}
	state := func(s one.HostState) func(w *world, n *node) {
		return func(w *world, n *node) { w.must(w.cloud.SetHostState(n.id, s)) }
	}
	return []sentence{
		{"<H> loses? power", hosts(func(_ *world, n *node) { n.powerOff("") })},
		{"<H> loses? (?:its|their) network", hosts(func(_ *world, n *node) { n.cut() })},
		{"<H> (?:is|are) cut off", hosts(func(_ *world, n *node) { n.cut() })},
		{"<H> (?:is|are) frozen", hosts(func(_ *world, n *node) { n.freeze() })},
		{"<H> (?:is|are) reachable again", hosts(func(_ *world, n *node) { n.reconnect() })},
		{"<H> dies?, and (?:its|their) router says so", hosts(func(w *world, n *node) {
			n.powerOff("")
			w.must(w.cloud.KillHost(n.id, cloud.Unreachable))
		})},
		{"the monitoring of <H> breaks", hosts(func(w *world, n *node) { w.must(w.cloud.KillHost(n.id, cloud.Unmonitored)) })},
		{"the monitoring of <H> works again", hosts(func(w *world, n *node) { w.reach(n) })},
		{"<H> (?:has|have) a persistent connection", hosts(func(w *world, n *node) { w.must(w.cloud.LeaveMaster(n.id)) })},
		{"<H> boots? without (?:its|their) network", hosts(func(_ *world, n *node) { n.wake() })},
		{"<H> (?:is|are) back", hosts(func(_ *world, n *node) { n.heal() })},
		{"an admin disables <H>", hosts(state(one.HostDisabled))},
		{"an admin enables <H>", func(w *world, m []string) error {
			client, err := w.byHandClient()
			if err != nil {
				return err
			}
			unknown := w.each(m[0], func(n *node) { // since 6.2 a disabled host is MONITORED at once, whatever it does
				err = errors.Join(err, client.SetSchedulable(w.ctx, n.id, true))
			})
			return errors.Join(unknown, err)
		}},
		{"an admin sets <H> offline", hosts(state(one.HostOffline))},
		{"guests of <H> cannot be stopped", hosts(func(_ *world, n *node) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.stuck = true
		})},
		{"guests of <H> ignore SIGTERM", hosts(func(_ *world, n *node) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.deaf = true
		})},
		{"(libvirt|virtqemud|libvirtd|lxc-stop) of <H> (hangs|ends)", func(w *world, m []string) error {
			how := map[string]string{"hangs": programHangs, "ends": programEnded}[m[2]]
			return w.each(m[1], func(n *node) { machine{n}.set(m[0], how) })
		}},
		{"host_isolated of <H> is killed", hosts(func(_ *world, n *node) {
			n.mu.Lock()
			defer n.mu.Unlock()
			if n.stop != nil {
				n.stop()
			}
		})},
		{"host_isolated of <H> starts", hosts(func(_ *world, n *node) { n.watch() })},
		{"the second opinion says that <H> is alive", hosts(func(w *world, n *node) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.alive[n.name()] = true
		})},
		{"the second opinion takes <T>", func(w *world, m []string) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			d, err := time.ParseDuration(m[0])
			w.thinks = d
			return err
		}},
		{"the hook of <H> is called again", hosts(func(w *world, n *node) { w.callHooks("host_error", n.id) })},
		{"<D> (works|lies|is unreachable|refuses the password|is late|hangs|fails once|loses its power with the host|holds an old off)", func(w *world, m []string) error {
			w.setBMC(m[0], m[1])
			return nil
		}},
	}
}

func frontEndSentences() []sentence {
	front := func(do func(w *world, f *frontEnd) error) func(*world, []string) error {
		return func(w *world, m []string) error {
			f := w.frontEnd(m[0])
			if f == nil {
				return fmt.Errorf("there is no front-end %s", m[0])
			}
			return do(w, f)
		}
	}
	set := func(f *frontEnd, do func()) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		do()
		return nil
	}
	return []sentence{
		{"front-end <F> loses its network", front(func(w *world, f *frontEnd) error {
			set(f, func() { f.network = false })
			w.reach(w.nodes...)
			return nil
		})},
		{"front-end <F> has its network back", front(func(w *world, f *frontEnd) error {
			set(f, func() { f.network = true })
			w.reach(w.nodes...)
			return nil
		})},
		{"front-end <F> dies", front(func(_ *world, f *frontEnd) error {
			f.kill()
			f.oned.SetDown(true)
			return set(f, func() { f.dead = true })
		})},
		{"front-end <F> comes back", front(func(_ *world, f *frontEnd) error {
			f.oned.SetDown(false)
			f.begin()
			return set(f, func() { f.dead = false })
		})},
		{"front-end <F> becomes leader", front(func(w *world, f *frontEnd) error { return w.lead(f) })},
		{"there is no leader", func(w *world, _ []string) error {
			for _, f := range w.frontEnds {
				w.setRole(f, cloud.Candidate)
			}
			return nil
		}},
		{"all processes of <F> are killed", front(func(_ *world, f *frontEnd) error { f.kill(); return nil })},
		{"all processes of <F> are told to end", front(func(w *world, f *frontEnd) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.end()
			f.renew()
			return nil
		})},
		{"the hook manager of <F> stops", front(func(_ *world, f *frontEnd) error { return set(f, func() { f.manager = false }) })},
		{"the hook manager of <F> starts", front(func(_ *world, f *frontEnd) error { return set(f, func() { f.manager = true }) })},
		{"the disk of <F> takes no writes", front(func(_ *world, f *frontEnd) error { return f.brokenDisk() })},
		{"the state directory of <F> is lost", front(func(_ *world, f *frontEnd) error {
			return errors.Join(os.RemoveAll(filepath.Join(f.root, "var", "one-ft")), f.nameAgain())
		})},
		{"the configuration of <F> is broken", front(func(_ *world, f *frontEnd) error {
			return os.WriteFile(filepath.Join(f.root, "etc", "one-ft.yaml"), []byte("fencing: perhaps\n"), 0o600)
		})},
		{"the configuration of <F> is mended", front(func(w *world, f *frontEnd) error {
			return os.WriteFile(filepath.Join(f.root, "etc", "one-ft.yaml"), []byte(w.scenario.Config), 0o600)
		})},
		{"the password of <F> is not valid any more", front(func(_ *world, f *frontEnd) error {
			return os.WriteFile(filepath.Join(f.root, "auth", "one"), []byte("oneadmin:expired\n"), 0o600)
		})},
		{"the password of <F> is renewed", front(func(_ *world, f *frontEnd) error {
			return os.WriteFile(filepath.Join(f.root, "auth", "one"), []byte("oneadmin:opennebula\n"), 0o600)
		})},
		{"one-ft of <F> is replaced by an older one", front(func(_ *world, f *frontEnd) error { return f.newerRecords() })},
		{"the records of <F> are of a later version", front(func(_ *world, f *frontEnd) error { return f.laterVersion() })},
		{"the journal of <F> is damaged", front(func(_ *world, f *frontEnd) error { return f.damage() })},
		{"on <F> an admin runs <*>", func(w *world, m []string) error {
			f := w.frontEnd(m[0])
			if f == nil {
				return fmt.Errorf("there is no front-end %s", m[0])
			}
			words, err := fields(m[1])
			return errors.Join(err, w.admin(f, words))
		}},
		{"a script runs <*>", func(w *world, m []string) error { // without a terminal
			words, err := fields(m[0])
			return errors.Join(err, w.byPerson(w.frontEnds[0], words, false))
		}},
		{"an admin runs <*>", func(w *world, m []string) error {
			words, err := fields(m[0])
			return errors.Join(err, w.admin(w.frontEnds[0], words))
		}},
	}
}

func onedSentences() []sentence {
	inject := func(rules func(m []string) []cloud.Rule) func(*world, []string) error {
		return func(w *world, m []string) error {
			for _, r := range rules(m) {
				w.undo(w.cloud.Inject(r))
			}
			return nil
		}
	}
	each := func(change func(*cloud.Rule)) []cloud.Rule {
		var all []cloud.Rule
		for _, method := range []string{"one.vm.recover", "one.vm.action"} {
			r := cloud.Rule{Method: method, ID: -1}
			change(&r)
			all = append(all, r)
		}
		return all
	}
	return []sentence{
		{"oned stops", func(w *world, _ []string) error { return w.setDown(true) }},
		{"oned starts", func(w *world, _ []string) error { return w.setDown(false) }},
		{"oned begins to shut down", func(w *world, _ []string) error { w.cloud.SetShuttingDown(true); return nil }},
		{"oned begins to write halfway", func(w *world, _ []string) error { w.cloud.SetHalfWriting(true); return nil }},
		{"the scheduler stops", func(w *world, _ []string) error { w.cloud.SetScheduler(false); return nil }},
		{"the scheduler starts", func(w *world, _ []string) error { w.cloud.SetScheduler(true); return nil }},
		{"oned takes <T> for each call", inject(func(m []string) []cloud.Rule {
			d, _ := time.ParseDuration(m[0])
			return []cloud.Rule{{ID: -1, Delay: d}}
		})},
		{"oned resets all connections", inject(func([]string) []cloud.Rule { return []cloud.Rule{{ID: -1, DropBefore: true}} })},
		{"oned answers with internal errors", inject(func([]string) []cloud.Rule {
			return []cloud.Rule{{ID: -1, Refuse: &cloud.Refusal{Code: 8192, Text: "Internal error: database is locked"}}}
		})},
		{"oned refuses the password", inject(func([]string) []cloud.Rule {
			return []cloud.Rule{{ID: -1, Refuse: &cloud.Refusal{Code: 256, Text: "User couldn't be authenticated, aborting call."}}}
		})},
		{"oned answers HTTP 503", inject(func([]string) []cloud.Rule { return []cloud.Rule{{ID: -1, Status: 503}} })},
		{"oned answers with broken XML", inject(func([]string) []cloud.Rule { return []cloud.Rule{{ID: -1, Truncate: 120}} })},
		{"the answers of the next <N> actions are lost", inject(func(m []string) []cloud.Rule {
			return each(func(r *cloud.Rule) { fmt.Sscan(m[0], &r.Times); r.DropAfter = true })
		})},
		{"the next <N> actions are accepted and forgotten", inject(func(m []string) []cloud.Rule {
			return each(func(r *cloud.Rule) { fmt.Sscan(m[0], &r.Times); r.Lose = true })
		})},
		{"the next <N> actions are refused with an internal error", inject(func(m []string) []cloud.Rule {
			return each(func(r *cloud.Rule) {
				fmt.Sscan(m[0], &r.Times)
				r.Refuse = &cloud.Refusal{Code: 8192, Text: "Internal error"}
			})
		})},
		{"the next <N> actions are refused: (.+)", inject(func(m []string) []cloud.Rule {
			return each(func(r *cloud.Rule) {
				fmt.Sscan(m[0], &r.Times)
				r.Refuse = &cloud.Refusal{Code: 512, Text: m[1]}
			})
		})},
		{"the pool of VMs holds bad UTF-8", inject(func([]string) []cloud.Rule {
			bad := func(b []byte) []byte {
				return []byte(strings.Replace(string(b), "&lt;NAME&gt;vm", "&lt;NAME&gt;\xff\xfe\x01vm", 1))
			}
			return []cloud.Rule{{Method: "one.vmpool.info", ID: -1, Mangle: bad}, {Method: "one.vmpool.infoset", ID: -1, Mangle: bad}, {Method: "one.vm.info", ID: -1, Mangle: bad}}
		})},
		{"the pool of hosts holds bad UTF-8", inject(func([]string) []cloud.Rule {
			return []cloud.Rule{{Method: "one.hostpool.info", ID: -1, Mangle: func(b []byte) []byte {
				return []byte(strings.Replace(string(b), "&lt;NAME&gt;host", "&lt;NAME&gt;\xff\xfe\x01host", -1))
			}}}
		})},
		{"the pool of VMs cannot be read", inject(func([]string) []cloud.Rule {
			return []cloud.Rule{{Method: "one.vmpool.info", ID: -1, Truncate: 300}, {Method: "one.vmpool.infoset", ID: -1, Truncate: 300}}
		})},
		{"oned is as before", func(w *world, _ []string) error {
			for _, back := range w.undone {
				back()
			}
			w.undone = nil
			return nil
		}},
	}
}

func vmSentences() []sentence {
	vms := func(do func(w *world, id int, m []string) error) func(*world, []string) error {
		return func(w *world, m []string) error {
			ids, err := numbers(m[0])
			for i, id := range ids {
				if i > 0 {
					sleep(w.ctx, 43*time.Millisecond)
				}
				err = errors.Join(err, do(w, id, m[1:]))
			}
			return err
		}
	}
	change := func(f func(v *cloud.VM, m []string) error) func(*world, []string) error {
		return vms(func(w *world, id int, m []string) (err error) {
			return errors.Join(w.cloud.UpdateVM(id, func(v *cloud.VM) { err = f(v, m) }), err)
		})
	}
	return []sentence{
		{"vms? <V> crash(?:es)?", vms(func(w *world, id int, _ []string) error { return w.cloud.CrashVM(id) })},
		{"vms? <V> (?:is|are) in <T>", change(func(v *cloud.VM, m []string) error { return setState(v, m[0]) })},
		{"monitoring finds vms? <V> (off|suspended)", vms(func(w *world, id int, m []string) error {
			return w.cloud.RestVM(id, map[string]one.VMState{"off": one.Poweroff, "suspended": one.Suspended}[m[0]])
		})},
		{"the owner of vms? <V> asks for (terminate|poweroff|suspend|stop|undeploy)", vms(func(w *world, id int, m []string) error {
			if m[0] == "terminate" && w.old() {
				m[0] = "shutdown"
			}
			return w.cloud.Ask(m[0], id)
		})},
		{"the owner of vm <V> migrates it live to <H>", vms(func(w *world, id int, m []string) error {
			host, err := w.spec.hostID(m[0])
			return errors.Join(err, w.cloud.MigrateLive(id, host))
		})},
		{"vms? <V> fails?", func(w *world, m []string) error {
			return change(func(v *cloud.VM, _ []string) error { return fail(v, w.old()) })(w, m)
		}},
		{"the image of vms? <V> is (broken|unbootable|good)", change(func(v *cloud.VM, m []string) error {
			v.PrologFails, v.BootFails = m[0] == "broken", m[0] == "unbootable"
			return nil
		})},
		{"the owner of vms? <V> sets <T>=<T>", change(func(v *cloud.VM, m []string) error { v.UserTemplate[m[0]] = m[1]; return nil })},
		{"an admin (recreates|deletes|boots|resumes) vms? <V>", func(w *world, m []string) error {
			ids, err := numbers(m[1])
			for _, id := range ids {
				err = errors.Join(err, w.byHand(m[0], id))
			}
			return err
		}},
		{"the scheduler moves vms? <V> to <H>", vms(func(w *world, id int, m []string) error {
			host, err := w.spec.hostID(m[0])
			if err != nil {
				return err
			}
			return w.cloud.UpdateVM(id, func(v *cloud.VM) {
				now := time.Now().Unix()
				v.State, v.LCM = one.Active, one.Running
				v.History = append(v.History, cloud.Record{Seq: len(v.History), HostID: host, STime: now, PSTime: now, PETime: now, RSTime: now})
			})
		})},
	}
}

func otherSentences() []sentence {
	return []sentence{
		{"the tools agree that <H> is (clear|storm|ebbing|young|settling|answers|nowhere|unknown|held)", func(w *world, m []string) error {
			host, err := w.spec.hostID(m[0])
			if err == nil {
				w.wait.Go(func() { w.agree(w.frontEnds[0], host, m[1]) })
			}
			return err
		}},
		{"look", func(w *world, _ []string) error {
			for _, line := range w.places() {
				w.log.add(rankEnd, "now", -1, "%s", line)
			}
			return nil
		}},
	}
}
