#!/usr/bin/env bash
# github.com/kolo/xmlrpc v0.0.0-20220921171641: after one answer that it cannot decode each further call of the client
# fails, and its error says that the connection was shut down.
#
# Client is a net/rpc client underneath, which ends for good when its codec returns an error for the body of an answer. A
# fault and a bad HTTP status are answers like others, and the client goes on; a number that does not fit into the variable,
# a page of HTML from a proxy or an answer that was cut off is the end. Nothing on the network is shut down: a new client
# to the same address works. A program that keeps one client never recovers from one bad answer.
#
# one-ft sends its requests itself and only lets the package decode what was received.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
gobuild github.com/kolo/xmlrpc v0.0.0-20220921171641-a4b6fa1dd06b <<'GO'
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/kolo/xmlrpc"
)

func main() {
	good := "<methodResponse><params><param><value><i4>7</i4></value></param></params></methodResponse>"
	fault := "<methodResponse><fault><value><struct><member><name>faultCode</name><value><i4>1</i4></value></member>" +
		"<member><name>faultString</name><value><string>no</string></value></member></struct></value></fault></methodResponse>"
	status, answer := http.StatusOK, ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, answer)
	}))
	defer server.Close()
	for _, c := range []struct {
		name, answer string
		status       int
	}{{"a fault", fault, 200}, {"status 503", "", 503}, {"a page of HTML", "<html></html>", 200}, {"half an answer", good[:50], 200}} {
		client, err := xmlrpc.NewClient(server.URL, nil)
		if err != nil {
			panic(err)
		}
		var n int
		status, answer = c.status, c.answer
		first := client.Call("one.host.info", nil, &n)
		status, answer = 200, good
		fmt.Printf("after %s (%v) a good answer gives %v\n", c.name, first != nil, client.Call("one.host.info", nil, &n))
	}
}
GO
got=$(./try)
want='after a fault (true) a good answer gives <nil>
after status 503 (true) a good answer gives <nil>
after a page of HTML (true) a good answer gives connection is shut down
after half an answer (true) a good answer gives connection is shut down'
compare "$got" "$want"
