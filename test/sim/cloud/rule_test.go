package cloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/one"
)

func TestRules(t *testing.T) {
	refused := func(g got, err error) bool { return err == nil && g.code() == "2048" && g.text() == "no" }
	accepted := func(g got, err error) bool { return err == nil && g.ok() }
	reset := func(_ got, err error) bool { return errors.Is(err, syscall.ECONNRESET) }
	for name, tc := range map[string]struct {
		rule    Rule
		want    func(g got, err error) bool
		nothing bool // the call is not executed
	}{
		"fault": {Rule{Fault: &Fault{-500, "boom"}},
			func(g got, err error) bool { return g.Fault && g.code() == "-500" && g.text() == "boom" }, true},
		"refuse":      {Rule{Refuse: &Refusal{2048, "no"}}, refused, true},
		"lose":        {Rule{Lose: true}, func(g got, _ error) bool { return g.ok() && g.text() == "1" }, true},
		"drop before": {Rule{DropBefore: true}, reset, true},
		"drop after":  {Rule{DropAfter: true}, reset, false},
		"truncate": {Rule{Truncate: 20},
			func(_ got, err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }, false},
		"mangle": {Rule{Mangle: func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(">1<"), []byte(">\x01<")) }},
			func(_ got, err error) bool { return err != nil }, false},
		"body":         {Rule{Body: []byte("nonsense")}, func(_ got, err error) bool { return err == nil }, true},
		"status":       {Rule{Status: 503}, func(g got, _ error) bool { return len(g.Elements) == 0 }, true},
		"other method": {Rule{Method: "one.vm.info", DropBefore: true}, accepted, false},
		"other object": {Rule{Method: "one.vm.action", ID: 5, DropBefore: true}, accepted, false},
		"this object":  {Rule{Method: "one.vm.action", ID: 1, Refuse: &Refusal{2048, "no"}}, refused, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, "5.10", func(cfg *Config) { cfg.VMs = []VM{vmIn(t, 1, 0, "HOLD")} })
			if tc.rule.ID == 0 {
				tc.rule.ID = -1
			}
			remove := c.Inject(tc.rule)
			if g, err := try(c, "one.vm.action", "release", 1); !tc.want(g, err) {
				t.Errorf("answer %v, error %v", g, err)
			}
			if done := stateOf(t, c, 1) == "PENDING"; done == tc.nothing {
				t.Errorf("executed: %v", done)
			}
			remove()
			must(t, c, "one.vm.info", 1)
			if calls := c.Calls(); len(calls) != 2 || calls[0].Method != "one.vm.action" || calls[1].BytesOut <= 0 {
				t.Errorf("calls %+v", calls)
			}
			c.ResetCalls()
			if len(c.Calls()) != 0 {
				t.Error("calls after a reset")
			}
		})
	}
}

func TestRuleCounts(t *testing.T) {
	c := newCloud(t, "4.4", nil)
	c.Inject(Rule{ID: -1, Skip: 1, Times: 2, Refuse: &Refusal{8192, "later"}})
	var codes []string
	for range 5 {
		g, err := try(c, "one.system.version")
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, g.code())
	}
	want := []string{"0", "8192", "8192", "0", "0"}
	for i := range want {
		if codes[i] != want[i] {
			t.Fatalf("codes %v, want %v", codes, want)
		}
	}
}

func TestDelayAndHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, "5.10", func(cfg *Config) { cfg.VMs = []VM{runningOn(1, 0)} })
		c.Inject(Rule{Method: "one.vm.info", ID: 1, Delay: 3 * time.Second, Hook: func(call Call) {
			if call.Method != "one.vm.info" || call.Args[0] != 1 {
				t.Errorf("call %+v", call)
			}
			if err := c.UpdateVM(1, func(v *VM) { v.State = one.Suspended }); err != nil {
				t.Error(err)
			}
		}})
		c.Inject(Rule{ID: -1, Delay: 2 * time.Second})
		began := time.Now()
		must(t, c, "one.vm.info", 1)
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("took %s", took)
		}
		wantState(t, c, 1, "SUSPENDED")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, _, err := post(ctx, c, encodeCall("one.vm.info", adminSession, 1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

func TestDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, "5.10", nil)
		c.SetDown(true)
		if _, err := try(c, "one.system.version"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("error %v", err)
		}
		c.SetDown(false)
		c.Inject(Rule{ID: -1, Delay: time.Second, Times: 1})
		time.AfterFunc(time.Second/2, func() { c.SetDown(true) })
		if _, err := try(c, "one.system.version"); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("error %v of a call under way", err)
		}
		c.SetDown(false)
		must(t, c, "one.system.version")
		c.Close()
		c.Close()
		c.SetDown(false)
		if _, err := try(c, "one.system.version"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("error %v after Close", err)
		}
	})
}

// TestConnectionLimit sends more slow calls at once than oned accepts: two are
// served, two wait for that, one gives up waiting, and the last two are turned
// away and come again after 1, 3 and 7 seconds, when the line has room.
func TestConnectionLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, "6.10", func(cfg *Config) { cfg.MaxConn = 5 })
		c.gate.maxServe = 2
		c.Inject(Rule{ID: -1, Delay: 4 * time.Second})
		ends := make(chan string)
		began := time.Now()
		for i := range 7 {
			patience := time.Minute
			if i == 3 {
				patience = 2 * time.Second
			}
			go func() {
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				_, _, err := post(ctx, c, encodeCall("one.system.version", adminSession))
				ends <- fmt.Sprint(time.Since(began), " ", err)
			}()
			synctest.Wait()
		}
		count := map[string]int{}
		for range 7 {
			count[<-ends]++
		}
		want := map[string]int{"4s <nil>": 2, "8s <nil>": 2, "12s <nil>": 2, "2s context deadline exceeded": 1}
		if !maps.Equal(count, want) {
			t.Errorf("ended %v, want %v", count, want)
		}
		if len(c.Calls()) != 6 {
			t.Errorf("%d calls", len(c.Calls()))
		}
	})
}

// TestGivingUp leaves the crowd outside and closes the cloud on those in line.
func TestGivingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, "6.10", func(cfg *Config) { cfg.MaxConn = 2 })
		c.Inject(Rule{ID: -1, Delay: time.Hour})
		ends := make(chan error)
		for range 3 { // served, in line, outside
			go func() {
				_, _, err := post(context.Background(), c, encodeCall("one.system.version", adminSession))
				ends <- err
			}()
			synctest.Wait()
		}
		c.Close()
		for range 3 {
			if err := <-ends; !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("error %v", err)
			}
		}
	})
}
