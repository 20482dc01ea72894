// Package one is a small client for the OpenNebula XML-RPC API, 4.4 to 7.4.
//
// It reads and changes hosts and VMs, turns every answer and every fault into a value or a typed error, and hides what
// differs between versions behind a Dialect. It never decides anything, and it never repeats a call that changes
// something. Its facts come from recorded requests and answers of live daemons (test/testdata/tapes) and from
// OpenNebula's source, release by release.
package one

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/kolo/xmlrpc"

	"one-ft/pkg/text"
)

// The limits of a Client where Options leaves them zero.
const (
	// DefaultTimeout bounds one call, which waits longest when all 30 connections of oned are taken.
	DefaultTimeout = 30 * time.Second
	maxAnswer      = 64 << 20 // bytes; the largest answer is a pool of hosts, about 3 kB each
	maxConnections = 10       // below the about 15 that oned serves at once
	// firstPause and maxPause bound the growing pause between attempts at a call that is safe to repeat.
	firstPause = 100 * time.Millisecond
	maxPause   = 3 * time.Second
	// leastAttempt is what an attempt may take when the patience is over or nearly so: a large pool takes seconds.
	leastAttempt = 5 * time.Second
)

// Options say how to reach oned.
type Options struct {
	Endpoint    string // URL, such as http://localhost:2633/RPC2
	Credentials string // "user:password" or "user:token"; never logged
	// Transport carries the requests; nil means a pool of its own, see NewTransport.
	Transport http.RoundTripper
	Timeout   time.Duration // of one call; 0 means DefaultTimeout
	// Patience is how long a call that is safe to repeat is repeated while oned does not answer or reports a temporary
	// error; 0 means a single attempt. The last attempt ends at most 5 s after it.
	Patience time.Duration
	// OnRetry, when set, is called before each pause with what went wrong.
	OnRetry func(err error, pause time.Duration)
}

// Client talks to one oned. It is safe for concurrent use.
type Client struct {
	opt      Options
	endpoint string // without user information
	http     *http.Client
	// keepsNone: a connection ended when it was used again, so none is kept any more. Else a VM that is read before each call
	// about it could never be acted on: the call would always go out on the connection of that reading.
	keepsNone atomic.Bool
	maxAnswer int64 // bytes
	version   Version
	dialect   Dialect
	interval  told
}

// New checks the options and returns a Client that has not talked to oned yet.
// Connect has to be called before anything else.
func New(opt Options) (*Client, error) {
	u, err := url.Parse(opt.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		_, shown, found := strings.Cut(opt.Endpoint, "@") // a password may stand before it
		if !found {
			shown = opt.Endpoint
		}
		return nil, fmt.Errorf("endpoint %q is not a URL such as http://localhost:2633/RPC2", text.Short(shown, 200))
	}
	if opt.Credentials == "" {
		return nil, errors.New("no credentials")
	}
	opt.Timeout = cmp.Or(max(opt.Timeout, 0), DefaultTimeout)
	if opt.Transport == nil {
		if opt.Transport, err = NewTransport("", false); err != nil {
			return nil, err
		}
	}
	u.User = nil
	return &Client{opt: opt, endpoint: u.String(), maxAnswer: maxAnswer, interval: told{turn: make(chan struct{}, 1)}, http: &http.Client{
		Transport: opt.Transport,
		// oned never redirects; to follow would carry the password to a stranger.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Endpoint returns the URL of oned without user information.
func (c *Client) Endpoint() string { return c.endpoint }

// call makes one call. safe says that the call changes nothing: then it is repeated for Options.Patience while the
// error is temporary. The result is the second element of the answer: a string, an int64 or a bool.
func (c *Client) call(ctx context.Context, safe bool, method string, args ...any) (any, error) {
	stop := time.Now().Add(c.opt.Patience)
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		limit := c.opt.Timeout
		if safe && c.opt.Patience > 0 {
			// An oned that takes calls and answers none would hold each for the whole time-out.
			limit = min(limit, max(time.Until(stop), leastAttempt))
		}
		value, err := c.attempt(ctx, limit, safe, method, args)
		if err == nil || !safe || !Temporary(err) || ctx.Err() != nil || time.Now().Add(pause).After(stop) {
			return value, err
		}
		if c.opt.OnRetry != nil {
			c.opt.OnRetry(err, pause)
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pause):
		}
	}
}

// attempt sends one request and reads its answer, within the limit. reads: the call changes nothing.
func (c *Client) attempt(ctx context.Context, limit time.Duration, reads bool, method string, args []any) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	body, err := xmlrpc.EncodeMethodCall(method, append([]any{c.opt.Credentials}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("[%s] encode: %w", method, err)
	}
	connected, kept := false, false
	trace := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { connected, kept = true, c.Reused }})
	req, err := http.NewRequestWithContext(trace, http.MethodPost, c.opt.Endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("[%s] %w", method, withoutURL(err))
	}
	req.Header.Set("Content-Type", "text/xml")
	req.Close = c.keepsNone.Load()
	resp, err := c.http.Do(req)
	if err != nil {
		if kept {
			c.keepsNone.Store(true)
			c.http.CloseIdleConnections()
		}
		return nil, &TransportError{Method: method, Sent: c.maySend(err, connected), Reads: reads, Err: withoutURL(err)}
	}
	defer resp.Body.Close()
	answer, err := readAll(resp, c.maxAnswer+1)
	switch {
	case err != nil:
		return nil, &TransportError{Method: method, Sent: true, Reads: reads, Err: err}
	case int64(len(answer)) > c.maxAnswer:
		return nil, &AnswerError{Method: method, Status: resp.StatusCode,
			Err: fmt.Errorf("%w of %d bytes", ErrTooBig, c.maxAnswer)}
	}
	return decodeAnswer(method, resp.StatusCode, answer)
}

// readAll reads the body of an answer up to a limit, into a buffer of the right size where the
// server tells it. A server that announces more than it sends does not cost much memory.
func readAll(resp *http.Response, limit int64) ([]byte, error) {
	const most = 8 << 20
	var buffer bytes.Buffer
	buffer.Grow(int(max(min(resp.ContentLength, limit, most), 0)) + bytes.MinRead)
	_, err := buffer.ReadFrom(io.LimitReader(resp.Body, limit))
	return buffer.Bytes(), err
}

// maySend reports whether the request may have reached oned. It certainly did not when there was no connection to send
// it on: net/http reports when it has one, with the handshake of TLS behind it; another transport may not tell.
func (c *Client) maySend(err error, connected bool) bool {
	if _, reports := c.opt.Transport.(*http.Transport); reports {
		return connected
	}
	var op *net.OpError
	return !(errors.As(err, &op) && op.Op == "dial" || errors.Is(err, syscall.ECONNREFUSED))
}

// withoutURL drops the "Post URL:" that net/http puts before the cause: a URL may hold a password.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
