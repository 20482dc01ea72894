package one

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unsafe"

	"github.com/kolo/xmlrpc"

	"one-ft/pkg/text"
)

// decodeAnswer turns the body of an answer into the value of a successful call (a string, an int64 or a bool), a
// *CallError, a *FaultError or an *AnswerError: 3 elements, or 5 for a refusal since 5.10. body must not change any more.
func decodeAnswer(method string, status int, body []byte) (any, error) {
	bad := func(err error) error {
		return &AnswerError{Method: method, Status: status, Start: text.Short(string(body[:min(len(body), 300)]), 60),
			Err: errors.New(text.Short(err.Error(), 200))}
	}
	if status != http.StatusOK {
		return nil, bad(errors.New(http.StatusText(status)))
	}
	envelope, err := Parse(unsafe.String(unsafe.SliceData(body), len(body))) // no copy of the largest text that there is
	switch {
	case err != nil:
		return nil, bad(err)
	case envelope.name != "methodResponse":
		return nil, bad(errors.New("no methodResponse"))
	}
	if value, ok := ordinary(envelope); ok {
		return value, nil
	}
	response := plainResponse(envelope, len(body))
	if envelope.Child("fault") == nil {
		return fromElements(method, response, bad)
	}
	var fault xmlrpc.FaultError
	err = response.Unmarshal(&fault)
	if err == nil && fault.Code == 0 {
		err = errors.New("no code")
	}
	if err != nil {
		return nil, bad(fmt.Errorf("unreadable fault: %w", err))
	}
	return nil, &FaultError{Method: method, Code: fault.Code, Text: text.Printable(fault.String)}
}

// ordinary is the string of a call that succeeded, which nearly all answers are; kolo/xmlrpc decodes the others. It takes
// twice the time of everything else that is done with an answer.
func ordinary(envelope *Element) (value string, ok bool) {
	data := envelope.Child("params").Child("param").Child("value").Child("array").Child("data").All("value")
	if len(data) < 3 || data[0].Child("boolean").Text() != "1" {
		return "", false
	}
	code, text := data[2].Children(), data[1].Child("string")
	return text.Text(), text != nil && len(text.Children()) == 0 && len(data[1].Children()) == 1 && len(code) == 1
}

// plainResponse writes an answer that has been read, thus is whole and not deeply nested, for
// kolo/xmlrpc. That checks neither, fails at characters that XML forbids and at entities of HTML,
// and drops what follows a CDATA section in a string without an error. size is about that of the result.
func plainResponse(envelope *Element, size int) xmlrpc.Response {
	var b bytes.Buffer
	b.Grow(size)
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;")
	var write func(*Element)
	write = func(e *Element) {
		b.WriteString("<" + e.name + ">")
		_, _ = escape.WriteString(&b, e.text) // a Buffer never fails
		for _, c := range e.children {
			write(c)
		}
		b.WriteString("</" + e.name + ">")
	}
	write(envelope)
	return b.Bytes()
}

// fromElements reads [true, value, ...] and [false, text, code, ...]. An empty string is nil in elements, and an empty
// value is the last one that kolo/xmlrpc gives.
func fromElements(method string, response xmlrpc.Response, bad func(error) error) (any, error) {
	var elements []any
	if err := response.Unmarshal(&elements); err != nil {
		return nil, bad(err)
	}
	if len(elements) < 3 {
		return nil, bad(fmt.Errorf("%d elements where at least 3 belong", len(elements)))
	}
	ok, isBool := elements[0].(bool)
	switch {
	case !isBool:
		return nil, bad(errors.New("the first element is not a boolean"))
	case ok && elements[1] == nil:
		return "", nil
	case ok:
		return elements[1], nil
	}
	code, isInt := elements[2].(int64)
	reason, _ := elements[1].(string)
	if !isInt {
		return nil, bad(errors.New("the code of the refusal is not a number"))
	}
	return nil, &CallError{Method: method, Code: int(code), Text: cmp.Or(text.Printable(reason), "["+method+"] refused without a reason")}
}
