package play

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// pathSentences are about the way between hosts and front-ends, and about what oned holds of hosts.
func pathSentences() []sentence {
	return []sentence{
		{"<H> (?:is|are) cut off from <F>((?: [A-D])*)", func(w *world, m []string) error {
			return w.each(m[0], func(n *node) {
				n.mu.Lock()
				for _, f := range strings.Fields(m[1] + m[2]) {
					n.cutFrom[f] = true
				}
				n.mu.Unlock()
				w.reach(n)
			})
		}},
		{"front-end <F> becomes leader, and <F> does not know", func(w *world, m []string) error {
			f, old := w.frontEnd(m[0]), w.frontEnd(m[1])
			if f == nil || old == nil {
				return fmt.Errorf("there is no such front-end")
			}
			old.mu.Lock()
			old.stale = map[int]one.HostState{}
			for _, h := range w.cloud.Hosts() {
				old.stale[h.ID] = h.State
			}
			old.mu.Unlock()
			w.setRole(f, cloud.Leader)
			w.reach(w.nodes...)
			return nil
		}},
		{"(?:an admin|the monitoring) sets <T>=<*> on <H>", func(w *world, m []string) error {
			client, err := w.byHandClient()
			if err != nil {
				return err
			}
			return errors.Join(err, w.each(m[2], func(n *node) {
				w.must(client.AnnotateHost(w.ctx, n.id, m[0], m[1]))
				w.spec.fenced[n.id] = w.spec.fenced[n.id] || strings.HasPrefix(m[0], "FENCE_")
			}))
		}},
		{"oned lists vms? <V> on <H>, too", func(w *world, m []string) error {
			ids, err := numbers(m[0])
			if err != nil {
				return err
			}
			return errors.Join(err, w.each(m[1], func(n *node) { w.undo(w.cloud.Inject(listsToo(n.id, ids))) }))
		}},
	}
}

var listOfVMs = regexp.MustCompile(`&lt;VMS&gt;|&lt;VMS/&gt;`)

// listsToo makes oned name VMs in the list of a host that does not have them: the list and the
// VMs are different objects of oned, and are changed one after the other.
func listsToo(host int, vms []int) cloud.Rule {
	var extra strings.Builder
	for _, id := range vms {
		fmt.Fprintf(&extra, "&lt;ID&gt;%d&lt;/ID&gt;", id)
	}
	return cloud.Rule{Method: "one.host.info", ID: host, Mangle: func(b []byte) []byte {
		return listOfVMs.ReplaceAllFunc(b, func(found []byte) []byte {
			if strings.Contains(string(found), "/") {
				return []byte("&lt;VMS&gt;" + extra.String() + "&lt;/VMS&gt;")
			}
			return []byte(string(found) + extra.String())
		})
	}}
}

// stateOfHost is the state of a host in an answer of one.host.info.
var stateOfHost = regexp.MustCompile(`&lt;STATE&gt;\d&lt;/STATE&gt;`)

// alone reports whether oned of this front-end was cut off from the others, does not know that
// another one leads, and is asked for a change: nobody is there to agree with it.
func (f *frontEnd) alone(method string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	reads := strings.Contains(method, "info") || strings.HasPrefix(method, "one.system.") || method == "one.zone.raftstatus"
	return f.stale != nil && !reads
}

// ask has oned of the front-end answer a request with this body. One that was cut off believes
// that each host is as it was.
func (f *frontEnd) ask(req *http.Request, body []byte) (*http.Response, error) {
	again := req.Clone(req.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	answer, err := f.oned.RoundTrip(again)
	f.mu.Lock()
	stale := f.stale
	f.mu.Unlock()
	host := intValue.FindSubmatch(body)
	if err != nil || stale == nil || host == nil || readCall(body).method != "one.host.info" {
		return answer, err
	}
	text, err := io.ReadAll(answer.Body)
	if id, numberErr := strconv.Atoi(string(host[1])); numberErr == nil {
		text = stateOfHost.ReplaceAll(text, fmt.Appendf(nil, "&lt;STATE&gt;%d&lt;/STATE&gt;", stale[id]))
	}
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	return answer, err
}

// byHandClient is an admin at oned, without any tool of ours.
func (w *world) byHandClient() (*one.Client, error) {
	client, err := one.New(one.Options{Endpoint: "http://oned/RPC2", Credentials: "oneadmin:opennebula", Transport: w.cloud.Transport()})
	if err == nil {
		_, _, err = client.Connect(w.ctx)
	}
	return client, err
}
