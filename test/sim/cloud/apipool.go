package cloud

import (
	"slices"
	"strconv"
	"strings"

	"one-ft/pkg/one"
)

// Filters of one.vmpool.info: whose VMs (include/RequestManagerPoolInfoFilter.h)
// and in what state.
const (
	whoAll     = -2
	whoLowest4 = -3 // MINE, 4.x
	whoLowest  = -4 // GROUP, 5.x and newer

	anyState = -2
	notDone  = -1
)

// vmPoolInfo is one.vmpool.info(who, from, to, state[, query]): full bodies in
// 4.4, short ones later.
func vmPoolInfo(c *Cloud, r *request) answer {
	return c.vmPool(r, c.fam < f58)
}

// vmPoolInfoExtended is one.vmpool.infoextended, the same with full bodies.
func vmPoolInfoExtended(c *Cloud, r *request) answer { return c.vmPool(r, true) }

// vmPool answers a pool call.
func (c *Cloud) vmPool(r *request, full bool) answer {
	who, start, end, wanted := r.int(0), r.int(1), r.int(2), r.int(3)
	// 4.4 compares with FAILED, the highest number of the states it knew first:
	// POWEROFF and UNDEPLOYED cannot be asked for.
	lowest, highest := whoLowest4, one.Failed
	switch {
	case c.fam == f414:
		highest = one.Undeployed
	case c.fam >= f54:
		lowest, highest = whoLowest, one.CloningFailure
	}
	searches := c.fam >= f58 && r.str(4) != "" // older ones do not look at it
	switch {
	case searches && c.fam < f610:
		return r.failure(codeInternal, "Full text search is not supported by the SQL backend")
	case searches:
		return r.failure(codeInternal, "JSON query search is not supported by the SQL backend")
	case (wanted < anyState || wanted > int(highest)) && c.fam == f74:
		return r.failure(codeAPI, "Incorrect state filter "+strconv.Itoa(wanted))
	case wanted < anyState || wanted > int(highest):
		return r.failure(codeAPI, "Incorrect filter_flag, state")
	case who < lowest:
		return r.failure(codeAPI, "Incorrect filter_flag")
	}
	var ids []int
	for _, id := range c.vmIDs {
		v := c.vms[id]
		if c.visible(r, v, who) && inState(v, wanted) {
			ids = append(ids, id)
		}
	}
	return c.vmPoolXML(c.page(ids, start, end), full)
}

// visible reports whether a user sees a VM with a filter. An ordinary user
// never sees the VMs of others.
func (c *Cloud) visible(r *request, v *vm, who int) bool {
	if r.uid != AdminID && v.UID != r.uid {
		return false
	}
	return who == whoAll || v.UID == r.uid && who < 0 || v.UID == who
}

// inState reports whether a VM passes the state filter.
func inState(v *vm, wanted int) bool {
	switch wanted {
	case anyState:
		return true
	case notDone:
		return v.State != one.Done
	default:
		return int(v.State) == wanted
	}
}

// page puts IDs in the order of the version and takes the part that was asked
// for: a range of IDs, or from 5.x on, with an end below -1, so many from an
// offset.
func (c *Cloud) page(ids []int, start, end int) []int {
	if c.fam >= f58 {
		slices.Reverse(ids)
	}
	if c.fam >= f414 && end < -1 {
		start = min(max(start, 0), len(ids))
		return ids[start:min(start-end, len(ids))]
	}
	return slices.DeleteFunc(ids, func(id int) bool { return id < start || end != -1 && id > end })
}

// vmPoolXML writes VMs with their last history record.
func (c *Cloud) vmPoolXML(ids []int, full bool) answer {
	var b xmlBuffer
	b.open("VM_POOL")
	for _, id := range ids {
		v := c.vms[id]
		if full {
			b.WriteString(c.fullVMXML(v, v.History[max(len(v.History)-1, 0):]))
		} else {
			b.WriteString(c.shortVMXML(v))
		}
	}
	b.end("VM_POOL")
	return success(b.String())
}

// vmPoolInfoSet is one.vmpool.infoset("1,2,3", extended). Words that are no
// IDs and IDs that do not exist are skipped, DONE VMs are not.
func vmPoolInfoSet(c *Cloud, r *request) answer {
	var ids []int
	for word := range strings.SplitSeq(r.str(0), ",") {
		id, err := strconv.Atoi(strings.TrimSpace(word))
		if v, ok := c.vms[id]; err == nil && ok && c.visible(r, v, whoAll) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return c.vmPoolXML(c.page(slices.Compact(ids), -1, -1), r.bool(1))
}
