#!/usr/bin/env bash
# net/http of Go 1.26.8: a request on a connection that is kept is sent a second time, without a word, when the server
# closes it before it answers. DELETE and PUT, which are idempotent, are not; POST with an Idempotency-Key header is.
#
# The server may have done what it was asked before it closed. net/http repeats GET, HEAD, OPTIONS and TRACE, and
# whatever has that header, even one with no value, which is not sent at all. The first request of a connection is never
# repeated. The caller sees one answer and no error.
#
# one-ft tells oned to recreate VMs by POST without that header, so oned gets each call once, and an EOF means that nobody
# knows whether it was done.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
export GOTOOLCHAIN=go1.26.8
installed=$GOTOOLCHAIN
# shellcheck disable=SC2119 # the standard library alone
gobuild <<'GO'
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
)

func main() {
	for _, c := range []struct {
		method, key string
		header      []string
	}{{"GET", "Accept", []string{"x"}}, {"POST", "Accept", []string{"x"}}, {"PUT", "Accept", []string{"x"}},
		{"DELETE", "Accept", []string{"x"}}, {"POST", "Idempotency-Key", []string{"1"}}, {"POST", "Idempotency-Key", nil}} {
		arrived := new(atomic.Int32)
		url := listen(arrived)
		client := &http.Client{Transport: &http.Transport{}}
		first, err := client.Get(url)
		if err != nil {
			panic(err)
		}
		io.Copy(io.Discard, first.Body)
		first.Body.Close()
		request, err := http.NewRequest(c.method, url+"/act", strings.NewReader("recreate"))
		if err != nil {
			panic(err)
		}
		request.Header[c.key] = c.header
		_, err = client.Do(request)
		fmt.Printf("%s, %s %q: arrived %d times, error %v\n", c.method, c.key, c.header, arrived.Load(), err != nil)
	}
}

// listen serves connections: the first request of each is answered, the second one is counted, and then the connection closed;
// a repeated one comes on a connection of its own.
func listen(arrived *atomic.Int32) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				reader := bufio.NewReader(conn)
				for answers := 0; ; answers++ {
					request, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					io.Copy(io.Discard, request.Body)
					if request.URL.Path == "/act" {
						arrived.Add(1)
					}
					if answers > 0 {
						return
					}
					io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}
GO
got=$(./try)
want='GET, Accept ["x"]: arrived 2 times, error false
POST, Accept ["x"]: arrived 1 times, error true
PUT, Accept ["x"]: arrived 1 times, error true
DELETE, Accept ["x"]: arrived 1 times, error true
POST, Idempotency-Key ["1"]: arrived 2 times, error false
POST, Idempotency-Key []: arrived 2 times, error false'
compare "$got" "$want"
