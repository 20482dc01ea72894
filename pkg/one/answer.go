package one

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unsafe"

	"one-ft/pkg/text"
)

// encodeCall writes a call with strings, whole numbers and booleans, which are all that oned takes.
func encodeCall(method string, args ...any) ([]byte, error) {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><methodCall><methodName>` + method + "</methodName><params>")
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#x0d;")
	for _, arg := range args {
		b.WriteString("<param><value>")
		switch v := arg.(type) {
		case string:
			b.WriteString("<string>" + sanitize(escape.Replace(v)) + "</string>")
		case int:
			fmt.Fprintf(&b, "<int>%d</int>", v)
		case bool:
			word := "0"
			if v {
				word = "1"
			}
			b.WriteString("<boolean>" + word + "</boolean>")
		default:
			return nil, fmt.Errorf("[%s] a %T cannot be sent", method, arg)
		}
		b.WriteString("</value></param>")
	}
	b.WriteString("</params></methodCall>")
	return []byte(b.String()), nil
}

// decodeAnswer turns the body of an answer into the value of a successful call (a string, an int64
// or a bool), a *CallError, a *FaultError or an *AnswerError. It accepts every answer shape of 4.4
// to 7.4: 3 elements, or 5 for a refusal since 5.10. body must not change any more.
func decodeAnswer(method string, status int, body []byte) (any, error) {
	bad := func(err error) error {
		return &AnswerError{Method: method, Status: status, Start: text.Short(string(body[:min(len(body), 300)]), 60), Err: err}
	}
	if status != http.StatusOK {
		return nil, bad(errors.New(http.StatusText(status)))
	}
	response, err := Parse(unsafe.String(unsafe.SliceData(body), len(body))) // no copy of the largest text that there is
	switch {
	case err != nil:
		return nil, bad(fmt.Errorf("%v", err)) // ErrDamaged is for objects
	case response.name != "methodResponse":
		return nil, bad(errors.New("no methodResponse"))
	case response.Child("fault") != nil:
		return nil, readFault(method, response.Child("fault"), bad)
	}
	data := response.Child("params").Child("param").Child("value").Child("array").Child("data").All("value")
	if len(data) < 3 {
		return nil, bad(fmt.Errorf("%d elements where at least 3 belong", len(data)))
	}
	var values [4]any // [true, value, ...] or [false, text, code, object ID, ...]
	for i := range min(len(values), len(data)) {
		if values[i], err = scalar(data[i]); err != nil {
			return nil, bad(err)
		}
	}
	if ok, isBool := values[0].(bool); !isBool {
		return nil, bad(errors.New("the first element is not a boolean"))
	} else if ok {
		return values[1], nil
	}
	code, isInt := values[2].(int64)
	if !isInt {
		return nil, bad(errors.New("the code of the refusal is not a number"))
	}
	refusal := &CallError{Method: method, Code: int(code), ObjectID: -1}
	if reason, _ := values[1].(string); reason != "" {
		refusal.Text = text.Printable(reason)
	} else {
		refusal.Text = "[" + method + "] refused without a reason"
	}
	if id, isInt := values[3].(int64); isInt {
		refusal.ObjectID = int(id)
	}
	return nil, refusal
}

// readFault makes an error of a fault: a structure with faultCode and faultString.
func readFault(method string, e *Element, bad func(error) error) error {
	fault, known := &FaultError{Method: method}, false
	for _, member := range e.Child("value").Child("struct").All("member") {
		value, err := scalar(member.Child("value"))
		if err != nil {
			return bad(fmt.Errorf("unreadable fault: %w", err))
		}
		switch v := value.(type) {
		case int64:
			fault.Code, known = int(v), true
		case string:
			fault.Text = text.Printable(v)
		}
	}
	if !known {
		return bad(errors.New("unreadable fault: no code"))
	}
	return fault
}

// scalar reads a value of XML-RPC of the types that oned sends.
func scalar(value *Element) (any, error) {
	if len(value.Children()) != 1 {
		return nil, errors.New("a value without a type")
	}
	switch e := value.children[0]; e.name {
	case "string":
		return e.text, nil // of a length that is not copied: the document of an object
	case "i4", "i8", "int":
		return strconv.ParseInt(strings.TrimSpace(e.text), 10, 64)
	case "boolean":
		return strconv.ParseBool(e.text)
	default:
		return nil, fmt.Errorf("a value of type %s", text.Short(e.name, 40))
	}
}
