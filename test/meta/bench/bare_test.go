package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// recreates are the requests of a bare client.
func recreates(vms int) (bodies [][]byte) {
	const recreate = 4 // the operation of one.vm.recover, 4.14 to 7.4
	for id := range vms {
		bodies = append(bodies, fmt.Appendf(nil, "<?xml version=\"1.0\"?><methodCall><methodName>one.vm.recover</methodName><params>"+
			"<param><value><string>oneadmin:opennebula</string></value></param><param><value><int>%d</int></value></param><param><value><int>%d</int></value></param></params></methodCall>", id, recreate))
	}
	return bodies
}

// bareCalls asks oned to recreate the VMs, and does nothing more.
func bareCalls(ctx context.Context, bin, endpoint string, vms int) error {
	file, err := os.CreateTemp("", "requests")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	for _, body := range recreates(vms) {
		if _, err := fmt.Fprintf(file, "%d\n%s", len(body), body); err != nil {
			return err
		}
	}
	if err := file.Close(); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, filepath.Join(bin, "floor"), endpoint, file.Name()).CombinedOutput(); err != nil {
		return fmt.Errorf("bare calls: %w: %s", err, out)
	}
	return nil
}

// toTheEnd is what bare calls come to when somebody waits until nothing happens any more, in
// virtual time.
func (o outage) toTheEnd(t *testing.T) (result course) {
	share, err := cloud.ParseShare(o.hang)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		cfg := cloud.Config{
			Version: outageRelease, VMs: o.all(), Step: outageStep, SchedInterval: outageSched, MonitorInterval: outageCycle,
			Network: o.network, CleanUpsHang: share,
		}
		for id := range outageHosts {
			cfg.Hosts = append(cfg.Hosts, cloud.Host{ID: id, Name: fmt.Sprintf("node%02d", id)})
		}
		c, err := cloud.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		w := &watch{vms: o.vms, begun: time.Now(), all: make(chan struct{}), ran: map[int]time.Time{}}
		c.OnVMState(w.moved)
		if err := errors.Join(c.PowerOff(0), c.SetHostState(0, one.HostError)); err != nil {
			t.Fatal(err)
		}
		client := http.Client{Transport: c.Transport()}
		for _, body := range recreates(o.vms) {
			answer, err := client.Post("http://oned/RPC2", "text/xml", bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
		}
		for before, now := -1, w.settled(c); before != now; before, now = now, w.settled(c) {
			time.Sleep(6 * time.Hour) // 200 VMs are cleaned up for 1.6 hours before the first of them is placed
		}
		result = w.course(w.begun, len(c.Unanswered()))
	})
	return result
}

// settled counts the VMs whose way is over.
func (w *watch) settled(c *cloud.Cloud) int {
	done := c.Unanswered()
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.ran {
		if !slices.Contains(done, id) {
			done = append(done, id)
		}
	}
	return len(done)
}
