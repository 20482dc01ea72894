package cloud

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"
)

// The ordinary user, as in the recorded clouds.
const (
	aliceName    = "alice"
	aliceSession = aliceName + ":secret"
)

// method is a call of the API.
type method struct {
	old   string // its name in the texts of 4.4, "" when 4.4 has no such call
	args  string // kinds of the arguments after the session: s, i or b
	extra string // kinds of further arguments that may be left out
	admin string // the same, looked at only when the administrator calls
	run   func(c *Cloud, r *request) answer
}

// request is one call while it is executed.
type request struct {
	name string // as texts have it: "HostInfo" in 4.4, "one.host.info" later
	uid  int
	args []any // after the session, checked
}

// int, str and bool give an argument that was checked; the zero value when it
// was left out.
func (r *request) int(i int) int {
	if i < len(r.args) {
		n, _ := r.args[i].(int)
		return n
	}
	return 0
}

func (r *request) str(i int) string {
	if i < len(r.args) {
		s, _ := r.args[i].(string)
		return s
	}
	return ""
}

func (r *request) bool(i int) bool {
	if i < len(r.args) {
		b, _ := r.args[i].(bool)
		return b
	}
	return false
}

// failure answers an error with the call's name before the text.
func (r *request) failure(code int, text string) answer {
	return failure(code, "["+r.name+"] "+text)
}

// missing answers that an object does not exist.
func (r *request) missing(what string, id int) answer {
	a := r.failure(codeNoExists, fmt.Sprintf("Error getting %s [%d].", what, id))
	if id < 0 {
		a = r.failure(codeNoExists, fmt.Sprintf("Error getting %s Pool.", what))
	}
	a.obj = max(id, -1)
	return a
}

// denied answers that the user may not do op (USE, MANAGE, ADMIN) to an object.
func (r *request) denied(op, what string, id int) answer {
	return r.failure(codeAuthorization,
		fmt.Sprintf("User [%d] : Not authorized to perform %s %s [%d].", r.uid, op, what, id))
}

// serveCall answers the body of a POST, with the rules that were injected.
func (c *Cloud) serveCall(ctx context.Context, body []byte, remote string) (reply, error) {
	call := Call{At: time.Now(), Remote: remote, BytesOut: -1}
	name, params, err := decodeCall(body)
	if err != nil {
		return c.finishCall(call, parseFault(err), nil)
	}
	call.Method = name
	if len(params) > 0 {
		call.Args = params[1:]
	}
	rules := c.matching(call)
	for _, r := range rules {
		if r.Hook != nil {
			r.Hook(call)
		}
	}
	for _, r := range rules {
		if !wait(ctx, c.closed, r.Delay) {
			c.record(call)
			return reply{}, endOf(ctx)
		}
		if r.DropBefore {
			c.record(call)
			return reply{}, errReset
		}
	}
	if c.isDown() {
		c.record(call)
		return reply{}, errReset
	}
	instead := ruled(rules, call.Args)
	switch {
	case instead.page != nil:
		call.BytesOut = len(instead.page.body)
		c.record(call)
		return *instead.page, nil
	case instead.answer != nil:
		return c.finishCall(call, *instead.answer, rules)
	}
	result := c.execute(name, params)
	if result.hang {
		c.record(call)
		select {
		case <-ctx.Done():
		case <-c.closed:
		}
		return reply{}, endOf(ctx)
	}
	return c.finishCall(call, result, rules)
}

// finishCall logs a call with its answer and makes the answer's body.
func (c *Cloud) finishCall(call Call, a answer, rules []Rule) (reply, error) {
	call.OK, call.Code, call.Text = a.code == 0, a.code, a.text
	out := reply{status: 200, body: a.encode(c.fam), cut: -1, mime: "text/xml; charset=utf-8"}
	for _, r := range rules {
		if r.DropAfter {
			c.record(call)
			return reply{}, errReset
		}
		if r.Mangle != nil {
			out.body = r.Mangle(out.body)
		}
		if r.Truncate > 0 {
			out.cut = r.Truncate
		}
	}
	call.BytesOut = len(out.body)
	if out.cut >= 0 {
		call.BytesOut = min(call.BytesOut, out.cut)
	}
	c.record(call)
	return out, nil
}

// execute checks a call as oned does and runs it.
func (c *Cloud) execute(name string, params []any) answer {
	m, ok := c.methods[name]
	if !ok {
		return fault(faultMethod, "Method '"+name+"' not defined")
	}
	if len(params) == 0 && c.fam == f74 {
		return fault(faultInternal, "Unexpected error executing code for particular method, detected by Xmlrpc-c "+
			"method registry code.  Method did not fail; rather, it did not complete at all.  "+
			"Subscript of xmlrpc_c::paramList out of bounds")
	}
	if bad := checkArgs(params, "s"); bad != nil {
		return *bad
	}
	c.mu.Lock()
	defer c.unlock()
	r := &request{name: name, args: params[1:]}
	if c.fam <= f414 {
		r.name = m.old
	}
	session, _ := params[0].(string)
	var known bool
	if r.uid, known = c.authenticate(session); !known {
		return r.failure(codeAuthentication, "User couldn't be authenticated, aborting call.")
	}
	if bad := c.checkSignature(m, r); bad != nil {
		return *bad
	}
	return m.run(c, r)
}

// authenticate finds the user of a session string.
func (c *Cloud) authenticate(session string) (uid int, ok bool) {
	switch session {
	case c.cfg.User + ":" + c.cfg.Password:
		return AdminID, true
	case aliceSession:
		return AliceID, true
	}
	return 0, false
}

