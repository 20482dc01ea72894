package crash_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"

	"one-ft/test/sim/cloud"
)

// moment is how far oned is with a call when the process that made it is killed.
type moment string

const (
	arrived  moment = "arrived, not executed"
	executed moment = "executed, not answered"
	answered moment = "answered"
)

// front stands before the cloud and counts the calls.
type front struct {
	cloud *cloud.Cloud

	mu    sync.Mutex
	calls int
	// At call number at, from 1, kill is called at that moment.
	at   int
	when moment
	kill func()
	// hold, when set, is called before a recreate is executed.
	hold func()
}

// killAt has kill called at a call, from 1.
func (f *front) killAt(at int, when moment, kill func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at, f.when, f.kill = at, when, kill
}

// holdRecreates has hold called before each recreate.
func (f *front) holdRecreates(hold func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hold = hold
}

// count counts a call and reports whether it is the one to kill at.
func (f *front) count() (now bool, hold func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	return f.calls == f.at, f.hold
}

// made is how many calls there were.
func (f *front) made() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// ServeHTTP gives the call to the cloud.
func (f *front) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	now, hold := f.count()
	if hold != nil && recreates(req) {
		hold()
	}
	if !now {
		f.cloud.ServeHTTP(w, req)
		return
	}
	switch f.when {
	case arrived:
		f.kill()
		hangUp(w)
	case executed:
		f.cloud.ServeHTTP(httptest.NewRecorder(), req)
		f.kill()
		hangUp(w)
	case answered:
		f.cloud.ServeHTTP(w, req)
		_ = http.NewResponseController(w).Flush() // to a process that is about to be killed
		f.kill()
	}
}

// hangUp ends a call without an answer.
func hangUp(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}

// recreates reports whether a request asks for a recreate; it can be read again.
func recreates(req *http.Request) bool {
	body, err := io.ReadAll(req.Body)
	req.Body = io.NopCloser(bytes.NewReader(body))
	return err == nil && (bytes.Contains(body, []byte("one.vm.recover")) || bytes.Contains(body, []byte("one.vm.action")))
}
