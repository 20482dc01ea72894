package metrics

import (
	"slices"
	"strings"

	"one-ft/pkg/promtext"
)

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
	return t.Bytes()
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
