package cloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// rpcPath is the only path that oned's HTTP server knows.
const rpcPath = "/RPC2"

// Ways in which a request ends without an HTTP answer.
var (
	errRefused = errors.New("connection refused")
	errReset   = errors.New("connection reset")
)

// reply is what goes back over HTTP.
type reply struct {
	status int
	mime   string
	body   []byte
	cut    int // send only so many bytes of the body, then break; -1 sends all
}

// serve answers one HTTP request. An error is errRefused, errReset, or that of
// ctx when the client gave up first.
func (c *Cloud) serve(ctx context.Context, method, path string, body []byte, remote string) (reply, error) {
	if c.isDown() {
		return reply{}, errRefused
	}
	if !c.gate.enter(ctx, c.closed) {
		return reply{}, endOf(ctx)
	}
	defer c.gate.leave()
	if page, ok := refusedByHTTP(method, path, body); ok {
		c.record(Call{At: time.Now(), Remote: remote, BytesOut: len(page.body)})
		return page, nil
	}
	return c.serveCall(ctx, body, remote)
}

// isDown reports whether connections are refused.
func (c *Cloud) isDown() bool {
	c.mu.Lock()
	defer c.unlock()
	return c.down
}

// record adds a call to the log.
func (c *Cloud) record(call Call) {
	c.mu.Lock()
	defer c.unlock()
	c.calls = append(c.calls, call)
}

// endOf is why a wait ended: the client gave up, or the cloud closed.
func endOf(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return errReset
}

// refusedByHTTP gives the page with which oned's HTTP server turns a request
// away, as recorded.
func refusedByHTTP(method, path string, body []byte) (reply, bool) {
	switch {
	case path != rpcPath:
		return htmlPage(http.StatusNotFound, fmt.Sprintf("This XML-RPC For C/C++ Abyss XML-RPC server responds to "+
			"only one URI path.  I don't know what URI path that is, but it's not the one you requested: '%s'.  "+
			"(Typically, it's '/RPC2')", html.EscapeString(path))), true
	case method != http.MethodPost:
		return htmlPage(http.StatusMethodNotAllowed, "POST is the only HTTP method this server understands"), true
	case len(body) == 0:
		return htmlPage(http.StatusBadRequest,
			"According to your content-length HTTP header, your request is empty (zero length)"), true
	}
	return reply{}, false
}

// htmlPage is an error page of oned's HTTP server.
func htmlPage(status int, text string) reply {
	return reply{status: status, mime: "text/html", cut: -1, body: fmt.Appendf(nil,
		"<HTML><HEAD><TITLE>Error %d</TITLE></HEAD><BODY><H1>Error %d</H1><P>%s</P><p><HR><b><i>"+
			`<a href="http://xmlrpc-c.sourceforge.net">ABYSS Web Server for XML-RPC For C/C++</a></i></b>`+
			" version 1.33.14<br></p></BODY></HTML>", status, status, text)}
}

// keepsAlive reports whether oned leaves connections open after an answer.
func (c *Cloud) keepsAlive() bool { return c.fam < f58 }

// Transport answers requests in memory, without sockets and without goroutines
// of its own; host names and ports in URLs do not matter. It honours the
// request's context, and works inside a testing/synctest bubble when the cloud
// was built there.
func (c *Cloud) Transport() http.RoundTripper { return transport{c} }

type transport struct{ cloud *Cloud }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := readBody(req)
	if err != nil {
		return nil, err
	}
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out, err := t.cloud.serve(ctx, req.Method, req.URL.Path, body, "memory")
	switch {
	case errors.Is(err, errRefused):
		return nil, netError("dial", "connect", syscall.ECONNREFUSED)
	case errors.Is(err, errReset):
		return nil, netError("read", "read", syscall.ECONNRESET)
	case err != nil:
		return nil, err
	}
	return t.response(req, out), nil
}

// readBody reads and closes a request's body.
func readBody(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(req.Body)
	return body, errors.Join(err, req.Body.Close())
}

// netError is what the net package would return.
func netError(op, call string, errno syscall.Errno) error {
	return &net.OpError{Op: op, Net: "tcp", Err: os.NewSyscallError(call, errno)}
}

// response wraps a reply for an HTTP client.
func (t transport) response(req *http.Request, out reply) *http.Response {
	length := int64(len(out.body))
	var body io.Reader = bytes.NewReader(out.body)
	if out.cut >= 0 && out.cut < len(out.body) {
		body = io.MultiReader(bytes.NewReader(out.body[:out.cut]), brokenBody{})
	}
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", out.status, http.StatusText(out.status)),
		StatusCode: out.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {out.mime}, "Content-Length": {strconv.FormatInt(length, 10)}},
		ContentLength: length,
		Body:          io.NopCloser(body),
		Close:         !t.cloud.keepsAlive(),
		Request:       req,
	}
}

// brokenBody is where a connection breaks in the middle of a body.
type brokenBody struct{}

// Read implements io.Reader.
func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// ServeHTTP is the same server over real HTTP. A connection that oned would
// refuse or break is closed without an answer.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := readBody(req)
	if err != nil {
		return
	}
	out, err := c.serve(req.Context(), req.Method, req.URL.Path, body, req.RemoteAddr)
	if err != nil {
		breakConnection(w, nil)
		return
	}
	if out.cut >= 0 && out.cut < len(out.body) {
		head := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
			out.status, http.StatusText(out.status), out.mime, len(out.body))
		breakConnection(w, append([]byte(head), out.body[:out.cut]...))
		return
	}
	w.Header().Set("Content-Type", out.mime)
	w.Header().Set("Content-Length", strconv.Itoa(len(out.body)))
	if !c.keepsAlive() {
		w.Header().Set("Connection", "close")
	}
	w.WriteHeader(out.status)
	// A client that has gone away is no error of the server.
	_, _ = w.Write(out.body)
}

// breakConnection sends some bytes and closes the connection under the client.
func breakConnection(w http.ResponseWriter, sent []byte) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	// The client sees the connection end, whatever became of the bytes.
	_, _ = conn.Write(sent)
	_ = conn.Close()
}

// mimeOf is the content type of an answer.
func mimeOf(body []byte) string {
	if strings.HasPrefix(string(body[:min(len(body), 5)]), "<HTML") {
		return "text/html"
	}
	return "text/xml; charset=utf-8"
}
