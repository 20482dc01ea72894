package lab

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"one-ft/pkg/one"
	"one-ft/pkg/text"
	"one-ft/test/sim/cloud"
)

// stateName is the state of a VM in one word.
func stateName(vm one.VMState, lcm one.LCMState) string {
	if vm == one.Active {
		return lcm.String()
	}
	return vm.String()
}

// find finds the one object of that ID or name.
func find[T any](what string, list []T, word string, id func(T) int, name func(T) string) (T, error) {
	var found []T
	n, err := strconv.Atoi(word)
	for _, o := range list {
		if err == nil && id(o) == n {
			return o, nil
		}
		if name(o) == word {
			found = append(found, o)
		}
	}
	var none T
	switch len(found) {
	case 0:
		return none, Usagef("no %s has the ID or name %q", what, word)
	case 1:
		return found[0], nil
	}
	return none, Usagef("%d %ss have the name %q: give the ID", len(found), what, word)
}

// findHost finds a host by ID or name.
func findHost(list []cloud.Host, word string) (cloud.Host, error) {
	return find("host", list, word, func(h cloud.Host) int { return h.ID }, func(h cloud.Host) string { return h.Name })
}

// findVM finds a VM by ID or name.
func findVM(list []cloud.VM, word string) (cloud.VM, error) {
	return find("VM", list, word, func(v cloud.VM) int { return v.ID }, func(v cloud.VM) string { return v.Name })
}

// hostTable shows the hosts, with what really runs there.
func (l *Lab) hostTable() [][]string {
	vms := map[int][]int{}
	for _, v := range l.cloud.VMs() {
		if on, ok := placeOf(v); ok {
			vms[on] = append(vms[on], v.ID)
		}
	}
	rows := [][]string{{"ID", "NAME", "STATE", "VMS", "REALLY RUNNING THERE"}}
	for _, h := range l.cloud.Hosts() {
		rows = append(rows, []string{strconv.Itoa(h.ID), h.Name, h.State.String(), numbers(vms[h.ID]), numbers(l.cloud.Guests(h.ID))})
	}
	return rows
}

// vmTable shows the VMs: where oned has them, and where they really run.
func (l *Lab) vmTable() [][]string {
	names, runs := map[int]string{}, map[int][]string{}
	for _, h := range l.cloud.Hosts() {
		names[h.ID] = h.Name
		for _, id := range l.cloud.Guests(h.ID) {
			runs[id] = append(runs[id], h.Name)
		}
	}
	rows := [][]string{{"ID", "NAME", "STATE", "HOST", "REALLY RUNS ON", "HOSTS BEFORE"}}
	for _, v := range l.cloud.VMs() {
		on, before := "-", v.History
		if id, ok := placeOf(v); ok {
			on, before = names[id], before[:len(before)-1]
		}
		var stays []string
		for _, r := range before {
			stays = append(stays, names[r.HostID])
		}
		rows = append(rows, []string{
			strconv.Itoa(v.ID), v.Name, stateName(v.State, v.LCM), on, list(runs[v.ID]), list(stays),
		})
	}
	return rows
}

// callTable shows what the cloud was asked; whoever asked is known already.
func callTable(calls []cloud.Call) [][]string {
	rows := [][]string{{"TIME", "METHOD", "ARGUMENTS", "ANSWER"}}
	for _, c := range calls {
		method, answer := c.Method, "ok"
		if method == "" {
			method = "(no XML-RPC call)"
		}
		switch {
		case c.BytesOut < 0:
			answer = "connection broken"
		case !c.OK:
			answer = fmt.Sprintf("%d %s", c.Code, c.Text)
		}
		var args []string
		for _, a := range c.Args {
			text := fmt.Sprint(a)
			if s, ok := a.(string); ok {
				// A string always becomes JSON.
				quoted, _ := json.Marshal(s)
				text = string(quoted)
			}
			args = append(args, short(text))
		}
		rows = append(rows, []string{c.At.Format("15:04:05.000"), method, strings.Join(args, " "), short(answer)})
	}
	return rows
}

// short cuts what would not fit on a line.
func short(s string) string { return text.Short(s, 120) }

// numbers writes IDs.
func numbers(ids []int) string {
	var words []string
	for _, id := range slices.Sorted(slices.Values(ids)) {
		words = append(words, strconv.Itoa(id))
	}
	return list(words)
}

// list writes words, "-" for none.
func list(words []string) string {
	if len(words) == 0 {
		return "-"
	}
	return strings.Join(words, " ")
}
