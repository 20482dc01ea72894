package cloud

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"one-ft/pkg/one"
)

// hook is a hook object of 5.10 and newer. The cloud runs none: OnHostState
// and OnVMState say when one would run.
type hook struct {
	id       int
	name     string
	kind     string // "state" or "api"
	template map[string]string
}

// StateHook is a hook of 5.10 and newer for a state of a host or VM.
type StateHook struct {
	Resource   string // HOST or VM
	State, LCM string // in names; LCM for an ACTIVE VM
	Command    string
	Arguments  string
	OnStdin    bool
	Timeout    int // seconds, 0 for none
}

// StateHooks are the hooks of oned that wait for a state, the oldest first.
func (c *Cloud) StateHooks() (all []StateHook) {
	c.mu.Lock()
	defer c.unlock()
	for _, h := range c.hooks {
		if h.kind == "state" {
			timeout, _ := strconv.Atoi(h.template["TIMEOUT"]) // Ruby's to_i makes 0 of what is no number
			all = append(all, StateHook{Timeout: timeout, Resource: h.template["RESOURCE"], State: h.template["STATE"], LCM: h.template["LCM_STATE"],
				Command: h.template["COMMAND"], Arguments: h.template["ARGUMENTS"], OnStdin: strings.EqualFold(h.template["ARGUMENTS_STDIN"], "yes")})
		}
	}
	return all
}

// hookFor finds the hook of a call; only the administrator has rights on
// hooks.
func (c *Cloud) hookFor(r *request, id int, op string) (*hook, *answer) {
	at := slices.IndexFunc(c.hooks, func(h *hook) bool { return h.id == id })
	if at < 0 {
		a := r.missing("hook", id)
		return nil, &a
	}
	if r.uid != AdminID {
		a := r.denied(op, "HOOK", id)
		return nil, &a
	}
	return c.hooks[at], nil
}

// hookAllocate is one.hook.allocate(template).
func hookAllocate(c *Cloud, r *request) answer {
	if r.uid != AdminID {
		return r.failure(codeAuthorization, fmt.Sprintf("User [%d] : Not authorized to perform CREATE HOOK .", r.uid))
	}
	t, err := parseTemplate(r.str(0))
	if err != nil {
		return r.failure(codeInternal, "Parse error: "+err.Error())
	}
	h := &hook{id: c.nextHook, name: t["NAME"], kind: strings.ToLower(t["TYPE"]), template: t}
	for _, other := range c.hooks {
		if other.name == h.name {
			return r.failure(codeInternal, fmt.Sprintf("NAME is already taken by Hook %d.", other.id))
		}
	}
	delete(t, "NAME")
	delete(t, "TYPE")
	if text := h.check(); text != "" {
		return r.failure(codeInternal, text)
	}
	if _, ok := t["REMOTE"]; !ok {
		t["REMOTE"] = "NO"
	}
	c.nextHook++
	c.hooks = append(c.hooks, h)
	return success(h.id)
}

// check completes a hook's template and says what is wrong with it; "" is
// well (src/hm/Hook.cc, HookStateHost.cc, HookStateVM.cc of 5.10.5).
func (h *hook) check() string {
	switch {
	case h.name == "":
		return "No NAME in template for Hook."
	case h.template["COMMAND"] == "":
		return "No COMMAND in template for Hook."
	case h.kind != "state" && h.kind != "api":
		return "No TYPE or invalid one in template for Hook."
	case h.kind == "api":
		return ""
	}
	h.template["RESOURCE"] = strings.ToUpper(h.template["RESOURCE"])
	switch h.template["RESOURCE"] {
	case "HOST":
		return h.checkHost()
	case "VM":
		return h.checkVM()
	default:
		return "Invalid resource type: " + h.template["RESOURCE"]
	}
}

// checkHost checks the STATE of a host hook.
func (h *hook) checkHost() string {
	for s := one.HostInit; s <= one.HostOffline; s++ {
		if strings.EqualFold(s.String(), h.template["STATE"]) {
			h.template["STATE"] = s.String()
			return ""
		}
	}
	return "Invalid STATE: " + h.template["STATE"]
}

// checkVM turns ON of a VM hook into STATE and LCM_STATE.
func (h *hook) checkVM() string {
	on := strings.ToUpper(h.template["ON"])
	delete(h.template, "ON")
	known := map[string]state{
		"PROLOG": active(one.Prolog), "RUNNING": active(one.Running), "SHUTDOWN": active(one.Epilog),
		"STOP": {vm: one.Stopped}, "DONE": {vm: one.Done}, "UNKNOWN": active(one.Unknown),
	}
	if s, ok := known[on]; ok {
		h.template["STATE"], h.template["LCM_STATE"] = s.vm.String(), s.lcm.String()
		return ""
	}
	if on != "CUSTOM" {
		return "Unkown state condition: " + on
	}
	if !knownName(h.template["STATE"], one.Init, one.CloningFailure) || h.template["STATE"] == one.Failed.String() {
		return "Wrong STATE: " + h.template["STATE"]
	}
	if !knownName(h.template["LCM_STATE"], one.LCMInit, one.Restore) {
		return "Wrong LCM_STATE: " + h.template["LCM_STATE"]
	}
	return ""
}

// knownName reports whether a name is that of a state from first to last.
func knownName[S interface {
	~int
	String() string
}](name string, first, last S) bool {
	for s := first; s <= last; s++ {
		if s.String() == name {
			return true
		}
	}
	return false
}

// hookInfo is one.hook.info(id).
func hookInfo(c *Cloud, r *request) answer {
	h, bad := c.hookFor(r, r.int(0), opUse)
	if bad != nil {
		return *bad
	}
	return success(h.xml(true))
}

// hookUpdate is one.hook.update(id, text, append).
func hookUpdate(c *Cloud, r *request) answer {
	h, bad := c.hookFor(r, r.int(0), opManage)
	if bad != nil {
		return *bad
	}
	return c.updateTemplate(r, &h.template, h.id)
}

// hookDelete is one.hook.delete(id).
func hookDelete(c *Cloud, r *request) answer {
	h, bad := c.hookFor(r, r.int(0), opManage)
	if bad != nil {
		return *bad
	}
	c.hooks = slices.DeleteFunc(c.hooks, func(other *hook) bool { return other == h })
	return success(h.id)
}

// hookPoolInfo is one.hookpool.info(who, from, to).
func hookPoolInfo(c *Cloud, r *request) answer {
	var b xmlBuffer
	b.open("HOOK_POOL")
	if r.uid == AdminID {
		for _, h := range slices.Backward(c.hooks) {
			b.WriteString(h.xml(false))
		}
	}
	b.end("HOOK_POOL")
	return success(b.String())
}

// xml writes a hook; pools have no execution log.
func (h *hook) xml(withLog bool) string {
	var b xmlBuffer
	b.open("HOOK")
	b.number("ID", int64(h.id))
	b.text("NAME", h.name)
	b.text("TYPE", h.kind)
	b.open("TEMPLATE")
	b.attributes(h.template, nil)
	b.end("TEMPLATE")
	if withLog {
		b.ids("HOOKLOG", nil)
	}
	b.end("HOOK")
	return b.String()
}
