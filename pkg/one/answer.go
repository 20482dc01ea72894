package one

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/kolo/xmlrpc"
)

// decodeAnswer turns the body of an answer into the value of a successful call,
// a *CallError, a *FaultError or an *AnswerError. It accepts every answer shape
// of 4.4 to 7.4: 3 elements, or 5 for a refusal since 5.10.
func decodeAnswer(method string, status int, body []byte) (any, error) {
	if status == http.StatusOK {
		if value, ok := plainAnswer(body); ok {
			return value, nil
		}
	}
	return decodeAny(method, status, body)
}

// decodeAny does that for every body, plain or not.
func decodeAny(method string, status int, body []byte) (any, error) {
	bad := func(err error) error {
		return &AnswerError{Method: method, Status: status, Start: Printable(cut(string(body[:min(len(body), 300)]), 60)), Err: err}
	}
	if status != http.StatusOK {
		return nil, bad(errors.New(http.StatusText(status)))
	}
	body, _ = cleanXML(body)
	if err := wholeResponse(body); err != nil {
		return nil, bad(err)
	}
	response := xmlrpc.Response(body)
	if isFault(body) {
		var fault xmlrpc.FaultError
		if err := response.Unmarshal(&fault); err != nil {
			return nil, bad(fmt.Errorf("unreadable fault: %w", err))
		}
		return nil, &FaultError{Method: method, Code: fault.Code, Text: Printable(fault.String)}
	}
	var elements []any
	if err := response.Unmarshal(&elements); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the answer holds no value")
		}
		return nil, bad(err)
	}
	return fromElements(method, elements, bad)
}

// fromElements reads [true, value, ...] and [false, text, code, object id, ...].
func fromElements(method string, elements []any, bad func(error) error) (any, error) {
	if len(elements) < 3 { // an empty <value/> swallows what follows it
		return nil, bad(fmt.Errorf("%d elements where at least 3 belong", len(elements)))
	}
	ok, isBool := elements[0].(bool)
	if !isBool {
		return nil, bad(errors.New("the first element is not a boolean"))
	}
	if ok {
		return elements[1], nil
	}
	refusal := &CallError{Method: method, ObjectID: -1}
	if text, isText := elements[1].(string); isText {
		refusal.Text = Printable(text)
	}
	if refusal.Text == "" {
		refusal.Text = "[" + method + "] refused without a reason"
	}
	code, isInt := elements[2].(int64)
	if !isInt {
		return nil, bad(errors.New("the code of the refusal is not a number"))
	}
	refusal.Code = int(code)
	if len(elements) > 3 {
		if id, isInt := elements[3].(int64); isInt {
			refusal.ObjectID = int(id)
		}
	}
	return nil, refusal
}

// wholeResponse makes sure that the body is one complete methodResponse:
// kolo/xmlrpc accepts a body that ends in the middle of an array, and reports
// everything else as a bare EOF.
func wholeResponse(body []byte) error {
	text := bytes.TrimSpace(body)
	if len(text) == 0 {
		return errors.New("the body is empty")
	}
	if !bytes.Contains(text[:min(len(text), 512)], []byte("<methodResponse")) {
		return errors.New("no methodResponse")
	}
	if !bytes.HasSuffix(text, []byte("</methodResponse>")) {
		return errors.New("the body is cut off")
	}
	if bytes.Count(text, []byte("<array"))+bytes.Count(text, []byte("<struct")) > maxContainers {
		return errors.New("nested too deeply")
	}
	return nil
}

// maxContainers is more than any answer of oned holds (one). kolo/xmlrpc reads
// nested ones by recursion.
const maxContainers = 64

// isFault looks for the fault element at the only place where it can be.
func isFault(body []byte) bool {
	dec := xml.NewDecoder(bytes.NewReader(body))
	for {
		tok, err := dec.Token()
		if err != nil {
			return false
		}
		if start, ok := tok.(xml.StartElement); ok && start.Name.Local != "methodResponse" {
			return start.Name.Local == "fault"
		}
	}
}
