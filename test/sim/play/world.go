package play

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// world is a scenario that is being played.
type world struct {
	scenario  Scenario
	spec      *spec
	dir       string
	cloud     *cloud.Cloud
	frontEnds []*frontEnd
	nodes     []*node
	log       *log
	audit     *audit
	ctx       context.Context // ends with the scenario
	wait      sync.WaitGroup
	undone    []func() // take back what was done to oned
	processes atomic.Int64
	confirmed atomic.Bool // an admin has said that a host is off

	mu       sync.Mutex
	bmcs     map[string]string // how each device is
	alive    map[string]bool   // hosts of which the second opinion says so
	thinks   time.Duration     // how long it takes
	down     bool              // oned is stopped
	problems []string
}

// Result is what a scenario came to.
type Result struct {
	Log      string   // what was decided and done, and the state in the end
	Output   string   // what commands of an admin printed: the words are for people
	Problems []string // broken promises, and what could not be played
	Audits   int      // how often the promises were looked at
	Calls    int      // that processes of one-ft made
	// Forgotten are VMs that are still on a failed host, or failed, without a word in any journal.
	Forgotten []string
}

// Run plays a scenario on a family of versions, in the bubble of testing/synctest that it is
// called in. Files are made below dir, which has to be empty. The error says what is wrong with the
// scenario.
func Run(s Scenario, family, dir string) (Result, error) {
	ctx, end := context.WithCancel(context.Background())
	defer end()
	w, err := newWorld(ctx, s, family, dir)
	if err != nil {
		return Result{}, err
	}
	defer w.cloud.Close()
	for _, n := range w.nodes {
		n.boot()
	}
	w.cloud.OnHostState(w.hostChanged)
	w.cloud.OnVMState(w.vmChanged)
	if w.spec.timer > 0 {
		for _, f := range w.frontEnds {
			f.tick(w.spec.timer)
		}
	}
	if w.spec.watch {
		for _, f := range w.frontEnds {
			f.watch()
		}
	}
	if err := w.timeLine(); err != nil {
		w.finish(end)
		return Result{}, err
	}
	final, forgotten := w.final(), w.forgotten()
	w.finish(end)
	w.audit.end()
	for _, f := range w.frontEnds {
		if err := w.log.readTools(f.name, filepath.Join(f.root, "var")); err != nil {
			w.problem("%v", err)
		}
	}
	calls, audits := w.audit.counts()
	return Result{Output: w.log.printed(w.clean), Log: w.log.lines(w.clean) + final, Problems: w.problems, Audits: audits, Calls: calls, Forgotten: forgotten}, nil
}

// newWorld makes the cloud, the front-ends and the hosts of a scenario; the caller closes the cloud.
func newWorld(ctx context.Context, s Scenario, family, dir string) (*world, error) {
	w := &world{scenario: s, dir: dir, ctx: ctx, bmcs: map[string]string{}, alive: map[string]bool{}}
	var err error
	if w.spec, err = newSpec(family, s.Config, s.Cloud); err != nil {
		return nil, err
	}
	w.spec.cloud.FailFast = w.failsFast
	if w.cloud, err = cloud.New(w.spec.cloud); err != nil {
		return nil, err
	}
	w.log = &log{began: time.Now(), old: w.old()}
	w.audit = newAudit(w)
	for i := range w.spec.frontEnds {
		f, err := w.newFrontEnd(i)
		if err != nil {
			w.cloud.Close()
			return nil, err
		}
		w.frontEnds = append(w.frontEnds, f)
	}
	for _, h := range w.spec.cloud.Hosts {
		failed := h.State.Failed()
		w.nodes = append(w.nodes, &node{world: w, id: h.ID, power: !failed, network: !failed, booted: time.Now(), cutFrom: map[string]bool{}, dark: map[string]bool{},
			programs: newPrograms(w.spec.machines[h.ID]), disks: map[int][]string{}, detach: map[string]bool{}})
	}
	return w, nil
}

// timeLine lets happen what the scenario says.
func (w *world) timeLine() error {
	for _, e := range w.scenario.Events {
		sleep(w.ctx, time.Until(w.log.began.Add(e.At)))
		synctest.Wait() // what was to happen by now has happened
		if e.Text == "end" {
			break
		}
		w.log.add(rankEvent, "*", -1, "%s", e.Text)
		switch err := w.happen(e.Text); {
		case err != nil && w.scenario.Lenient:
			w.log.add(rankEvent, "*", -1, "which cannot happen: %v", err)
		case err != nil:
			return fmt.Errorf("%s %s: %w", short(e.At), e.Text, err)
		}
		synctest.Wait()
		w.audit.look()
	}
	w.audit.look()
	return nil
}

// finish ends everything.
func (w *world) finish(end func()) {
	for _, f := range w.frontEnds {
		f.mu.Lock()
		f.manager = false
		f.mu.Unlock()
	}
	end()
	w.wait.Wait()
}

// old reports whether oned calls hooks itself.
func (w *world) old() bool { return strings.HasPrefix(w.spec.cloud.Version, "4.") }

func (w *world) node(id int) *node { return w.nodes[id] }

func (w *world) onedDown() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.down
}

// problem notes what must not be.
func (w *world) problem(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := fmt.Sprintf("%s  %s", clock(time.Since(w.log.began)), fmt.Sprintf(format, args...))
	if !slices.Contains(w.problems, text) {
		w.problems = append(w.problems, text)
	}
}

