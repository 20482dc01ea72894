// Command floor is the least that a recovery costs: it sends requests to oned, one after the
// other in one loop, and reads each answer whole, without a look at it. The requests stand in a
// file, each behind its length in a line.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
)

func main() {
	if err := send(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

// send sends the requests in a file to a URL.
func send(url, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	requests := bufio.NewReader(file)
	client := &http.Client{Transport: &http.Transport{}}
	for {
		line, err := requests.ReadString('\n')
		if err == io.EOF {
			return nil
		}
		length, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			return err
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(requests, body); err != nil {
			return err
		}
		answer, err := client.Post(url, "text/xml", bytes.NewReader(body))
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			return err
		}
		answer.Body.Close()
	}
}
