package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// Command is what a lab can be asked over its socket.
type Command string

// The commands.
const (
	Fail      Command = "fail"     // Object is a host
	Heal      Command = "heal"     // Object is a host
	Crash     Command = "crash"    // Object is a VM
	Suspend   Command = "suspend"  // Object is a VM
	Break     Command = "break"    // Object is a VM
	Recreate  Command = "recreate" // Object is a VM
	ListHosts Command = "hosts"
	ListVMs   Command = "vms"
	ListCalls Command = "calls"
	Wait      Command = "wait" // for Goal
	Restart   Command = "restart"
	Stop      Command = "stop"
)

// Request is one command.
type Request struct {
	Command Command       `json:"command"`
	Object  string        `json:"object,omitempty"` // ID or name
	How     Failure       `json:"how,omitempty"`    // Fail; "" is Off
	Goal    Goal          `json:"goal,omitzero"`
	Timeout time.Duration `json:"timeout,omitempty"` // of Wait
}

// Failure is how a host fails.
type Failure string

// The failures.
const (
	Off    Failure = "off"    // its power is gone, and its VMs
	Cut    Failure = "cut"    // its network is gone, and its VMs go on running
	Freeze Failure = "freeze" // it stands still with its VMs, and nothing says so
)

// Reply is the answer to a Request.
type Reply struct {
	Error string     `json:"error,omitempty"`
	Usage bool       `json:"usage,omitempty"` // the error is a UsageError
	Text  string     `json:"text,omitempty"`
	Table [][]string `json:"table,omitempty"` // a header and rows
}

// Limits of the socket.
const (
	maxRequest  = 64 << 10 // bytes
	requestTime = 10 * time.Second
	maxWait     = time.Hour
)

// serveControl answers commands until the lab stops.
func (l *Lab) serveControl() {
	for {
		conn, err := l.control.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		l.tasks.Go(func() { l.answer(conn) })
	}
}

// answer reads one request and answers it. Who asked to stop sees the connection
// end when the lab has stopped.
func (l *Lab) answer(conn net.Conn) {
	// Nobody is left to tell about a connection that breaks.
	defer func() { _ = conn.Close() }()
	_ = conn.SetReadDeadline(time.Now().Add(requestTime))
	defer context.AfterFunc(l.ctx, func() { _ = conn.SetReadDeadline(time.Now()) })()
	var req Request
	var reply Reply
	if err := json.NewDecoder(io.LimitReader(conn, maxRequest)).Decode(&req); err != nil {
		reply = Reply{Error: "not a request: " + err.Error()}
	} else {
		reply, err = l.do(req)
		if err != nil {
			var usage *UsageError
			reply = Reply{Error: err.Error(), Usage: errors.As(err, &usage)}
		}
	}
	_ = conn.SetWriteDeadline(time.Now().Add(requestTime))
	_ = json.NewEncoder(conn).Encode(reply)
	if req.Command == Stop {
		l.askStop()
		<-l.stopped
	}
}

// do carries a command out.
func (l *Lab) do(req Request) (Reply, error) {
	switch req.Command {
	case Fail, Heal:
		return l.changeHost(req)
	case Crash, Suspend, Break, Recreate:
		return l.changeVM(req)
	case ListHosts:
		return Reply{Table: l.hostTable()}, nil
	case ListVMs:
		return Reply{Table: l.vmTable()}, nil
	case ListCalls:
		return Reply{Table: callTable(l.cloud.Calls())}, nil
	case Wait:
		ctx, cancel := context.WithTimeout(l.ctx, min(req.Timeout, maxWait))
		defer cancel()
		return Reply{}, l.Wait(ctx, req.Goal)
	case Restart:
		text, err := l.restart()
		return Reply{Text: text}, err
	case Stop:
		return Reply{Text: "stopped; its files are in " + l.dir}, nil
	}
	return Reply{}, Usagef("a lab knows no command %q", string(req.Command))
}