// must notes an error that cannot be.
func (w *world) must(err error) {
	if err != nil {
		w.problem("%v", err)
	}
}

// machineName is that of the one that plays the scenario.
var machineName = regexp.MustCompile(`Front-end: [^ ]+`)

// searched are the directories in which agents are looked for, which are others on each machine.
var searched = regexp.MustCompile(`in /usr/sbin:/sbin:\S*`)

// clean makes a text the same each time it is played, and fit for a line.
func (w *world) clean(who, text string) string {
	for _, f := range w.frontEnds {
		for k := f.kills; k >= 0; k-- {
			root := filepath.Join(w.dir, f.name)
			if k > 0 {
				root += fmt.Sprintf("-%d", k)
			}
			text = strings.ReplaceAll(text, root+"/", f.name+":")
		}
	}
	text = strings.ReplaceAll(text, w.dir+"/", "")
	if u, err := user.Current(); err == nil {
		text = strings.ReplaceAll(text, "user "+u.Username+" ", "user oneadmin ")
	}
	text = strings.ReplaceAll(text, fmt.Sprintf("pid %d", os.Getpid()), "pid N")
	text = searched.ReplaceAllString(text, "in PATH")
	text = machineName.ReplaceAllString(text, "Front-end: N")
	return w.sameNumbers(who, text)
}

// numberOf is the number of an incident in a text, and of which front-end it is when it says so.
var numberOf = regexp.MustCompile(`incident (\d+)(?: of front-end ([A-D]))?|(?:front_end=([A-D])\S* )?(?:number|incident)=(\d+)|oneft (?:resume|incidents show) (\d+)`)

// sameNumbers replaces the numbers of incidents by what they would be if those that began at the
// same moment had begun in the order of their hosts. who begins with the front-end.
func (w *world) sameNumbers(who, text string) string {
	return numberOf.ReplaceAllStringFunc(text, func(found string) string {
		m := numberOf.FindStringSubmatch(found)
		name := m[2] + m[3]
		if name == "" {
			name, _, _ = strings.Cut(who, " ")
		}
		digits := m[1] + m[4] + m[5]
		n, err := strconv.Atoi(digits)
		f := w.frontEnd(name)
		if err != nil || f == nil {
			return found
		}
		if same, known := f.numbers()[n]; known {
			return strings.Replace(found, digits, strconv.Itoa(same), 1)
		}
		return found
	})
}

// hostChanged logs what oned makes of a host, and has its hooks called as oned of the version
// does: on each failed cycle up to 5.8, later once.
func (w *world) hostChanged(e cloud.HostEvent) {
	switch {
	case e.State == one.HostError && !e.Prev.Failed(), e.State == one.HostMonitored && !e.Prev.Back(), e.State.SetByAdmin() && !polled(e.Prev, e.State):
		w.log.add(rankOned, "oned", -1, "host%d is %s", e.Host.ID, e.State)
	}
	w.audit.look()
	if e.State != one.HostError || !w.old() && e.Prev.Failed() {
		return
	}
	w.callHooks("host_error", e.Host.ID)
}

// polled reports whether a disabled host is only being monitored: 4.4 and 5.10 show that.
func polled(a, b one.HostState) bool {
	disabled := func(s one.HostState) bool { return s == one.HostDisabled || s == one.HostMonitoringDisabled }
	return disabled(a) && disabled(b)
}

// vmChanged logs where a VM has come to, and has its hooks called.
func (w *world) vmChanged(e cloud.VMEvent) {
	state, where := e.State.String(), ""
	if e.State == one.Active {
		state = e.LCM.String()
	}
	failed := e.State == one.Failed || strings.HasSuffix(state, "_FAILURE")
	if n := len(e.VM.History); n > 0 && (e.State == one.Active || e.State == one.Poweroff || e.State == one.Suspended) {
		where = fmt.Sprintf(" on host%d", e.VM.History[n-1].HostID)
	}
	switch {
	case failed, e.LCM == one.Unknown, e.State == one.Done, e.State == one.Poweroff, e.State == one.Suspended:
		w.log.add(rankOned, "oned", e.VM.ID, "%s%s", state, where)
	case e.LCM == one.Running && e.PrevState == one.Active && e.PrevLCM != one.Running:
		w.log.add(rankOned, "oned", e.VM.ID, "%s%s", state, where)
	}
	w.audit.vmChanged(e)
	w.audit.look()
	switch {
	case failed:
		w.callHooks("vm_failure", e.VM.ID)
	case e.LCM == one.Unknown && e.State == one.Active:
		w.callHooks("vm_unknown", e.VM.ID)
	}
}

// admin runs a tool by hand on a terminal, and waits for its end in the background.
func (w *world) admin(f *frontEnd, words []string) error { return w.byPerson(f, words, true) }

// byPerson runs a tool by hand, from a script when there is no terminal.
func (w *world) byPerson(f *frontEnd, words []string, terminal bool) error {
	if len(words) == 0 {
		return errors.New("which command?")
	}
	w.wait.Go(func() {
		p := f.start(words[0], words[1:], "", terminal)
		<-p.done
		if !p.dead.Load() {
			p.ended(rankEnd, false)
		}
	})
	return nil
}
