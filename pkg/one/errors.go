package one

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// The error classes of OpenNebula's answers; test with errors.Is. The codes are
// those of include/RequestManager.h of every release from 4.4 to 7.4.
var (
	ErrAuthentication = errors.New("not authenticated")                // code 256: the user or the password is wrong
	ErrAuthorization  = errors.New("not authorized")                   // code 512: the user may not do this
	ErrNotFound       = errors.New("no such object")                   // code 1024
	ErrWrongState     = errors.New("wrong state")                      // code 2048: not possible in the state the object is in
	ErrBadArgument    = errors.New("bad argument")                     // code 4096: an argument has a wrong value
	ErrInternal       = errors.New("internal error of oned")           // code 8192: oned failed to do it, and may be able to later
	ErrUnsupported    = errors.New("not supported by this OpenNebula") // this version has no such call
	ErrTooOld         = errors.New("OpenNebula is older than 4.4")
	ErrDamaged        = errors.New("damaged object in the answer") // an object in an answer could not be read
	ErrTooBig         = errors.New("answer larger than the limit") // of the client
)

// CallError is a refusal: oned understood the call and answered "no".
type CallError struct {
	Method string
	Code   int    // 256, 512, 1024, 2048, 4096 or 8192
	Text   string // oned's reason, made printable
}

// Error gives oned's own text; it names the method already.
func (e *CallError) Error() string { return fmt.Sprintf("%s (code %d)", e.Text, e.Code) }

// Unwrap gives the class of the code, or nil for a code no version uses.
func (e *CallError) Unwrap() error {
	return map[int]error{
		0x0100: ErrAuthentication, 0x0200: ErrAuthorization, 0x0400: ErrNotFound,
		0x0800: ErrWrongState, 0x1000: ErrBadArgument, 0x2000: ErrInternal,
	}[e.Code]
}

// FaultError is an XML-RPC fault: the call never reached OpenNebula's logic.
type FaultError struct {
	Method string
	Code   int
	Text   string
}

// The fault codes seen from live daemons (xmlrpc-c's).
const (
	FaultNoArguments   = -500 // 7.4, a call without any argument
	FaultParameter     = -501 // wrong or missing parameter
	FaultNotXML        = -503
	FaultUnknownMethod = -506
)

// Error names the method, the code and the text of the fault.
func (e *FaultError) Error() string {
	return fmt.Sprintf("[%s] XML-RPC fault %d: %s", e.Method, e.Code, e.Text)
}

// Unwrap is ErrUnsupported for a method that this oned does not have.
func (e *FaultError) Unwrap() error {
	if e.Code == FaultUnknownMethod {
		return ErrUnsupported
	}
	return nil
}

// TransportError means that no answer arrived.
type TransportError struct {
	Method string
	// Sent reports whether oned may have received the call. One that was not sent can be repeated safely.
	Sent bool
	// Reads: the call changes nothing, so whether oned has received it does not matter.
	Reads bool
	Err   error
}

// Error says what failed and whether the call may have been executed.
func (e *TransportError) Error() string {
	switch {
	case e.Sent && e.Reads && errors.Is(e.Err, context.DeadlineExceeded):
		return fmt.Sprintf("[%s] no answer from oned: timed out", e.Method)
	case e.Sent && e.Reads:
		return fmt.Sprintf("[%s] no answer from oned: %v", e.Method, e.Err)
	case e.Sent:
		return fmt.Sprintf("[%s] no answer from oned (the call may have been executed): %v", e.Method, e.Err)
	}
	return fmt.Sprintf("[%s] cannot reach oned: %v", e.Method, e.Err)
}

// Unwrap gives the cause.
func (e *TransportError) Unwrap() error { return e.Err }

// AnswerError means that something answered, but not in XML-RPC: a web server's error page, half a body, nothing.
type AnswerError struct {
	Method string
	Status int    // HTTP status
	Start  string // the first characters of the body, made printable
	Err    error
}

// Error shows the HTTP status and how the body began.
func (e *AnswerError) Error() string {
	s := fmt.Sprintf("[%s] not an XML-RPC answer (HTTP %d): %v", e.Method, e.Status, e.Err)
	if e.Start != "" {
		s += fmt.Sprintf("; it begins with %q", e.Start)
	}
	return s
}

// Unwrap gives the cause.
func (e *AnswerError) Unwrap() error { return e.Err }

// Temporary reports whether the same call may succeed later without anybody doing anything: oned is down or restarting,
// a proxy answered in its place, oned reports an internal error, or an HA follower has no leader (8192 as well). It
// says nothing about whether repeating the call is safe: see TransportError.Sent.
func Temporary(err error) bool {
	var (
		fault       *FaultError
		transport   *TransportError
		answer      *AnswerError
		certificate *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &fault):
		return !slices.Contains([]int{FaultNoArguments, FaultParameter, FaultNotXML, FaultUnknownMethod}, fault.Code)
	case errors.As(err, &certificate), errors.Is(err, http.ErrSchemeMismatch): // https, but no TLS there
		return false
	case errors.As(err, &transport):
		return true
	case errors.As(err, &answer):
		// 3xx and 4xx: whatever answers there is not oned, or not with this path.
		return !errors.Is(err, ErrTooBig) && (answer.Status == 200 || answer.Status >= 500 || answer.Status == 429)
	}
	return errors.Is(err, ErrInternal)
}

// Unreadable reports whether an answer came that cannot be read, as a whole or an object in it.
func Unreadable(err error) bool {
	var answer *AnswerError
	return errors.Is(err, ErrDamaged) || errors.As(err, &answer)
}
