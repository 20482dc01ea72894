package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
)

// manner is how a line treats a request while its fault lasts.
type manner int

// What toxiproxy cannot do: it knows bytes, not requests and answers.
const (
	// silent: the peer has vanished without FIN or RST. What was sent before is executed, and
	// new connections are taken by the kernel alone.
	silent manner = iota
	// resets and closes: oned executes the call, then the connection ends with RST or FIN and
	// without an answer.
	resets
	closes
	// babbles: oned executes the call, and something that is no HTTP comes back.
	babbles
	// strangers: oned executes the call, and a web page comes back.
	strangers
	// hangsUp closes each connection after the answer without having said so.
	hangsUp
	// tires closes a kept connection just when its next request has arrived.
	tires
)

// line is a proxy of our own.
type line struct {
	listener net.Listener
	oned     *oned
	manner   manner
	only     func(body []byte) bool // requests that the fault is for; nil for all
	places   int                    // connections that are taken at the same time; 0 for all
	upstream http.Transport
	done     chan struct{} // closed with the test

	mu     sync.Mutex
	faulty bool
	healed chan struct{} // closed when the fault ends
	conns  map[net.Conn]bool
	most   int       // connections at the same time
	free   sync.Cond // a connection has ended
}

// lines makes a wire that treats all requests in a manner.
func lines(m manner) func(*testing.T, *oned) wire {
	return func(t *testing.T, o *oned) wire { return newLine(t, o, &line{manner: m}) }
}

func newLine(t *testing.T, o *oned, l *line) *line {
	t.Helper()
	listener, err := net.Listen("tcp", ownAddress())
	if err != nil {
		t.Fatal(err)
	}
	l.listener, l.oned, l.done, l.healed, l.conns = listener, o, make(chan struct{}), make(chan struct{}), map[net.Conn]bool{}
	l.free.L = &l.mu
	if l.places > 0 {
		l.limitLine(t, l.places)
	}
	go l.accept()
	t.Cleanup(func() {
		close(l.done)
		listener.Close()
		l.reset()
		l.upstream.CloseIdleConnections()
	})
	return l
}

func (l *line) address() string { return l.listener.Addr().String() }

func (l *line) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faulty = true
}

// end heals the line. Who has vanished knows nothing of its connections when it is back.
func (l *line) end() {
	l.mu.Lock()
	l.faulty = false
	close(l.healed)
	l.healed = make(chan struct{})
	l.mu.Unlock()
	if l.manner == silent {
		l.reset()
	}
}

// reset ends all connections with RST.
func (l *line) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		hangUp(c, true)
	}
	l.free.Broadcast()
}

// hangUp closes a connection, with RST or FIN.
func hangUp(c net.Conn, abruptly bool) {
	if tcp, is := c.(*net.TCPConn); is && abruptly {
		_ = tcp.SetLinger(0) // fails when it is closed already
	}
	_ = c.Close()
}

// fault reports whether a request has the fault, and gives what its end closes.
func (l *line) fault(body []byte) (is bool, healed chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.faulty && (l.only == nil || l.only(body)), l.healed
}

// vanished waits until the line is well again, if its peer has vanished.
func (l *line) vanished() {
	if is, healed := l.fault(nil); is && l.manner == silent {
		select {
		case <-healed:
		case <-l.done:
		}
	}
}

func (l *line) accept() {
	for {
		l.vanished()
		l.waitForPlace()
		c, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.mu.Lock()
		l.conns[c] = true
		l.most = max(l.most, len(l.conns))
		l.mu.Unlock()
		go l.serve(c)
	}
}

// waitForPlace waits until one more connection may be taken.
func (l *line) waitForPlace() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.places > 0 && len(l.conns) >= l.places {
		select {
		case <-l.done:
			return
		default:
			l.free.Wait()
		}
	}
}

// limitLine lets the kernel keep only so many connections waiting. It drops the SYN of one
// more, which is sent again after a second, as with oned's MAX_CONN_BACKLOG.
func (l *line) limitLine(t *testing.T, waiting int) {
	t.Helper()
	raw, err := l.listener.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var listen error
	if err := raw.Control(func(fd uintptr) { listen = syscall.Listen(int(fd), waiting) }); err != nil || listen != nil {
		t.Fatal(err, listen)
	}
}

// serve serves a connection.
func (l *line) serve(c net.Conn) {
	abruptly := false
	defer func() {
		hangUp(c, abruptly)
		l.mu.Lock()
		delete(l.conns, c)
		l.free.Broadcast()
		l.mu.Unlock()
	}()
	in := bufio.NewReader(c)
	for served := 0; ; served++ {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		if is, _ := l.fault(body); is && l.manner == tires && served > 0 {
			return
		}
		l.vanished()
		answer, err := l.forward(body)
		if err != nil {
			abruptly = true
			return
		}
		l.vanished()
		if is, _ := l.fault(body); is && l.manner != tires {
			abruptly = l.manner == resets
			l.spoil(c, answer)
			return
		}
		if answer.Write(c) != nil || answer.Close {
			return
		}
	}
}

// forward has oned execute a request.
func (l *line) forward(body []byte) (*http.Response, error) {
	req, err := http.NewRequest(http.MethodPost, l.oned.endpoint(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	answer, err := l.upstream.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(answer.Body)
	answer.Body = io.NopCloser(bytes.NewReader(text))
	return answer, errors.Join(err, req.Body.Close())
}

// spoil ends a connection after a call was executed.
func (l *line) spoil(c net.Conn, answer *http.Response) {
	switch l.manner {
	case babbles:
		fmt.Fprint(c, "\x16\x03\x01SSH-2.0-hello\r\n\r\n")
	case strangers:
		page := "<html><body>Please log in to the guest network</body></html>"
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s", len(page), page)
	case hangsUp:
		answer.Close = false
		_ = answer.Write(c) // whoever does not take it has gone
	}
}
