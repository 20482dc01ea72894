package metrics

import (
	"maps"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/promtext"
)

// histogram counts observations in buckets.
type histogram struct {
	// Buckets are how many were at most a bound and more than the bound before it, by the bound as its label says it:
	// not yet added up as they are for Prometheus.
	Buckets map[string]uint64 `json:"buckets"`
	// Sum is that of all observations.
	Sum float64 `json:"sum"`
}

// bounds are the upper ends of the buckets, in seconds:
//   - 5 and 10: ssh to the host fails at once, and the scheduler places the VM in the same moment
//     (7.x, or place: true); a clean-up that is ended takes 1.1 s
//   - 15 to 60: one to four rounds of the scheduler as shipped up to 6.10 (SCHED_INTERVAL 15, one VM
//     per host and round); the first VM ran after 15 s, the fifth after 45 s
//   - 90 and 150: 40 VMs on 4 hosts (150 s), a clean-up over the same network (3 s a command)
//   - 300 and 600: a clean-up whose packets are dropped (404 s: three commands of 135 s), and the
//     time-out that the executables have as shipped
//   - 1200 to 3600: clean-ups that wait for the 15 threads of the driver, no room, and what an
//     operator had to solve
//
// The times were measured on 6.10 with real drivers and a host that was off.
var bounds = []float64{5, 10, 15, 30, 45, 60, 90, 150, 300, 600, 1200, 1800, 3600}

const (
	// infinite is the label of the bucket of all that took longer.
	infinite = "+Inf"
	// maxCount bounds a bucket of a damaged file, so that their sum is a number.
	maxCount = uint64(1e15)
)

// observe counts one.
func (h histogram) observe(seconds float64) histogram {
	label := infinite
	if i, _ := slices.BinarySearch(bounds, seconds); i < len(bounds) {
		label = promtext.Number(bounds[i])
	}
	if h.Buckets = maps.Clone(h.Buckets); h.Buckets == nil {
		h.Buckets = map[string]uint64{}
	}
	if sum := h.Sum + seconds; sum <= maxSeconds && h.Buckets[label] < maxCount {
		h.Buckets[label]++
		h.Sum = sum
	}
	return h
}

// samples are its lines. Buckets of Prometheus have all that is at most their bound.
func (h histogram) samples(t *promtext.Text, name string, label ...string) {
	n := 0.0
	bucket := func(bound string) {
		n += float64(h.Buckets[bound])
		t.Sample(name+"_bucket", n, append(slices.Clone(label), "le", bound)...)
	}
	for _, bound := range bounds {
		bucket(promtext.Number(bound))
	}
	bucket(infinite)
	t.Sample(name+"_sum", h.Sum, label...)
	t.Sample(name+"_count", n, label...)
}

// runningSeconds are how long it took until each VM ran that an incident brought there: from when oned called the
// host failed, else from the begin of the incident. A clock that was set back makes 0. VMs without a way, of one-ft
// without it, are left out.
func runningSeconds(r incident.Record) []float64 {
	from := r.Began
	if r.Host != nil && !r.Host.Failed.IsZero() {
		from = r.Host.Failed
	}
	starts := set{"recreate", "resume, then recreate", "resched", "migrate", "recover failure", "retry", "boot"}
	var all []float64
	for _, vm := range r.VMs {
		if !slices.Contains(starts, vm.Action) || vm.Result != "done" && vm.Result != "unproven" {
			continue
		}
		for i := len(vm.Path) - 1; i > 0; i-- { // it was planned in the first
			if vm.Path[i].State == "RUNNING" { // as oned names it
				all = append(all, max(0, vm.Path[i].At.Sub(from).Seconds()))
				break
			}
		}
	}
	return all
}

