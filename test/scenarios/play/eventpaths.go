package play

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"one-ft/pkg/one"
	"one-ft/test/cloud"
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
		{"an admin sets <T>=<*> on <H>", func(w *world, m []string) error {
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
			return append(found, extra.String()...)
		})
	}}
}

// byHandClient is an admin at oned, without any tool of ours.
func (w *world) byHandClient() (*one.Client, error) {
	client, err := one.New(one.Options{Endpoint: "http://oned/RPC2", Credentials: "oneadmin:opennebula", Transport: w.cloud.Transport()})
	if err == nil {
		_, _, err = client.Connect(w.ctx)
	}
	return client, err
}
