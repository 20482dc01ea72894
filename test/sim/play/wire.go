package play

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// latency is how long a call is under way. It is no round number, so that what is timed in
// seconds and what is done in calls do not fall into one moment by accident.
const latency = 7013017 * time.Nanosecond

// What a call about the next object takes longer, and what the next process starts later:
// whoever looks at the same moment as others would find them done or not by chance.
const (
	callsApart     = 3001 * time.Nanosecond
	processesApart = 137003 * time.Nanosecond
)

// wire carries the calls of one process to the oned of its front-end.
type wire struct {
	process *process
}

// errDead is what a process gets that was killed: nothing it does is seen any more.
var errDead = errors.New("this process was killed")

// RoundTrip implements http.RoundTripper.
func (w wire) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err = errors.Join(err, req.Body.Close()); err != nil {
		return nil, err
	}
	c := readCall(body)
	if !sleep(req.Context(), latency+time.Duration(c.object%1000)*callsApart) {
		return nil, req.Context().Err()
	}
	if w.process.dead.Load() {
		return nil, errDead
	}
	if f := w.process.frontEnd; f.alone(c.method) {
		if c.action != "" {
			f.world.log.add(rankProcess, f.name+" asks oned", c.vm, "%s: nobody agrees", c.action)
		}
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	done := w.process.frontEnd.world.audit.calls(w.process, c)
	answer, err := w.process.frontEnd.ask(req, body)
	said := "no answer"
	if err == nil {
		var text []byte
		text, err = io.ReadAll(answer.Body)
		answer.Body = io.NopCloser(io.MultiReader(bytes.NewReader(text), broken{err}))
		if said = verdict(string(text)); err != nil {
			said = "the answer breaks off"
		}
		err = nil
	}
	done(said)
	return answer, err
}

// broken ends a body as it ended.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	return 0, io.EOF
}

// call is what a process asks oned for.
type call struct {
	method string
	action string // in words, "" for one that changes no VM
	vm     int
	object int // the first number in it
}

var (
	methodName = regexp.MustCompile(`<methodName>([^<]+)</methodName>`)
	intValue   = regexp.MustCompile(`<(?:int|i4)>(-?\d+)</`)
	textValue  = regexp.MustCompile(`<string>([^<]*)</string>`)
)

// readCall reads the body of a call as far as the audits need it.
func readCall(body []byte) call {
	c := call{vm: -1}
	if m := methodName.FindSubmatch(body); m != nil {
		c.method = string(m[1])
	}
	var ints []int
	for _, m := range intValue.FindAllSubmatch(body, -1) {
		if n, err := strconv.Atoi(string(m[1])); err == nil {
			ints = append(ints, n)
		}
	}
	if len(ints) > 0 {
		c.object = max(0, ints[0])
	}
	switch {
	case c.method == "one.vm.recover" && len(ints) == 2:
		ops := []string{"recover failure", "recover success", "retry", "delete", "recreate", "delete-db"}
		c.vm, c.action = ints[0], ops[ints[1]%len(ops)]
	case c.method == "one.vm.recover" && len(ints) == 1:
		c.vm, c.action = ints[0], "recover"
	case c.method == "one.vm.migrate" && len(ints) > 0:
		c.vm, c.action = ints[0], "migrate"
	case c.method == "one.vm.action" && len(ints) == 1:
		texts := textValue.FindAllSubmatch(body, -1)
		c.vm, c.action = ints[0], strings.TrimPrefix(string(texts[len(texts)-1][1]), "delete-")
	}
	return c
}

var refusalText = regexp.MustCompile(`(?s)<boolean>0</boolean>.*?<string>(.*?)</string>`)

// verdict is the answer of oned in a word.
func verdict(body string) string {
	switch m := refusalText.FindStringSubmatch(body); {
	case strings.Contains(body, "<boolean>1</boolean>"):
		return "yes"
	case m != nil:
		return "refused: " + m[1]
	}
	return "no proper answer"
}

// sleep waits, or returns false when the context ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