// checkSignature checks the arguments after the session. Those beyond what the
// call knows are never looked at.
func (c *Cloud) checkSignature(m method, r *request) *answer {
	kinds := m.args + m.extra
	if r.uid == AdminID {
		kinds += m.admin
	}
	kinds = kinds[:max(len(m.args), min(len(kinds), len(r.args)))]
	if len(r.args) < len(kinds) {
		a := fault(faultType, "Not enough parameters")
		return &a
	}
	if c.fam == f74 {
		// 7.4 reads the arguments of a call from the last to the first.
		for i := len(kinds) - 1; i >= 0; i-- {
			if bad := checkArgs(r.args[i:], kinds[i:i+1]); bad != nil {
				return bad
			}
		}
		return nil
	}
	return checkArgs(r.args, kinds)
}

// checkArgs checks the kinds of arguments; nil is well.
func checkArgs(args []any, kinds string) *answer {
	for i, kind := range kinds {
		text := ""
		if i >= len(args) {
			text = "Not enough parameters"
		} else if what := wrongKind(args[i], kind); what != "" {
			text = "Parameter that is supposed to be " + what + " is not"
		}
		if text != "" {
			a := fault(faultType, text)
			return &a
		}
	}
	return nil
}

// wrongKind says what an argument should be; "" when it is that.
func wrongKind(arg any, kind rune) string {
	switch arg.(type) {
	case int:
		if kind == 'i' {
			return ""
		}
	case bool:
		if kind == 'b' {
			return ""
		}
	case string:
		if kind == 's' {
			return ""
		}
	}
	return map[rune]string{'i': "integer", 'b': "boolean", 's': "a string"}[kind]
}

// methodsOf lists the calls of a version, which is of a family.
func methodsOf(f family, version string) map[string]method {
	all := map[string]method{
		"one.system.version":      {old: "SystemVersion", run: systemVersion},
		"one.system.config":       {old: "SystemConfig", run: systemConfig},
		"one.host.info":           {old: "HostInfo", args: "i", admin: "b", run: hostInfo},
		"one.hostpool.info":       {old: "HostPoolInfo", run: hostPoolInfo},
		"one.hostpool.monitoring": {args: "i", run: hostPoolMonitoring},
		"one.host.monitoring":     {old: "HostMonitoring", args: "i", run: hostMonitoring},
		"one.host.enable":         {old: "HostEnable", args: "ib", run: hostEnable},
		"one.host.status":         {args: "ii", run: hostStatus},
		"one.host.update":         {old: "HostUpdateTemplate", args: "is", extra: "i", run: hostUpdate},
		"one.vm.info":             {old: "VirtualMachineInfo", args: "i", admin: "b", run: vmInfo},
		"one.vm.update":           {old: "VirtualMachineUpdateTemplate", args: "is", extra: "i", run: vmUpdate},
		"one.vm.action":           {old: "VirtualMachineAction", args: "si", run: vmAction},
		"one.vm.recover":          {old: "VirtualMachineRecover", args: "ii", run: vmRecover},
		"one.vm.migrate":          {old: "VirtualMachineMigrate", args: "iib", extra: "bii", run: vmMigrate},
		"one.vm.deploy":           {old: "VirtualMachineDeploy", args: "ii", extra: "bis", run: vmDeploy},
		"one.vmpool.info":         {old: "VirtualMachinePoolInfo", args: "iiii", extra: "s", run: vmPoolInfo},
		"one.vmpool.infoextended": {args: "iiii", extra: "s", run: vmPoolInfoExtended},
		"one.vmpool.infoset":      {args: "sb", run: vmPoolInfoSet},
		"one.datastore.info":      {old: "DatastoreInfo", args: "i", admin: "b", run: datastoreInfo},
		"one.datastorepool.info":  {old: "DatastorePoolInfo", run: datastorePoolInfo},
		"one.clusterpool.info":    {old: "ClusterPoolInfo", run: clusterPoolInfo},
		"one.user.info":           {old: "UserInfo", args: "i", admin: "b", run: userInfo},
		"one.userpool.info":       {old: "UserPoolInfo", run: userPoolInfo},
		"one.hook.allocate":       {args: "s", run: hookAllocate},
		"one.hook.info":           {args: "i", admin: "b", run: hookInfo},
		"one.hook.update":         {args: "is", extra: "i", run: hookUpdate},
		"one.hook.delete":         {args: "i", run: hookDelete},
		"one.hookpool.info":       {args: "iii", run: hookPoolInfo},
	}
	if f <= f414 {
		trimTo4(all, f)
		return all
	}
	delete(all, "one.host.enable")
	if f < f510 {
		trimTo5(all, f)
	}
	if f < f512 || f == f512 && !hasSet(version) {
		delete(all, "one.vmpool.infoset")
	}
	return all
}

// trimTo4 leaves the calls of 4.x, with its arguments
// (include/RequestManager*.h of those releases).
func trimTo4(all map[string]method, f family) {
	extra := map[string]string{"one.vm.migrate": "b", "one.vm.deploy": "bi", "one.vm.update": "i", "one.host.update": "i"}
	for name, m := range all {
		if m.old == "" {
			delete(all, name)
			continue
		}
		m.extra, m.admin = extra[name], ""
		if name == "one.vm.recover" && f == f44 {
			m.args = "ib"
		}
		all[name] = m
	}
}

// trimTo5 leaves the calls of 5.0 to 5.8.
func trimTo5(all map[string]method, f family) {
	maps.DeleteFunc(all, func(name string, _ method) bool {
		return name == "one.vmpool.infoextended" && f < f58 || strings.HasPrefix(name, "one.hook")
	})
	for name, m := range all {
		m.admin = "" // nothing is encrypted that one.host.info and others could show
		all[name] = m
	}
}
