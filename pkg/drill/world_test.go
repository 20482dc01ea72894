// The verdicts of package drill, held against what the scheduler of the simulated cloud then does: a host is
// drilled, then it really dies and its VMs are recovered as planned.

package drill_test

import (
	"testing"
	"time"

	"one-ft/pkg/drill"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/test/sim/cloud"
)

// versions are those that were measured live.
func versions() []string { return []string{"4.4.1", "5.10.6", "6.10.0", "7.4.1"} }

// world is a simulated cloud with a client.
type world struct {
	cloud   *cloud.Cloud
	client  *one.Client
	dialect one.Dialect
}

// newWorld builds a cloud and connects to it.
func newWorld(t testing.TB, cfg cloud.Config) *world {
	t.Helper()
	c, err := cloud.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	w := &world{cloud: c}
	w.client, err = one.New(one.Options{Endpoint: "http://cloud/RPC2", Credentials: "oneadmin:opennebula", Transport: c.Transport(), Patience: time.Minute})
	if err == nil {
		_, w.dialect, err = w.client.Connect(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// read reads the cloud for a drill. The simulated scheduler of 4.4 keeps no memory for the hypervisor.
func (w *world) read(t testing.TB) drill.Cloud {
	t.Helper()
	c, err := drill.Read(t.Context(), w.client)
	if err != nil {
		t.Fatal(err)
	}
	c.HypervisorMemory = 0
	return c
}

// carryOut does what a plan says, a VM every so often.
func (w *world) carryOut(t testing.TB, plan recovery.Plan, pause time.Duration) {
	t.Helper()
	verbs := map[recovery.Verb][]one.Action{
		recovery.VerbRecreate: {one.Recreate}, recovery.VerbResumeRecreate: {one.Resume, one.Recreate},
		recovery.VerbDelete: {one.Delete}, recovery.VerbResched: {one.Resched},
	}
	for _, step := range plan.Steps {
		if step.Verb == recovery.VerbMigrate {
			if err := w.client.Migrate(t.Context(), step.VM.ID, step.Target); err != nil {
				t.Fatal(err)
			}
		}
		for _, action := range verbs[step.Verb] {
			if err := w.client.Do(t.Context(), action, step.VM.ID); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(pause)
	}
}