// changeHost fails or heals a host.
func (l *Lab) changeHost(req Request) (Reply, error) {
	h, err := findHost(l.cloud.Hosts(), req.Object)
	if err != nil {
		return Reply{}, err
	}
	change, text := l.cloud.HealHost, "works again"
	if req.Command == Fail {
		switch req.How {
		case Off, "":
			change, text = l.cloud.PowerOff, "has lost its power"
		case Cut:
			change, text = l.cloud.FailHost, "has lost its network; its VMs go on running"
		case Freeze:
			change, text = l.cloud.FreezeHost, "is frozen; its VMs stand still, and oned does not notice"
		default:
			return Reply{}, Usagef("hosts do not fail by %q", string(req.How))
		}
	}
	return Reply{Text: fmt.Sprintf("host %d (%s) %s", h.ID, h.Name, text)}, change(h.ID)
}

// changeVM crashes, suspends or breaks a VM.
func (l *Lab) changeVM(req Request) (Reply, error) {
	v, err := findVM(l.cloud.VMs(), req.Object)
	if err != nil {
		return Reply{}, err
	}
	change, text := l.cloud.CrashVM, "has crashed"
	switch req.Command {
	case Suspend:
		change, text = l.suspend, "is suspended"
	case Break:
		change, text = l.breakVM, "has failed to boot"
	case Recreate:
		change, text = l.recreate, "is recreated"
	}
	return Reply{Text: fmt.Sprintf("VM %d (%s) %s", v.ID, v.Name, text)}, change(v.ID)
}

// suspend suspends a running VM, as its owner does.
func (l *Lab) suspend(id int) error {
	return l.ifRunning(id, func(v *cloud.VM) { v.State, v.LCM = one.Suspended, one.LCMInit })
}

// breakVM lets a running VM fail as one whose boot failed: in BOOT_FAILURE, up to 4.12 in FAILED.
func (l *Lab) breakVM(id int) error {
	return l.ifRunning(id, func(v *cloud.VM) {
		v.LCM = one.BootFailure
		if l.version.Before(4, 14) {
			v.State, v.LCM = one.Failed, one.LCMInit
			v.History[len(v.History)-1].ETime = time.Now().Unix()
		}
	})
}

// recreate asks oned for what its own example hook asks for (share/hooks/ft/host_error.rb).
func (l *Lab) recreate(id int) error {
	client, err := one.New(one.Options{Endpoint: l.endpoint, Credentials: user + ":" + l.password})
	if err == nil {
		_, _, err = client.Connect(l.ctx)
	}
	if err == nil {
		err = client.Do(l.ctx, one.Recreate, id)
	}
	return err
}

// ifRunning changes a VM that is RUNNING.
func (l *Lab) ifRunning(id int, change func(*cloud.VM)) error {
	var problem error
	err := l.cloud.UpdateVM(id, func(v *cloud.VM) {
		if v.State != one.Active || v.LCM != one.Running {
			problem = fmt.Errorf("VM %d is %s, not RUNNING", id, stateName(v.State, v.LCM))
			return
		}
		change(v)
	})
	return errors.Join(err, problem)
}

// Ask has the lab in a directory carry out a request.
func Ask(dir string, req Request) (Reply, error) {
	conn, err := net.Dial("unix", socketFile(dir))
	if err != nil {
		if _, missing := os.Stat(socketFile(dir)); missing != nil || errors.Is(err, os.ErrNotExist) {
			return Reply{}, fmt.Errorf("no lab runs in %s: start one by onelab start --dir %s", dir, dir)
		}
		return Reply{}, fmt.Errorf("the lab in %s does not answer: %w", dir, err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(requestTime + min(req.Timeout, maxWait))); err != nil {
		return Reply{}, fmt.Errorf("ask the lab: %w", err)
	}
	if err := json.NewEncoder(conn).Encode(req); err != nil {
		return Reply{}, fmt.Errorf("ask the lab: %w", err)
	}
	var reply Reply
	answers := json.NewDecoder(conn)
	if err := answers.Decode(&reply); err != nil {
		return Reply{}, fmt.Errorf("the lab in %s gave no answer: %w", dir, err)
	}
	if req.Command == Stop {
		// The end of the connection is the end of the lab, whichever way it comes.
		_, _ = io.Copy(io.Discard, io.MultiReader(answers.Buffered(), conn))
	}
	switch {
	case reply.Usage:
		return Reply{}, &UsageError{reply.Error}
	case reply.Error != "":
		return Reply{}, errors.New(reply.Error)
	}
	return reply, nil
}
