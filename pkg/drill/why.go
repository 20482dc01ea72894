package drill

import (
	"fmt"
	"slices"

	"one-ft/pkg/drill/requirement"
)

// why says why an item is placed nowhere.
func (t *trial) why(it *item) string {
	for _, r := range append(slices.Clone(it.rules), it.stores...) {
		if r.err == requirement.ErrSyntax {
			return "the scheduler cannot read its requirements"
		}
	}
	service, large, meets, both, stores := 0, 0, 0, 0, 0
	for i := range t.f.hosts {
		h := &t.f.hosts[i]
		if !h.service || i == t.dead {
			continue
		}
		service++
		h.state = &t.start
		room := t.start.cpu[i] >= it.cpu && t.start.memory[i] >= it.memory
		match := t.f.meets(it, h) != requirement.No
		_, verdict := t.f.store(it, i, &t.start)
		for _, c := range []struct {
			is    bool
			count *int
		}{{room, &large}, {match, &meets}, {room && match, &both}, {room && match && verdict != requirement.No, &stores}} {
			if c.is {
				*c.count++
			}
		}
	}
	switch {
	case service == 0:
		return "no other host is in service"
	case meets == 0:
		return "no other host meets its requirements"
	case large == 0:
		return fmt.Sprintf("no other host has %s free", size(it.cpu, it.memory))
	case both == 0:
		return fmt.Sprintf("of the %d hosts that meet its requirements none has %s free", meets, size(it.cpu, it.memory))
	case stores == 0:
		return fmt.Sprintf("no system datastore has %d MB for it, or meets its requirements", it.disk)
	}
	return "the other VMs take the room that it needs"
}

// size is CPU and memory in words.
func size(cpu, memory int64) string {
	return fmt.Sprintf("%.2f CPU and %s", float64(cpu)/100, memoryText(memory))
}

// memoryText is memory in kB in words.
func memoryText(kb int64) string {
	if kb >= 10<<20 || kb <= -10<<20 {
		return fmt.Sprintf("%.1f GB", float64(kb)/(1<<20))
	}
	return fmt.Sprintf("%d MB", kb>>10)
}