// exposition are the counters for Prometheus. What is known is there from the beginning, with 0: else rate() would
// not see a counter go from nothing to 1.
func (s state) exposition() []byte {
	var t promtext.Text
	const incidents, vms = "one_ft_incidents_total", "one_ft_vms_total"
	t.Family(incidents, "counter", "Incidents that ended, by what they were about and how they ended.")
	pairs(&t, incidents, [2]string{"kind", "status"}, s.Incidents, kinds(), statuses())
	t.Family(vms, "counter", "VMs of incidents that ended, by what was to be done and the result.")
	pairs(&t, vms, [2]string{"action", "result"}, s.VMs, actions(), results())

	const seconds, count = "one_ft_step_seconds_total", "one_ft_step_count_total"
	t.Family(seconds, "counter", "Seconds that each step of incidents took.")
	for _, step := range values(s.StepSeconds, steps()) {
		t.Sample(seconds, s.StepSeconds[step], "step", label(step))
	}
	t.Family(count, "counter", "Incidents that had this step.")
	for _, step := range values(s.StepCount, steps()) {
		t.Sample(count, float64(s.StepCount[step]), "step", label(step))
	}

	const holds, running, last = "one_ft_storm_holds_total", "one_ft_error_to_running_seconds", "one_ft_last_incident_timestamp_seconds"
	t.Family(holds, "counter", "Incidents that were held because many hosts had failed.")
	t.Sample(holds, float64(s.StormHolds))
	const silent = "one_ft_silent_hosts_total"
	t.Family(silent, "counter", "Hosts that oneft watch told of: they did not answer, and oned called them MONITORED.")
	t.Sample(silent, float64(s.SilentHosts))
	t.Family(running, "histogram", "Seconds until a VM ran again: from when oned called its host failed, or from the begin of the incident of a VM.")
	for _, kind := range values(s.Running, kinds()) {
		s.Running[kind].samples(&t, running, "kind", label(kind))
	}
	if len(s.LastIncident) > 0 {
		t.Family(last, "gauge", "When the last incident ended, in Unix seconds.")
	}
	for _, kind := range values(s.LastIncident, kinds()) {
		if at, known := s.LastIncident[kind]; known { // 1970 would be a lie
			t.Sample(last, at, "kind", label(kind))
		}
	}
	if s.Swept != nil {
		s.Swept.samples(&t)
	}
	return t.Bytes()
}

// samples are what the last run of oneft resume has seen. Alerts are made of them: scripts/prometheus/one-ft.rules.yaml.
func (s Swept) samples(t *promtext.Text) {
	const at, now, since = "one_ft_sweep_timestamp_seconds", "one_ft_now", "one_ft_now_since_timestamp_seconds"
	const left, marks = "one_ft_left_to_operator", "one_ft_fail_fast_hosts"
	t.Family(at, "gauge", "When oneft resume last looked at hosts, VMs and incidents, in Unix seconds.")
	t.Sample(at, unix(s.At))
	states := []struct {
		name string
		Now
	}{{"open", s.Open}, {"held", s.Held}, {"following", s.Following}, {"quarantined", s.Quarantined}}
	t.Family(now, "gauge", "Incidents that are open, that are held because of a storm or the like, or that follow VMs on their way; hosts out of scheduling.")
	for _, state := range states {
		t.Sample(now, float64(state.Count), "state", state.name)
	}
	t.Family(since, "gauge", "When the oldest of those began, in Unix seconds; 0 without one.")
	for _, state := range states {
		t.Sample(since, unix(state.Since), "state", state.name)
	}
	t.Family(left, "gauge", "Hosts and VMs that failed and are left to an operator.")
	t.Sample(left, float64(s.LeftHosts), "kind", "host")
	t.Sample(left, float64(s.LeftVMs), "kind", "VM")
	t.Family(marks, "gauge", "Hosts to which ssh of this front-end fails at once, because they were proven off.")
	t.Sample(marks, float64(s.Marks))
}

// unix is a time in Unix seconds; 0 for none.
func unix(at time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return float64(at.UnixMilli()) / 1000
}

// pairs are the samples of a counter with two labels.
func pairs(t *promtext.Text, name string, labels [2]string, counters map[string]map[string]uint64, first, second set) {
	for _, x := range values(counters, first) {
		for _, y := range values(counters[x], second) {
			t.Sample(name, float64(counters[x][y]), labels[0], label(x), labels[1], label(y))
		}
	}
}

// values are the known values of a label, and other if it was counted.
func values[V any](counted map[string]V, known set) []string {
	all := slices.Clone(known)
	if _, found := counted[other]; found {
		all = append(all, other)
	}
	return all
}

// label is a value of the journal as a label in snake_case, such as resume_then_recreate. The file of counters has
// the value itself, as it always had.
func label(value string) string {
	return strings.NewReplacer(", ", "_", " ", "_", "-", "_").Replace(value)
}
