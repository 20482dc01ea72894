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
)

// Command is what a lab can be asked over its socket.
type Command string

// The commands.
const (
	Fail      Command = "fail"  // Object is a host
	Heal      Command = "heal"  // Object is a host
	Crash     Command = "crash" // Object is a VM
	ListHosts Command = "hosts"
	ListVMs   Command = "vms"
	ListCalls Command = "calls"
	Wait      Command = "wait" // for Goal
	Stop      Command = "stop"
)

// Request is one command.
type Request struct {
	Command Command       `json:"command"`
	Object  string        `json:"object,omitempty"` // ID or name
	Cut     bool          `json:"cut,omitempty"`    // Fail: the VMs go on running
	Goal    Goal          `json:"goal,omitzero"`
	Timeout time.Duration `json:"timeout,omitempty"` // of Wait
}

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
	case Crash:
		v, err := findVM(l.cloud.VMs(), req.Object)
		if err != nil {
			return Reply{}, err
		}
		return Reply{Text: fmt.Sprintf("VM %d (%s) has crashed", v.ID, v.Name)}, l.cloud.CrashVM(v.ID)
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
	change, text := l.cloud.PowerOff, "has lost its power"
	switch {
	case req.Command == Heal:
		change, text = l.cloud.HealHost, "works again"
	case req.Cut:
		change, text = l.cloud.FailHost, "has lost its network; its VMs go on running"
	}
	return Reply{Text: fmt.Sprintf("host %d (%s) %s", h.ID, h.Name, text)}, change(h.ID)
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
