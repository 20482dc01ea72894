package wire

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// work is how long oned takes for a call that acts on a VM: two at once for one VM are to be
// seen.
const work = 10 * time.Millisecond

// oned is a simulated OpenNebula behind a real socket, with an eye on what arrives at the
// same time.
type oned struct {
	*cloud.Cloud
	version string
	server  *httptest.Server

	mu      sync.Mutex
	serving int
	most    int         // requests that were served at the same time
	acting  map[int]int // calls under way that act on a VM
	twice   []string
}

// serve starts a cloud that ends with the test.
func serve(t *testing.T, cfg cloud.Config) *oned {
	t.Helper()
	c, err := cloud.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	o := &oned{Cloud: c, version: cfg.Version, acting: map[int]int{}}
	o.server = httptest.NewServer(o)
	t.Cleanup(func() {
		c.Close()
		o.server.CloseClientConnections()
		o.server.Close()
	})
	return o
}

// address is where oned listens, and endpoint its URL without any fault between.
func (o *oned) address() string  { return strings.TrimPrefix(o.server.URL, "http://") }
func (o *oned) endpoint() string { return endpointAt(o.address()) }

func endpointAt(address string) string { return "http://" + address + "/RPC2" }

// ServeHTTP counts what is under way and lets the cloud answer.
func (o *oned) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the wire broke in the middle of a request
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	vm, acts := actedOn(body)
	o.enter(vm, acts)
	defer o.leave(vm, acts)
	if acts {
		time.Sleep(work)
	}
	o.Cloud.ServeHTTP(w, req)
}

func (o *oned) enter(vm int, acts bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.serving++
	o.most = max(o.most, o.serving)
	if acts {
		if o.acting[vm]++; o.acting[vm] > 1 {
			o.twice = append(o.twice, fmt.Sprintf("%d calls for VM %d at the same time", o.acting[vm], vm))
		}
	}
}

func (o *oned) leave(vm int, acts bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.serving--
	if acts {
		o.acting[vm]--
	}
}

// seen gives the most requests at the same time, and calls for one VM at the same time.
func (o *oned) seen() (most int, twice []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.most, o.twice
}

var (
	action  = regexp.MustCompile(`<methodName>one\.vm\.(recover|action|migrate)</methodName>`)
	firstID = regexp.MustCompile(`<(?:int|i4)>(\d+)</`)
)

// actedOn tells from the body of a request which VM it acts on.
func actedOn(body []byte) (vm int, acts bool) {
	id := firstID.FindSubmatch(body)
	if !action.Match(body) || id == nil {
		return 0, false
	}
	vm, err := strconv.Atoi(string(id[1]))
	return vm, err == nil
}

// old reports whether it is an oned that acts on VMs as 4.4 does.
func (o *oned) old() bool { return strings.HasPrefix(o.version, "4.") }

// recreates is the call that recreates a VM.
func (o *oned) recreates() string {
	if o.old() {
		return "one.vm.action"
	}
	return "one.vm.recover"
}

// executed counts the calls that act on VMs and that oned has executed, answered or not, by
// what they ask for and which VM.
func (o *oned) executed() map[string]int {
	times := map[string]int{}
	for _, c := range o.Calls() {
		if c.OK && (c.Method == "one.vm.action" || c.Method == "one.vm.recover" || c.Method == "one.vm.migrate") {
			times[fmt.Sprintf("%s%v", c.Method, c.Args)]++
		}
	}
	return times
}

// left reports whether a VM is no longer on the failed host, as oned has it.
func (o *oned) left(id int) bool {
	vm, ok := o.VM(id)
	if !ok || len(vm.History) == 0 {
		return false
	}
	return vm.State == one.Pending || vm.LCM == one.CleanupResubmit || vm.History[len(vm.History)-1].HostID != failed
}
