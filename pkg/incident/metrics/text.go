package metrics

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// exposition are the counters in the text format of Prometheus, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/). What is known is there from
// the beginning, with 0: else rate() would not see a counter go from nothing to 1.
func (s state) exposition() []byte {
	var b bytes.Buffer
	family(&b, "incidents_total", "counter", "Incidents that ended, by what they were about and how they ended.")
	pairs(&b, "incidents_total", [2]string{"kind", "status"}, s.Incidents, kinds(), statuses())
	family(&b, "vms_total", "counter", "VMs of incidents that ended, by what was to be done and what became of it.")
	pairs(&b, "vms_total", [2]string{"action", "result"}, s.VMs, actions(), results())
	family(&b, "step_seconds_total", "counter", "Seconds that each step of incidents took.")
	for _, step := range values(s.StepSeconds, steps()) {
		sample(&b, "step_seconds_total", number(s.StepSeconds[step]), "step", step)
	}
	family(&b, "step_count_total", "counter", "Incidents that had this step.")
	for _, step := range values(s.StepCount, steps()) {
		sample(&b, "step_count_total", whole(s.StepCount[step]), "step", step)
	}
	family(&b, "storm_holds_total", "counter", "Incidents that were held because many hosts had failed.")
	sample(&b, "storm_holds_total", whole(s.StormHolds))
	family(&b, "error_to_running_seconds", "histogram", "Seconds until a VM ran again: from when oned called its host failed, or from the begin of the incident of a VM.")
	for _, kind := range values(s.Running, kinds()) {
		s.Running[kind].samples(&b, "error_to_running_seconds", "kind", kind)
	}
	if len(s.LastIncident) > 0 {
		family(&b, "last_incident_timestamp_seconds", "gauge", "When the last incident ended, in Unix seconds.")
	}
	for _, kind := range slices.Sorted(maps.Keys(s.LastIncident)) { // 1970 would be a lie
		sample(&b, "last_incident_timestamp_seconds", number(s.LastIncident[kind]), "kind", kind)
	}
	return b.Bytes()
}

// prefix begins the names of all metrics.
const prefix = "one_ft_"

// family begins a metric.
func family(b *bytes.Buffer, name, kind, help string) {
	fmt.Fprintf(b, "# HELP %s%s %s\n# TYPE %s%s %s\n", prefix, name, help, prefix, name, kind)
}

// sample is a line with a value; labels are names and values.
func sample(b *bytes.Buffer, name, value string, labels ...string) {
	b.WriteString(prefix + name)
	for i := 0; i+1 < len(labels); i += 2 {
		separator := ","
		if i == 0 {
			separator = "{"
		}
		fmt.Fprintf(b, `%s%s="%s"`, separator, labels[i], escape(labels[i+1]))
	}
	if len(labels) > 0 {
		b.WriteString("}")
	}
	b.WriteString(" " + value + "\n")
}

// pairs are the samples of a counter with two labels.
func pairs(b *bytes.Buffer, name string, labels [2]string, counters map[string]map[string]uint64, first, second set) {
	for _, x := range values(counters, first) {
		for _, y := range values(counters[x], second) {
			sample(b, name, whole(counters[x][y]), labels[0], x, labels[1], y)
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

func whole(n uint64) string { return strconv.FormatUint(n, 10) }

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// escape is a value of a label as it stands between quotes.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s)
}
