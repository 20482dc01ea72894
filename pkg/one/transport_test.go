package one

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// serving makes a client of a real server; caFile is passed on.
func serving(t *testing.T, server *httptest.Server, caFile string) *Client {
	t.Helper()
	transport, err := NewTransport(caFile, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	c, err := New(Options{Endpoint: server.URL + "/RPC2", Credentials: "oneadmin:" + secret, Transport: transport, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	c.dialect = dialectOf(t, "7.4.0")
	return c
}

// counting starts a server that counts its requests.
func counting(t *testing.T, handle func(n int64, w http.ResponseWriter, req *http.Request)) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		handle(calls.Add(1), w, req)
	}))
	t.Cleanup(server.Close)
	return server, &calls
}

// hijacked takes the connection over.
func hijacked(t *testing.T, w http.ResponseWriter) *net.TCPConn {
	t.Helper()
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

func TestConnectionsThatBreak(t *testing.T) {
	for name, breakIt := range map[string]func(*net.TCPConn){
		"reset":  func(conn *net.TCPConn) { _ = conn.SetLinger(0) },
		"closed": func(*net.TCPConn) {},
		"half a body": func(conn *net.TCPConn) {
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<methodResponse>")
		},
		"half a head": func(conn *net.TCPConn) { fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nConte") },
		"not HTTP":    func(conn *net.TCPConn) { fmt.Fprint(conn, "hello\r\n\r\n") },
	} {
		server, calls := counting(t, func(_ int64, w http.ResponseWriter, _ *http.Request) {
			conn := hijacked(t, w)
			breakIt(conn)
			conn.Close()
		})
		c := serving(t, server, "")
		if e := transportError(t, c.Do(ctx(t), Recreate, 7)); !e.Sent || !strings.Contains(e.Error(), "may have been executed") {
			t.Errorf("%s: %v", name, e)
		}
		_, err := c.Host(ctx(t), 3)
		if e := transportError(t, err); !e.Sent || !e.Reads || strings.Contains(e.Error(), "executed") {
			t.Errorf("%s: a call that only reads: %v", name, e)
		}
		calls.Add(-1)
		if err = failed(t, c.Migrate(ctx(t), 7, 3)); calls.Load() != 2 || !Temporary(err) {
			t.Errorf("%s: %d calls for 2, %v", name, calls.Load(), err)
		}
	}
}

// TestIdleConnectionsThatClose: a server closes each connection after it has answered once
// on it and has read a second request; that one is not sent again.
func TestIdleConnectionsThatClose(t *testing.T) {
	var onConn atomic.Int64
	server, calls := counting(t, func(_ int64, w http.ResponseWriter, _ *http.Request) {
		if onConn.Add(1)%2 == 0 {
			hijacked(t, w).Close()
			return
		}
		fmt.Fprint(w, accepted(""))
	})
	c := serving(t, server, "")
	for i := range 6 {
		if err := c.Do(ctx(t), Recreate, 7); (err != nil) != (i%2 == 1) {
			t.Errorf("call %d: %v", i+1, err)
		}
	}
	if calls.Load() != 6 {
		t.Errorf("%d calls were received for 6", calls.Load())
	}
}

func TestRefusedConnection(t *testing.T) {
	server, calls := counting(t, func(int64, http.ResponseWriter, *http.Request) {})
	c := serving(t, server, "")
	server.Close()
	err := c.Do(ctx(t), Recreate, 7)
	if e := transportError(t, err); e.Sent || !unsent(err) || !Temporary(err) || !strings.Contains(e.Error(), "cannot reach oned") || calls.Load() != 0 {
		t.Errorf("%v", e)
	}
	c, _ = New(Options{Endpoint: "http://host.invalid./RPC2", Credentials: "oneadmin:" + secret})
	_, err = c.call(ctx(t), false, "one.x")
	if !unsent(failed(t, err)) {
		t.Error(err)
	}
}

// TestTimeOut: a server that does not answer; and a caller that goes away.
func TestTimeOut(t *testing.T) {
	release := make(chan struct{})
	server, calls := counting(t, func(n int64, w http.ResponseWriter, _ *http.Request) {
		if n%2 == 0 { // the head comes, the body does not
			fmt.Fprint(w, "<methodResponse>")
			w.(http.Flusher).Flush()
		}
		<-release
	})
	defer close(release)
	c := serving(t, server, "")
	c.opt.Timeout = 50 * time.Millisecond
	for range 2 {
		err := c.Do(ctx(t), Recreate, 7)
		if is(t, err, context.DeadlineExceeded); !transportError(t, err).Sent {
			t.Errorf("%v", err)
		}
	}
	c.opt.Timeout = time.Minute
	ctx, cancel := context.WithTimeout(ctx(t), 50*time.Millisecond)
	defer cancel()
	is(t, c.Do(ctx, Recreate, 7), context.DeadlineExceeded)
	if calls.Load() != 3 {
		t.Errorf("%d calls for 3", calls.Load())
	}
	err := c.Do(ctx, Recreate, 7)
	if is(t, err, context.DeadlineExceeded); calls.Load() != 3 || !unsent(err) {
		t.Errorf("a call without time was sent: %v", err)
	}
}

func TestAnswerOverTheLimit(t *testing.T) {
	server, _ := counting(t, func(_ int64, w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := fmt.Fprint(w, strings.Repeat("x", 1000)); err != nil {
				return // the client has hung up
			}
		}
	})
	c := serving(t, server, "")
	c.maxAnswer = 100_000
	err := c.Do(ctx(t), Recreate, 7)
	if is(t, err, ErrTooBig); Temporary(err) {
		t.Error(err)
	}
	exact := accepted("7.4.1")
	for limit, fits := range map[int64]bool{int64(len(exact)): true, int64(len(exact)) - 1: false} {
		small := client(t, "", always(200, exact))
		small.maxAnswer = limit
		if _, _, err := small.Connect(ctx(t)); (err == nil) != fits {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

// TestRedirects are not followed: the request holds the password.
func TestRedirects(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		stranger, calls := counting(t, func(_ int64, w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, accepted("")) })
		server, _ := counting(t, func(_ int64, w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, stranger.URL, status) })
		e := answerError(t, serving(t, server, "").Do(ctx(t), Recreate, 7))
		if e.Status != status || calls.Load() != 0 {
			t.Errorf("%d: %v, %d calls elsewhere", status, e, calls.Load())
		}
	}
}

func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, accepted("7.4.1")) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of the refused handshake
	server.StartTLS()
	t.Cleanup(server.Close)
	dir := t.TempDir()
	ca := place(t, dir, "certs/ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	place(t, dir, "certs/README", "no certificate")
	place(t, dir, "certs/sub/other", "x")
	if err := os.Symlink(dir+"/gone", dir+"/certs/dangling"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{ca, filepath.Dir(ca)} {
		if _, _, err := serving(t, server, path).Connect(ctx(t)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	_, _, err := serving(t, server, "").Connect(ctx(t))
	if e := transportError(t, err); e.Sent || Temporary(err) || !strings.Contains(e.Error(), "certificate") {
		t.Errorf("an unknown authority: %v", err)
	}
	insecure, err := NewTransport("", true)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := New(Options{Endpoint: server.URL, Credentials: "oneadmin:" + secret, Transport: insecure})
	if _, _, err := c.Connect(ctx(t)); err != nil {
		t.Errorf("not checked: %v", err)
	}
	for _, bad := range []string{dir + "/gone", dir + "/certs/README", dir + "/certs/sub", dir} {
		_, err := NewTransport(bad, false)
		if !strings.Contains(failed(t, err).Error(), bad) {
			t.Error(err)
		}
	}
	plain, _ := counting(t, func(int64, http.ResponseWriter, *http.Request) {})
	plain.URL = strings.Replace(plain.URL, "http:", "https:", 1)
	if err := serving(t, plain, "").Do(ctx(t), Recreate, 7); !unsent(failed(t, err)) || Temporary(err) {
		t.Errorf("no TLS there: %v", err)
	}
}

// TestConnectionsAreBounded: however many calls there are at once, oned sees few.
func TestConnectionsAreBounded(t *testing.T) {
	var open, most atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, accepted("")) }))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew: // by the one goroutine that accepts
			most.Store(max(most.Load(), open.Add(1)))
		case http.StateClosed:
			open.Add(-1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	c := serving(t, server, "")
	done := make(chan error)
	for i := range 100 {
		go func() { done <- c.Do(t.Context(), Recreate, i) }()
	}
	for range 100 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if most.Load() < 1 || most.Load() > maxConnections {
		t.Errorf("%d connections", most.Load())
	}
}

// TestKeptConnectionsThatTire: something between closes each connection that is used again. A VM is read before each call about
// it, so that the call would always go out on a kept connection; after the first that was lost none is kept.
func TestKeptConnectionsThatTire(t *testing.T) {
	var mu sync.Mutex
	used := map[string]bool{}
	server, calls := counting(t, func(_ int64, w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		again := used[req.RemoteAddr]
		used[req.RemoteAddr] = true
		mu.Unlock()
		if again {
			hijacked(t, w).Close()
			return
		}
		fmt.Fprint(w, accepted("<string>x</string>"))
	})
	c := serving(t, server, "")
	var lost []int
	for i := range 4 {
		if _, err := c.call(ctx(t), false, "one.vm.info", 7); err != nil {
			lost = append(lost, i)
		}
		if _, err := c.call(ctx(t), false, "one.vm.recover", 7, 4); err != nil {
			lost = append(lost, i)
		}
	}
	if len(lost) != 1 || calls.Load() != 8 {
		t.Errorf("calls were lost in the rounds %d, of %d calls", lost, calls.Load())
	}
}
